/**
 * One site and the groups that wait for it: its limits (`site-limits.ts`, maybe shared with others), closed until when.
 *
 * Plain state over a clock; who starts what is decided in `site-ring.ts`. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { AccountId, DomainName, Instant } from '../mail/ids.ts'
import type { SiteRule } from '../policy/site-rules.ts'
import type { LeasedEntry } from '../store/store.ts'
import type { Crowd } from './crowd.ts'
import type { HeldMessage } from './held-message.ts'
import type { Route } from './route.ts'
import type { Evidence, LimitsState, SiteLimits } from './site-limits.ts'
import type { SlowedSender } from './slowed-senders.ts'
import { Turns } from './turns.ts'
import type { TakenPlace } from './warm-up-gate.ts'

/** Entries of one message that travel to one site in one transaction. */
export interface Group {
  readonly held: HeldMessage
  readonly leased: readonly LeasedEntry[]
  readonly route: Route
  /** Under warm-ups, one for each entry in each of them; given back when they aren't tried. */
  readonly places?: readonly TakenPlace[]
}

/** What closed a site; known until it takes mail again. */
export interface SiteClosing extends Evidence {
  /** How often it was closed since it last took any. */
  readonly times: number
  /** That said so; null: no host was reached, or another worker was told. */
  readonly host: string | null
}

/** A site as console and metrics see it: plain data. */
export interface SiteState {
  /** As in `AttemptFacts`. */
  readonly site: string
  /** Attempts under way. */
  readonly running: number
  /** Entries in memory that wait for their turn. */
  readonly waiting: number
  readonly closedUntil: Instant | null
  /** While `closedUntil` is null one connection tries whether it is open. */
  readonly closing: SiteClosing | null
  /** Before then its rate lets nothing start; null: it would now. */
  readonly nextSlotAt: Instant | null
  /** Attempts that may begin now as far as connections go: its own, and those of all who share its limits. */
  readonly free: number
  readonly rule: SiteRule
  /** Sender domains that it wants less from. */
  readonly senders: readonly SlowedSender[]
  /** In force now: what the rule allows, less what the site's answers have taught. */
  readonly limits: LimitsState
}

export interface Closing {
  /** `queue.siteClosed` and `queue.siteClosedMaximum`, ms. */
  readonly firstMs: number
  readonly maximumMs: number
}

/** What another worker's attempt at a site takes that was closed. */
const afterOthersMs = 10_000
/** More parked lanes than this are looked through for those that have opened meanwhile. */
const manyLanes = 1000

export class Site {
  readonly key: string
  readonly name: string
  readonly limits: SiteLimits
  /** The one that fits its hosts; of limits that are shared another one may have the numbers. */
  readonly rule: SiteRule
  readonly #clock: Clock
  /** All that waits here; of those who share limits only while it may start nothing itself (`crowd.ts`). */
  readonly #turns = new Turns()
  #waiting = 0
  #running = 0
  /** Monotonic moment: a wall clock that is set must neither open nor close it. */
  #closedUntil = 0
  /** How long it was closed last; 0 after a success. */
  #closedMs = 0
  #closing: SiteClosing | null = null
  /** No more than those that were under way when it turned one away … */
  #atMost = Number.POSITIVE_INFINITY
  /** … and how many connections that were, with all who share its limits. */
  #refused: { readonly connections: number; readonly evidence: Evidence } | null = null
  #refusals = 0
  /** Recipient domains whose lanes are parked in the store, and until which monotonic moment. */
  readonly #parked = new Map<DomainName, number>()
  /** Those of them that an operator's retry may have opened. */
  readonly #unsure = new Set<DomainName>()
  /** Address → monotonic moment until which it is tried last. */
  readonly #silent = new Map<string, number>()

  constructor(route: Pick<Route, 'key' | 'site'>, limits: SiteLimits, clock: Clock, rule = limits.rule) {
    this.key = route.key
    this.name = route.site
    this.limits = limits
    this.rule = rule
    this.#clock = clock
  }

  // ── Waiting groups ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Entries that wait here. */
  get waiting(): number {
    return this.#waiting
  }

  /** Of that rank and more urgent ones; not of a site that shares its limits. */
  waitingOf(account: AccountId | null, rank?: number): number {
    return this.#turns.waitingOf(account, rank)
  }

