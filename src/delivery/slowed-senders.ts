/**
 * Sender domains that a site wants less from: their mail to it rests, then goes slowly; everybody else's goes on.
 *
 * Large receivers count by the domain that vouches for a mail as well as by address (Gmail: "an unusual rate of unsolicited
 * mail originating from your DKIM domain"). Such a reply names the domain, and what it says is that customer's trouble alone.
 * As with sites a rest doubles until something is taken, and the rate behind it comes back while mail is (`policy/adaptive-limit.ts`).
 * Of this worker; kept over a restart by `limits-memory.ts`. Plain state over a clock; costs nothing while nobody is slowed. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { OutcomeClass } from '../mail/outcome.ts'
import type { Reply } from '../mail/reply.ts'
import type { Judgement } from '../outcome/classify.ts'
import { type AdaptedLimit, isForgotten, lowered, raisedRate } from '../policy/adaptive-limit.ts'
import type { Evidence } from './site-limits.ts'
import type { Closing, Group, Site } from './throttle.ts'

type Where = Pick<Site, 'name' | 'limits'>

export interface SlowedSendersParts {
  readonly clock: Clock
  /** How long a rest lasts: as long as a site is closed. */
  readonly rest: Closing
  /** Who is slowed, or how much, has changed. */
  onChange?(): void
}

/** As console and log see it. */
export interface SlowedSender {
  readonly domain: DomainName
  /** Recipients a minute, once it goes again. */
  readonly perMinute: number
  /** Null: it goes. */
  readonly restsUntil: Instant | null
  /** The last answer about it, and when it came. */
  readonly reply: string
  readonly at: Instant
}

/** Plain data, kept across restarts; its key is that of `keyOf`. */
export interface KeptSender {
  readonly key: string
  readonly limit: AdaptedLimit
  readonly evidence: Evidence
  readonly restMs: number
  /** Null: it goes. */
  readonly restsUntil: Instant | null
}

interface Slowed {
  limit: AdaptedLimit
  evidence: Evidence
  /** 0 after a success. */
  restMs: number
  /** Monotonic moments: the end of its rest, and the next free slot of its rate. */
  restsUntil: number
  nextSlot: number
}

/** Recipients a minute after the first refusal: what was too fast is not known, only that it was. */
const firstPerMinute = 6
/** It is no limit any more at a site whose rule has none. */
const fullPerMinute = 1200
/** What has no turn yet comes again within so many seconds after it could, spread over them. */
const spreadSeconds = 240
const minuteMs = 60_000
const manySenders = 10_000

/** What may be said of one sender domain; other trouble is the site's, whomever its reply names. */
const ofSender: ReadonlySet<OutcomeClass> = new Set([
  'rate',
  'spam-block',
  'spam-content',
  'domain-block',
  'sender-domain',
])

/** Whether a reply speaks of the sender domain of this mail and not of all that comes from us. */
export function isAboutSender({ reply, class: found }: Pick<Judgement, 'reply' | 'class'>, group: Group): boolean {
  const { account, senderDomain } = group.held.message
  if (reply.from !== 'remote' || account === null || group.route.kind !== 'mx' || !ofSender.has(found)) return false
  return !group.leased.some(({ entry }) => entry.domain === senderDomain) && names(reply, senderDomain)
}

/** As a whole name, and not the end of a longer one. */
function names({ text }: Reply, domain: DomainName): boolean {
  const said = text.toLowerCase()
  for (let at = said.indexOf(domain); at >= 0; at = said.indexOf(domain, at + 1)) {
    const end = at + domain.length
    if (!/[a-z0-9.-]/.test(said.charAt(at - 1)) && !/^(?:[a-z0-9-]|\.[a-z0-9])/.test(said.slice(end, end + 2)))
      return true
  }
  return false
}

export class SlowedSenders {
  readonly #parts: SlowedSendersParts
  /** Oldest first. */
  readonly #slowed = new Map<string, Slowed>()
  #turnedAway = 0

