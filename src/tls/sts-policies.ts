/**
 * The MTA-STS policy of a recipient domain: from memory, the store, or fetched now (RFC 8461 §3, §5).
 *
 * A policy that is known holds until it expires, whatever became of its record or its host; whether there is a newer one
 * is asked beside the mail. Mail waits only where nothing is known yet, and no longer than `timeoutMs`: the answer then
 * comes too late for it, but not for the next. All who ask about one domain meanwhile share one answer. A policy that
 * could not be fetched is not asked for again at once. Fails with StoreUnavailable.
 */
import { LRUCache } from 'lru-cache'
import type { Log } from '../base/log.ts'
import { DnsTrouble } from '../dns/resolver.ts'
import { Turnstile } from '../dns/turnstile.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { StsPolicyStore } from '../store/store.ts'
import { fetchStsPolicy, type StsFetchFailure, type StsFetchParts } from './sts-fetch.ts'
import { readStsPolicy, readStsRecord } from './sts-text.ts'
import type { TlsResults } from './tls-result.ts'

export interface StsPoliciesParts extends StsFetchParts {
  readonly store: Pick<StsPolicyStore, 'stsPolicy' | 'putStsPolicy' | 'useStsPolicy'>
  readonly results: TlsResults
  readonly log: Log
}

interface Known {
  readonly policy: StsPolicy | null
  /** Monotonic: another worker may have fetched a newer one since. */
  readonly readAt: number
}

interface Failed {
  /** Null: the record itself could not be looked up. */
  readonly id: string | null
  readonly until: number
  /** What may be over by then; null: what its host shows is no policy. */
  readonly trouble: string | null
}

/** A worker that fetched a policy writes it down for the others, which look again after this time. */
const rereadMs = 300_000
/** RFC 8461 §3.3: five minutes or longer between tries. */
const afterFailureMs = 300_000
/** A name whose servers are dead would cost its mail the whole wait again and again. */
const afterTroubleMs = 60_000
/** §5.1 wants it checked before it expires, and removals noticed (§8.3): daily, or sooner where it is short-lived. */
const refreshMs = 86_400_000
/** When it was used last is told to the day: it is written down, and a day is enough to know what is not needed. */
const usedMs = 86_400_000
const maxKnown = 10_000
/** A burst of mail to many new domains must not open more connections than that. */
const maxFetches = 20

export class StsPolicies {
  readonly #parts: StsPoliciesParts
  readonly #known = new LRUCache<DomainName, Known>({ max: maxKnown })
  readonly #failed = new LRUCache<DomainName, Failed>({ max: maxKnown })
  readonly #underWay = new Map<DomainName, Promise<StsPolicy | null>>()
  readonly #turnstile = new Turnstile(maxFetches)
  readonly #closing = new AbortController()

  constructor(parts: StsPoliciesParts) {
    this.#parts = parts
  }

  /** Null: the domain has none, or none can be had now. */
  async find(domain: DomainName): Promise<StsPolicy | null> {
    // An address literal has no policy.
    if (domain.startsWith('[')) return null
    const { policy } = await this.#recall(domain)
    const newer = this.#lookUp(domain)
    if (policy === null || this.#isOver(policy)) return this.#bounded(newer)
    newer.catch(() => {})
    this.#noteUsed(policy)
    return policy
  }

  /** Why `find` had none just now, though there may be one; null: there is none. */
  troubleWith(domain: DomainName): string | null {
    if (this.#underWay.has(domain)) return 'it is not there yet'
    const failed = this.#failed.get(domain)
    return failed !== undefined && failed.until > this.#parts.clock.monotonic() ? failed.trouble : null
  }

  /** Asks for a newer one; resolves when it stands in the store, or there is none. */
  async refresh(domain: DomainName): Promise<void> {
    await this.#lookUp(domain)
  }

  close(): void {
    this.#closing.abort()
  }

  async #recall(domain: DomainName): Promise<Known> {
    const { store, clock } = this.#parts
    const known = this.#known.get(domain)
    if (known !== undefined && clock.monotonic() - known.readAt < rereadMs) return known
    return this.#remember(domain, await store.stsPolicy(domain))
  }

  #remember(domain: DomainName, policy: StsPolicy | null): Known {
    const known = { policy, readAt: this.#parts.clock.monotonic() }
    this.#known.set(domain, known)
    return known
  }

  #isOver({ expiresAt }: StsPolicy): boolean {
    return expiresAt <= this.#parts.clock.now()
  }