  get running(): number {
    return this.#running
  }

  push(group: Group): void {
    this.#waiting += group.leased.length
    if (this.limits.crowd === null) this.#turns.push(group)
    else this.limits.crowd.add(group)
  }

  /** Those that wait at the site itself: not with others in a crowd. */
  groups(): Iterable<Group> {
    return this.#turns.groups()
  }

  /** As far as the site itself goes; limits that it shares may say otherwise. */
  get mayStart(): boolean {
    return this.#running < this.connections && this.closedUntil === null
  }

  get hasNext(): boolean {
    return this.#waiting > 0 && this.mayStart
  }

  /** The group whose turn it is; undefined: none waits. Whoever takes it begins it. */
  take(): Group | undefined {
    return this.#turns.take()
  }

  /** Takes a place of the limits. */
  begin(group: Group): void {
    this.#waiting -= group.leased.length
    this.limits.crowd?.countOut(group)
    this.#running++
    this.limits.start(group.leased.length)
  }

  finish(): void {
    this.#running--
    this.limits.finish()
  }

  /** It is its turn among those who share its limits, but it may not start: it keeps what it has until then. */
  waitAside(crowd: Crowd, next: Group): void {
    for (const group of [next, ...crowd.takeOf(this)]) this.#turns.push(group)
  }

