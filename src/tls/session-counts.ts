/**
 * Counts in memory what connections note about TLS, and writes the counts down every minute and when it stops.
 *
 * Only those of domains that want reports are kept: whether one does is asked when its counts are written, away from the
 * mail. What nobody could say for sure is kept, and sorted out when the report is due. Bounded: beyond the bounds
 * failures are counted without their hosts, then sessions of further domains not at all, with a line in the log. Counts
 * that can't be written wait for the next round. Never throws.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { DomainName } from '../mail/ids.ts'
import { type TlsCount, type TlsFailureDetail, type TlsPolicyFound, utcDayOf } from '../mail/tls-report.ts'
import type { TlsReportStore } from '../store/store.ts'
import { findDestinations, type RecordParts } from './report-record.ts'
import type { TlsResult, TlsResults } from './tls-result.ts'

export interface SessionCountsParts {
  readonly store: Pick<TlsReportStore, 'addTlsCounts'>
  readonly record: RecordParts
  readonly clock: Clock
  readonly log: Log
}

type Counting = { -readonly [field in keyof TlsCount]: TlsCount[field] }

const everyMs = 60_000
/** Domains with mail within a minute; 10,000 with their counts are some 20 MB. */
const maxDomains = 10_000
/** Ways in which things went at one domain within a minute. */
const maxKinds = 100
/** Octets of a policy that are worth repeating: an MTA-STS policy may have 64 kB (RFC 8461 §3.3). */
const maxPolicyOctets = 4096
/** One transaction. */
const rowsAtOnce = 500
const lookupsAtOnce = 20

export class SessionCounts implements TlsResults {
  readonly #parts: SessionCountsParts
  readonly #cancel: () => void
  #domains = new Map<string, Map<string, Counting>>()
  #lost = 0
  #running: Promise<void> | null = null

  constructor(parts: SessionCountsParts) {
    this.#parts = parts
    this.#cancel = parts.clock.every(everyMs, () => {
      this.#running ??= this.#round(true).finally(() => {
        this.#running = null
      })
    })
  }

  note(result: TlsResult): void {
    const { domain } = result
    this.#add({
      day: utcDayOf(this.#parts.clock.now()),
      domain,
      policy: policyOf(result),
      failure: failureOf(result),
      sessions: 1,
    })
  }

  /** Writes what is there, without asking whether it is wanted: a stop must not wait for strangers' DNS. */
  async stop(): Promise<void> {
    this.#cancel()
    await this.#running
    await this.#round(false)
  }

  #add(count: TlsCount): void {
    const kinds = this.#kindsOf(`${count.day} ${count.domain}`)
    if (kinds === null) {
      this.#lost += count.sessions
      return
    }
    const policy = JSON.stringify(count.policy)
    const full = `${policy}${JSON.stringify(count.failure)}`
    const isCrowded = kinds.size >= maxKinds && count.failure !== null && !kinds.has(full)
    const failure = isCrowded ? anywhere(count.failure) : count.failure
    const key = isCrowded ? `${policy}${JSON.stringify(failure)}` : full
    const known = kinds.get(key)
    if (known) known.sessions += count.sessions
    else kinds.set(key, { ...count, failure })
  }

  #kindsOf(key: string): Map<string, Counting> | null {
    const known = this.#domains.get(key)
    if (known) return known
    if (this.#domains.size >= maxDomains) return null
    const fresh = new Map<string, Counting>()
    this.#domains.set(key, fresh)
    return fresh
  }

  async #round(mayAsk: boolean): Promise<void> {
    const { log } = this.#parts
    if (this.#lost > 0)
      log.warn({ sessions: this.#lost }, 'TLS sessions with too many domains at once were not counted')
    this.#lost = 0
    const counted = [...this.#domains.values()].map(kinds => [...kinds.values()])
    this.#domains = new Map()
    for (let at = 0; at < counted.length; at += lookupsAtOnce) {
      const some = counted.slice(at, at + lookupsAtOnce)
      const wanted = mayAsk ? await Promise.all(some.map(([first]) => this.#isWanted(first!.domain))) : null
      await this.#write(some.filter((_, index) => wanted?.[index] !== false).flat())
    }
  }

  async #isWanted(domain: DomainName): Promise<boolean> {
    try {
      return (await findDestinations(domain, this.#parts.record)).length > 0
    } catch {
      return true
    }
  }

  async #write(counts: readonly TlsCount[]): Promise<void> {
    const { store, log } = this.#parts
    for (let at = 0; at < counts.length; at += rowsAtOnce) {
      const rows = counts.slice(at, at + rowsAtOnce)
      try {
        await store.addTlsCounts(rows)
      } catch (error) {
        log.warn({ err: error, rows: rows.length }, 'counts of TLS sessions could not be written yet')
        for (const row of rows) this.#add(row)
      }
    }
  }
}

function policyOf({ policyType, policyDomain, policyStrings, mxHostPatterns }: TlsResult): TlsPolicyFound {
  return { policyType, policyDomain, policyStrings: bounded(policyStrings), mxHostPatterns: bounded(mxHostPatterns) }
}

function bounded(lines: readonly string[]): readonly string[] {
  let octets = 0
  const end = lines.findIndex(line => {
    octets += line.length
    return octets > maxPolicyOctets
  })
  return end === -1 ? lines : lines.slice(0, end)
}

function failureOf({ result, receivingMx, receivingIp, sendingIp, additional }: TlsResult): TlsFailureDetail | null {
  return result === 'success' ? null : { resultType: result, receivingMx, receivingIp, sendingIp, additional }
}

function anywhere(failure: TlsFailureDetail | null): TlsFailureDetail | null {
  return failure && { ...failure, receivingMx: null, receivingIp: null, sendingIp: null, additional: null }
}