  async #bounded(newer: Promise<StsPolicy | null>): Promise<StsPolicy | null> {
    const { clock, timeoutMs } = this.#parts
    const late = Promise.withResolvers<null>()
    const cancel = clock.after(timeoutMs, () => late.resolve(null))
    newer.catch(() => {})
    return Promise.race([newer, late.promise]).finally(cancel)
  }

  /** The policy that counts once everything was asked; one question about a domain at a time. */
  #lookUp(domain: DomainName): Promise<StsPolicy | null> {
    const underWay = this.#underWay.get(domain)
    if (underWay !== undefined) return underWay
    const asked = this.#ask(domain).finally(() => this.#underWay.delete(domain))
    this.#underWay.set(domain, asked)
    return asked
  }

  async #ask(domain: DomainName): Promise<StsPolicy | null> {
    const { policy } = await this.#recall(domain)
    const current = policy === null || this.#isOver(policy) ? null : policy
    const id = await this.#announced(domain)
    if (id === null || !this.#isWorthFetching(domain, id, current)) return current
    const stored = await this.#parts.store.stsPolicy(domain)
    if (stored !== null && stored.id === id && !this.#isDue(stored)) return this.#remember(domain, stored).policy
    return (await this.#turnstile.pass(() => this.#fetch(domain, id, current))) ?? current
  }

  /** RFC 8461 §3.1: no record, or one that can't be read, announces nothing; nor does trouble with DNS. */
  async #announced(domain: DomainName): Promise<string | null> {
    const { resolver, clock } = this.#parts
    const failed = this.#failed.get(domain)
    if (failed !== undefined && failed.id === null && failed.until > clock.monotonic()) return null
    try {
      return readStsRecord((await resolver.txt(`_mta-sts.${domain}`)).records)
    } catch (error) {
      if (!(error instanceof DnsTrouble)) throw error
      this.#failed.set(domain, { id: null, until: clock.monotonic() + afterTroubleMs, trouble: error.message })
      return null
    }
  }

  #isWorthFetching(domain: DomainName, id: string, current: StsPolicy | null): boolean {
    if (current !== null && current.id === id && !this.#isDue(current)) return false
    const failed = this.#failed.get(domain)
    return failed === undefined || failed.id !== id || failed.until <= this.#parts.clock.monotonic()
  }

  #isDue(policy: StsPolicy): boolean {
    return isDue(policy, this.#parts.clock.now())
  }

  async #fetch(domain: DomainName, id: string, current: StsPolicy | null): Promise<StsPolicy | null> {
    const { clock, store } = this.#parts
    const fetched = await fetchStsPolicy(domain, this.#parts, this.#closing.signal)
    if ('failure' in fetched) return this.#noteFailed(domain, id, fetched.failure)
    const read = readStsPolicy(fetched.text)
    if (typeof read === 'string') return this.#noteFailed(domain, id, { type: 'sts-policy-invalid', detail: read })
    const { maxAge, ...said } = read
    const now = clock.now()
    // A refresh is no use.
    const times = { fetchedAt: now, expiresAt: now + maxAge * 1000, usedAt: current?.usedAt ?? now }
    const policy: StsPolicy = { domain, id, ...said, ...times }
    this.#failed.delete(domain)
    this.#remember(domain, policy)
    await store.putStsPolicy(policy)
    return policy
  }

  #noteFailed(domain: DomainName, id: string, { type, detail }: StsFetchFailure): null {
    const { clock, results, log } = this.#parts
    if (this.#closing.signal.aborted) return null
    const trouble = type === 'sts-policy-fetch-error' ? detail : null
    this.#failed.set(domain, { id, until: clock.monotonic() + afterFailureMs, trouble })
    log.warn(
      { domain, reason: `${type}: ${detail}` },
      `the MTA-STS policy of ${domain} could not be fetched: ${detail}`,
    )
    results.note({
      ...{ domain, policyDomain: domain, policyType: 'sts', policyStrings: [], mxHostPatterns: [] },
      ...{ receivingMx: null, receivingIp: null, sendingIp: null, result: type, additional: detail },
    })
    return null
  }

  #noteUsed(policy: StsPolicy): void {
    const { store, clock, log } = this.#parts
    const now = clock.now()
    if (now - policy.usedAt < usedMs) return
    this.#remember(policy.domain, { ...policy, usedAt: now })
    store
      .useStsPolicy(policy.domain, now)
      .catch(error => log.warn({ err: error }, 'the use of an MTA-STS policy could not be written down'))
  }
}

/** Time to ask whether it still holds. */
export function isDue({ fetchedAt, expiresAt }: StsPolicy, now: Instant): boolean {
  return now - fetchedAt >= Math.min(refreshMs, (expiresAt - fetchedAt) / 2)
}