  /** It takes turns with the others again, if it may. */
  rejoin(crowd: Crowd): void {
    if (this.#turns.waiting === 0 || !this.mayStart) return
    for (const group of this.#turns.drain()) crowd.bringBack(group)
  }

  /** All waiting groups, taken out. */
  drain(): Group[] {
    const { crowd } = this.limits
    const groups = [...this.#turns.drain(), ...(crowd?.takeOf(this) ?? [])]
    for (const group of groups) crowd?.countOut(group)
    this.#waiting = 0
    return groups
  }

  // ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Attempts it may have at once: a site that was closed is tried with one until that one succeeds. */
  get connections(): number {
    return this.#closedMs > 0 ? 1 : Math.min(this.limits.connections, this.#atMost)
  }

  /** Entries that may wait in memory: what `share` allows, and no more than the rate can send in that time. */
  bound(share: number, withinMs: number): number {
    const { perMinute } = this.limits
    return perMinute === null ? share : Math.min(share, Math.max(1, Math.floor((perMinute * withinMs) / 60_000)))
  }

  // ── Closed until ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Wall clock; null: open. */
  get closedUntil(): Instant | null {
    const leftMs = this.#closedUntil - this.#clock.monotonic()
    return leftMs > 0 ? Math.round(this.#clock.now() + leftMs) : null
  }

  /** How long it was closed last; 0 after a success. */
  get closedMs(): number {
    return this.#closedMs
  }

  /** Twice as long as the last time, unless something succeeded in between. False: it is closed already. */
  close({ firstMs, maximumMs }: Closing, said: Evidence | null = null, host: string | null = null): boolean {
    if (this.closedUntil !== null) return false
    this.#noteClosing(said, host)
    this.#closedMs = Math.min(this.#closedMs === 0 ? firstMs : this.#closedMs * 2, maximumMs)
    this.#closedUntil = this.#clock.monotonic() + this.#closedMs
    this.#awaitNobody()
    return true
  }

  /** Another worker's closing: a little longer, so that one of them tries whether it is open, and not all at once. */
  closeWithOthers(forMs: number, said: Evidence): void {
    this.#noteClosing(said, null)
    this.#closedMs = Math.max(this.#closedMs, forMs)
    this.#closedUntil = Math.max(this.#closedUntil, this.#clock.monotonic() + forMs + afterOthersMs)
    this.#awaitNobody()
  }

  /** Another worker found it open. */
  openWithOthers(): void {
    this.#closing = null
    this.#closedMs = 0
    this.#closedUntil = 0
  }

  #noteClosing(said: Evidence | null, host: string | null): void {
    if (said !== null) this.#closing = { ...said, host, times: (this.#closing?.times ?? 0) + 1 }
  }

  /**
   * It turned a connection away while others were under way: whether it takes no more than those, or is going down, they
   * will tell. False: there are no others.
   */
  awaitOthers(evidence: Evidence): boolean {
    if (this.closedUntil !== null) return true
    if (this.#running <= 1) return false
    this.#refused = { connections: this.limits.running - 1, evidence }
    this.#atMost = Math.min(this.#atMost, this.#running - 1)
    return true
  }

  /** How many connections it takes, if it had turned one away; null: it had not. */
  othersSucceeded(): { readonly connections: number; readonly evidence: Evidence } | null {
    const found = this.#refused
    if (found !== null) this.#awaitNobody()
    this.#refusals = 0
    return found
  }

  #awaitNobody(): void {
    this.#refused = null
    this.#atMost = Number.POSITIVE_INFINITY
  }

  /** It refused mail once more; answers how often since the last success. */
  refused(): number {
    return ++this.#refusals
  }

  /** It was closed, and nothing succeeded since: a refusal says what it said before, not that it gets too much now. */
  get isOnTrial(): boolean {
    return this.#closedMs > 0 && this.closedUntil === null
  }

  /**
   * One connection may try it now; should that fail, it closes for twice as long as the last time. The store opened lanes
   * with retried mail only: the others open when the site takes it.
   */
  probe(): void {
    this.#closedUntil = 0
    for (const domain of this.#parked.keys()) this.#unsure.add(domain)
  }

  /**
   * The site answers as it should. True: it did not before. While it is closed only attempts from before can end; they
   * say nothing about what closed it.
   */
  succeed(): boolean {
    if (this.#closedMs === 0 || this.closedUntil !== null) return false
    this.#closedMs = 0
    this.#closing = null
    return true
  }

  // ── Lanes and addresses ───────────────────────────────────────────────────────────────────────────────────────────

  /** Those of the domains that aren't parked for long enough already; they count as parked from now on. */
  park(domains: Iterable<DomainName>, until: Instant): DomainName[] {
    const now = this.#clock.monotonic()
    const forMs = until - this.#clock.now()
    const enough = now + forMs / 2
    if (this.#parked.size > manyLanes) this.#forgetOpenLanes(now)
    const fresh = [...new Set(domains)].filter(
      domain => this.#unsure.has(domain) || (this.#parked.get(domain) ?? 0) < enough,
    )
    for (const domain of fresh) {
      this.#unsure.delete(domain)
      this.#parked.set(domain, now + forMs)
    }
    return fresh
  }

  /** The lanes that are parked now; none counts as parked any more. */
  unpark(): DomainName[] {
    this.#forgetOpenLanes(this.#clock.monotonic())
    const domains = [...this.#parked.keys()]
    this.#parked.clear()
    this.#unsure.clear()
    return domains
  }

  /** Those of them that are parked. */
  parkedAmong(domains: ReadonlySet<DomainName>): DomainName[] {
    const now = this.#clock.monotonic()
    return [...this.#parked].flatMap(([domain, until]) =>
      until > now && domains.has(domain) && !this.#unsure.has(domain) ? [domain] : [],
    )
  }

  get hasParked(): boolean {
    return this.#parked.size > 0
  }

  #forgetOpenLanes(now: number): void {
    for (const [domain, until] of this.#parked) {
      if (until > now) continue
      this.#parked.delete(domain)
      this.#unsure.delete(domain)
    }
  }

  /** An address that could not be connected to; the others go first for a while. */
  noteSilent(address: string, forMs: number): void {
    this.#silent.set(address, this.#clock.monotonic() + forMs)
  }

  get hasSilent(): boolean {
    return this.#silent.size > 0
  }

  isSilent(address: string): boolean {
    const until = this.#silent.get(address)
    if (until === undefined) return false
    if (until <= this.#clock.monotonic()) this.#silent.delete(address)
    return until > this.#clock.monotonic()
  }

  get inUse(): boolean {
    return this.#running > 0 || this.waiting > 0
  }

  get state(): Omit<SiteState, 'senders'> {
    const { name: site, running, waiting, closedUntil, limits } = this
    const { paceMs, rule } = limits
    const nextSlotAt = paceMs > 0 ? Math.ceil(this.#clock.now() + paceMs) : null
    const closed = { closedUntil, closing: this.#closing }
    const free = Math.max(0, Math.min(this.connections - running, limits.free))
    return { site, running, waiting, ...closed, nextSlotAt, free, rule, limits: limits.state }
  }
}