  constructor(parts: SlowedSendersParts) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#slowed.size === 0
  }

  /** Null: it rests already; attempts from before say nothing new. */
  slowDown(site: Where, domain: DomainName, evidence: Evidence): SlowedSender | null {
    const { clock, rest } = this.#parts
    const before = this.#find(site, domain)
    if (before !== undefined && before.restsUntil > clock.monotonic()) return null
    const refusedAt = before?.limit.value ?? firstPerMinute * 2
    const restMs = before === undefined || before.restMs === 0 ? rest.firstMs : before.restMs * 2
    const slowed: Slowed = {
      limit: lowered(before?.limit ?? null, { refusedAt, value: refusedAt / 2 }, evidence.at),
      evidence,
      restMs: Math.min(restMs, rest.maximumMs),
      restsUntil: clock.monotonic() + Math.min(restMs, rest.maximumMs),
      nextSlot: 0,
    }
    if (this.#slowed.size >= manySenders) this.#slowed.delete(this.#slowed.keys().next().value!)
    this.#slowed.delete(keyOf(site, domain))
    this.#slowed.set(keyOf(site, domain), slowed)
    this.#parts.onChange?.()
    return this.#told(domain, slowed)
  }

  /** Null: so many recipients may go, and count as gone. Else when they may be looked at again. */
  admit(site: Where, domain: DomainName, recipients: number): Instant | null {
    const slowed = this.#find(site, domain)
    if (slowed === undefined) return null
    const now = this.#parts.clock.monotonic()
    const from = Math.max(slowed.restsUntil, slowed.nextSlot)
    if (from > now) return this.#later(from - now)
    slowed.nextSlot = now + (recipients * minuteMs) / slowed.limit.value
    return null
  }

  /** Null: it doesn't rest, whatever its rate. */
  restOf(site: Where, domain: DomainName): Instant | null {
    const slowed = this.#find(site, domain)
    const leftMs = slowed === undefined ? 0 : slowed.restsUntil - this.#parts.clock.monotonic()
    return leftMs > 0 ? this.#later(leftMs) : null
  }

  /** The site took mail of that domain. */
  accepted(site: Where, domain: DomainName): void {
    const slowed = this.#find(site, domain)
    if (slowed === undefined) return
    const raised = raisedRate(slowed.limit, site.limits.rule.perMinute ?? fullPerMinute, this.#parts.clock.now())
    if (raised === slowed.limit && slowed.restMs === 0) return
    slowed.restMs = 0
    if (raised === null) this.#slowed.delete(keyOf(site, domain))
    else slowed.limit = raised
    this.#parts.onChange?.()
  }

  // ── Kept ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  get kept(): readonly KeptSender[] {
    return [...this.#slowed].map(([key, { limit, evidence, restMs, restsUntil }]) => {
      return { key, limit, evidence, restMs, restsUntil: this.#wallClock(restsUntil) }
    })
  }

  /** Before the first site. What was a rest is the rest of it; whatever the clock was meanwhile, no longer than one. */
  restore(kept: readonly KeptSender[]): void {
    const { clock, rest } = this.#parts
    for (const { key, limit, evidence, restMs, restsUntil } of kept.slice(-manySenders)) {
      if (isForgotten(limit, clock.now())) continue
      const leftMs = restsUntil === null ? 0 : Math.min(restsUntil - clock.now(), rest.maximumMs)
      const ends = leftMs > 0 ? clock.monotonic() + leftMs : 0
      this.#slowed.set(key, { limit, evidence, restMs, restsUntil: ends, nextSlot: 0 })
    }
  }

  /** One try at once, as an operator wants: should that be refused, the rest lasts longer. */
  probe(): void {
    for (const slowed of this.#slowed.values()) slowed.restsUntil = slowed.nextSlot = 0
  }

  /** By the name of its site or provider, as in `slowedAt`; null: it is not slowed. */
  named(where: string, domain: DomainName): SlowedSender | null {
    const slowed = this.#slowed.get(`${where} ${domain}`)
    return slowed === undefined ? null : this.#told(domain, slowed)
  }

  /** Those that a site wants less from. */
  at(site: Where): readonly SlowedSender[] {
    if (this.#slowed.size === 0) return []
    const start = keyOf(site, '')
    const found = [...this.#slowed].filter(([key]) => key.startsWith(start))
    return found.map(([key, slowed]) => this.#told(key.slice(start.length), slowed))
  }

  #find(site: Where, domain: DomainName): Slowed | undefined {
    if (this.#slowed.size === 0) return undefined
    const slowed = this.#slowed.get(keyOf(site, domain))
    if (slowed === undefined || !isForgotten(slowed.limit, this.#parts.clock.now())) return slowed
    this.#slowed.delete(keyOf(site, domain))
    return undefined
  }

  /** Not all at one moment: each costs a claim. */
  #later(forMs: number): Instant {
    return Math.ceil(this.#parts.clock.now() + forMs) + (this.#turnedAway++ % spreadSeconds) * 1000
  }

  #told(domain: DomainName, { limit, restsUntil, evidence }: Slowed): SlowedSender {
    const { reply, at } = evidence
    return { domain, perMinute: limit.value, restsUntil: this.#wallClock(restsUntil), reply, at }
  }

  /** Of a monotonic moment; null: it is past. */
  #wallClock(moment: number): Instant | null {
    const { clock } = this.#parts
    const leftMs = moment - clock.monotonic()
    return leftMs > 0 ? Math.round(clock.now() + leftMs) : null
  }
}

/** Receivers count a sender domain over all their hosts and all our addresses. */
function keyOf({ name, limits }: Where, domain: DomainName): string {
  return `${limits.shared ?? name} ${domain}`
}

/** `waitsFor` of an entry. */
export function slowedAt({ name, limits }: Where, domain: DomainName): string {
  return `sender domain ${domain} at ${limits.shared ?? name}`
}
