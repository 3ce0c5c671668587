/**
 * The limits of a site as they are now: what its rule allows, less what its answers have taught us.
 *
 * One for each site, or one for all sites of a provider (`shared` in the rule). Connections and rate give way when the site
 * says so and come back while it accepts (`policy/adaptive-limit.ts`); a number of messages after which it hangs up three
 * times in a row is taken for its limit. Only what is really used is raised: an idle site proves nothing (RFC 7661).
 * A site of which nothing is known begins with few connections (`policy/slow-start.ts`).
 * Plain state over a clock. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { Instant } from '../mail/ids.ts'
import {
  type AdaptedLimit,
  forgetMs,
  isForgotten,
  isJustLowered,
  lowered,
  raisedCount,
  raisedRate,
  resumed,
} from '../policy/adaptive-limit.ts'
import type { SiteRule } from '../policy/site-rules.ts'
import { SlowStart } from '../policy/slow-start.ts'
import { Crowd } from './crowd.ts'

/** What was said when limits were lowered last. */
export interface Evidence {
  readonly reply: string
  readonly class: string
  readonly at: Instant
}

/** What a site has taught us; plain data, kept across restarts. */
export interface Learned {
  readonly connections: AdaptedLimit | null
  readonly rate: AdaptedLimit | null
  readonly messages: { readonly value: number; readonly at: Instant } | null
  readonly evidence: Evidence | null
}

/** The limits in force, as plain data. */
export interface LimitsState {
  /** The provider whose limits these are, shared by all its sites; null: the site's own. */
  readonly shared: string | null
  readonly connections: number
  readonly messagesPerConnection: number
  readonly perMinute: number | null
  /** Nothing is known of it: `connections` are few, and widen with each message it takes. */
  readonly slowStart: boolean
  /** What made them lower than the rule's, and when that is forgotten unless it is said again; null: nothing did. */
  readonly adapted: (Evidence & { readonly until: Instant }) | null
}

/** What limits a site: its rule, and whose it is. */
export interface LimitsOptions {
  readonly key: string
  readonly rule: SiteRule
  /** The provider whose sites share them; null: they are one site's own. */
  readonly shared: string | null
  readonly clock: Clock
  readonly learned?: Learned | undefined
  /** Connections at first contact; absent: all of the rule's, for it is known. */
  readonly first?: number | undefined
}

const minuteMs = 60_000
/** Beyond a hundred a second a rate of ours is no limit any more. */
const fastest = 6000
/** Where a site has hardly taken anything, the first rate is one in ten seconds. */
const slowestFirst = 6
const gentle = 0.7
/** Hanging up after the same number so often in a row is a limit, and no accident. */
const timesToBelieve = 3
/** What is left to a rate that was used: less than half of it taken proves nothing. */
const used = 0.5

export class SiteLimits {
  readonly key: string
  readonly rule: SiteRule
  readonly shared: string | null
  /** Null: they are one site's own, which knows what waits there. */
  readonly crowd: Crowd | null
  readonly #clock: Clock
  #running = 0
  /** Monotonic moment of the next free slot of the rate. */
  #nextSlot = 0
  readonly #slowStart: SlowStart
  #connections: AdaptedLimit | null = null
  /** As they were before the last cut. */
  #connectionsBefore: AdaptedLimit | null = null
  #rate: AdaptedLimit | null = null
  #messages: Learned['messages'] = null
  #evidence: Evidence | null = null
  /** The number of messages it hung up after, and how often in a row. */
  #hungUp = { after: 0, times: 0 }
  /** Monotonic start of the minute that counts, what it and the one before accepted. */
  #minuteStart = 0
  #accepted = 0
  #acceptedBefore = 0
  #acceptedSinceCut = 0
  #mostRunning = 0
  /** What mail waits for that came while enough waited in memory and that no lane holds back; null: there is none. */
  #turnedAway: string | null = null

  constructor({ key, rule, shared, clock, learned, first = rule.connections }: LimitsOptions) {
    this.key = key
    this.rule = rule
    this.shared = shared
    this.crowd = shared === null ? null : new Crowd(this)
    this.#clock = clock
    this.#minuteStart = clock.monotonic()
    this.#slowStart = new SlowStart(first, rule.connections)
    if (learned) this.#restore(learned)
  }

  // ── In force ──────────────────────────────────────────────────────────────────────────────────────────────────────

  get running(): number {
    return this.#running
  }

  get connections(): number {
    return Math.min(this.#connections?.value ?? this.rule.connections, this.#slowStart.connections)
  }

  get perMinute(): number | null {
    if (this.#rate === null) return this.rule.perMinute
    return Math.min(this.#rate.value, this.rule.perMinute ?? fastest)
  }

  get messagesPerConnection(): number {
    return Math.min(this.#messages?.value ?? this.rule.messagesPerConnection, this.rule.messagesPerConnection)
  }

  /** Places for attempts now. */
  get free(): number {
    return this.connections - this.#running
  }

  /** How long until the rate lets another group start; 0: now. */
  get paceMs(): number {
    return this.perMinute === null ? 0 : Math.max(0, this.#nextSlot - this.#clock.monotonic())
  }

  /** Every recipient takes a slot: a transaction of many must not slip by as one (design section 6: smooth). */
  start(recipients: number): void {
    this.#running++
    if (this.#running > this.#mostRunning) this.#mostRunning = this.#running
    const { perMinute } = this
    if (perMinute === null) return
    this.#nextSlot = Math.max(this.#nextSlot, this.#clock.monotonic()) + (recipients * minuteMs) / perMinute
  }

  finish(): void {
    this.#running--
  }

  noteTurnedAway(waitsFor: string): void {
    this.#turnedAway = waitsFor
  }

  /** Once, for whoever brings it back. */
  takeTurnedAway(): string | null {
    const waitsFor = this.#turnedAway
    this.#turnedAway = null
    return waitsFor
  }

  // ── What it accepts ───────────────────────────────────────────────────────────────────────────────────────────────

  /** True: that raised a limit. */
  accepted(recipients: number): boolean {
    this.#turnMinute()
    this.#accepted += recipients
    this.#slowStart.widen(this.#running)
    if (this.#connections === null && this.#rate === null) return false
    this.#acceptedSinceCut += recipients
    return this.#raise()
  }

  /** It was met before, and got all connections it may. */
  get isKnown(): boolean {
    return this.#slowStart.isOver
  }

  /** It was away: as if it had never been met. Not for what many sites share. */
  startAnew(): void {
    if (this.shared === null && this.#connections === null) this.#slowStart.again()
  }

  /** Recipients it took within the last minute, about. */
  get acceptedLately(): number {
    this.#turnMinute()
    const left = 1 - (this.#clock.monotonic() - this.#minuteStart) / minuteMs
    return Math.round(this.#accepted + this.#acceptedBefore * left)
  }

  #turnMinute(): void {
    const passed = this.#clock.monotonic() - this.#minuteStart
    if (passed < minuteMs) return
    this.#acceptedBefore = passed < 2 * minuteMs ? this.#accepted : 0
    this.#accepted = 0
    this.#mostRunning = this.#running
    this.#minuteStart += Math.floor(passed / minuteMs) * minuteMs
  }

  #raise(): boolean {
    const now = this.#clock.now()
    const [connections, rate] = [this.#connections, this.#rate]
    this.#forgetOld(now)
    if (this.#connections !== null && this.#mostRunning >= this.#connections.value)
      this.#connections = raisedCount(this.#connections, this.rule.connections, now)
    if (this.#rate !== null && this.acceptedLately >= this.#rate.value * used)
      this.#rate = raisedRate(this.#rate, this.rule.perMinute ?? fastest, now)
    return connections?.value !== this.#connections?.value || rate?.value !== this.#rate?.value
  }

  /** It takes mail again after it was closed. */
  resume(): void {
    if (this.#rate !== null) this.#rate = resumed(this.#rate, this.#clock.now())
  }

  #forgetOld(now: Instant): void {
    if (this.#connections !== null && isForgotten(this.#connections, now)) this.#connections = null
    if (this.#rate !== null && isForgotten(this.#rate, now)) this.#rate = null
    if (this.#messages !== null && now - this.#messages.at >= forgetMs) this.#messages = null
  }

  // ── What it refuses ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * It gets too much: half as many connections, and a rate below the one that was refused. Without a rate so far it is
   * what was taken within the last minute: a site that counts takes no more, one that doesn't will have it raised soon.
   * False: that was said already, or it was sent nothing since.
   */
  slowDown(evidence: Evidence): boolean {
    const { at } = evidence
    const { perMinute, acceptedLately } = this
    if (this.#rate !== null && (isJustLowered(this.#rate, at) || this.#acceptedSinceCut === 0)) return false
    const refusedAt = Math.max(1, Math.min(perMinute ?? Number.POSITIVE_INFINITY, this.#burst(acceptedLately)))
    const least = this.#rate === null ? Math.min(slowestFirst, perMinute ?? slowestFirst) : 1
    this.#rate = lowered(this.#rate, { refusedAt, value: Math.max(least, refusedAt * gentle) }, at)
    this.#acceptedSinceCut = 0
    this.#lowerConnections(Math.min(this.connections, this.#mostRunning) / 2, at)
    this.#evidence = evidence
    return true
  }

  /** Under a rate that was adapted the rate itself is what was refused, however little of it was used. */
  #burst(acceptedLately: number): number {
    return this.#rate === null ? acceptedLately : this.#rate.value
  }

  /** No more than so many connections. False: there are no more anyway. */
  fewerConnections(value: number, evidence: Evidence): boolean {
    if (value >= this.connections || this.connections === 1) return false
    this.#lowerConnections(value, evidence.at)
    this.#evidence = evidence
    return true
  }

  /** It takes no connection at all now: that it took fewer a moment ago was how it went down, and no limit. */
  wentDown(): void {
    if (this.#connections !== null && isJustLowered(this.#connections, this.#clock.now()))
      this.#connections = this.#connectionsBefore
    this.startAnew()
  }

  /**
   * Another worker was refused. The site counts all of us, so that is true of what this one sends too: it gives way as if
   * it had been told itself; if it sends nothing there, with what the other has learned. False: nothing changed.
   */
  hear({ connections, rate, messages }: Learned, evidence: Evidence): boolean {
    const before = [this.#connections, this.#rate, this.#messages]
    if (rate !== null && this.acceptedLately > 0) this.slowDown(evidence)
    if (rate !== null) this.#rate ??= rate
    if (connections !== null) this.#hearConnections(connections, evidence)
    if (messages !== null && messages.value < this.messagesPerConnection) this.#messages = messages
    const changed = before.some((one, n) => one !== [this.#connections, this.#rate, this.#messages][n])
    if (changed) this.#evidence = evidence
    return changed
  }

  #hearConnections(heard: AdaptedLimit, evidence: Evidence): void {
    if (this.#mostRunning > 0) this.fewerConnections(this.#mostRunning, evidence)
    else if (this.#connections === null && heard.value < this.rule.connections) this.#connections = heard
    else return
    this.#slowStart.end()
  }

  /** It stalls: half as many connections, once a minute at most. */
  halveConnections(evidence: Evidence): boolean {
    if (this.#connections !== null && isJustLowered(this.#connections, evidence.at)) return false
    return this.fewerConnections(Math.min(this.connections, this.#mostRunning) / 2, evidence)
  }

  #lowerConnections(value: number, at: Instant): void {
    if (this.connections === 1) return
    if (this.#connections === null || !isJustLowered(this.#connections, at)) this.#connectionsBefore = this.#connections
    const floor = Math.max(1, Math.floor(value))
    const refusedAt = Math.max(floor + 1, Math.min(this.connections, this.#mostRunning))
    this.#connections = lowered(this.#connections, { refusedAt, value: floor }, at)
    this.#slowStart.end()
  }

  /** A connection was closed by the other side right after that many messages. True: that is its limit now. */
  hungUpAfter(messages: number): boolean {
    const same = this.#hungUp.after === messages
    this.#hungUp = { after: messages, times: same ? this.#hungUp.times + 1 : 1 }
    if (this.#hungUp.times < timesToBelieve || messages >= this.messagesPerConnection) return false
    const at = this.#clock.now()
    this.#messages = { value: messages, at }
    this.#evidence = { reply: `closed ${timesToBelieve} times after ${messages} messages`, class: 'none', at }
    return true
  }

  // ── Seen and kept ─────────────────────────────────────────────────────────────────────────────────────────────────

  get learned(): Learned | null {
    this.#forgetOld(this.#clock.now())
    if (this.#connections === null && this.#rate === null && this.#messages === null) return null
    return { connections: this.#connections, rate: this.#rate, messages: this.#messages, evidence: this.#evidence }
  }

  /** What was said when they were lowered last. */
  get evidence(): Evidence | null {
    return this.#evidence
  }

  #restore({ connections, rate, messages, evidence }: Learned): void {
    this.#connections = connections
    this.#rate = rate
    this.#messages = messages
    this.#evidence = evidence
    if (connections !== null || rate !== null) this.#slowStart.end()
    this.#forgetOld(this.#clock.now())
  }

  get state(): LimitsState {
    const { shared, connections, messagesPerConnection, perMinute } = this
    const slowStart = !this.isKnown
    return { shared, connections, messagesPerConnection, perMinute, slowStart, adapted: this.#adapted }
  }

  get #adapted(): LimitsState['adapted'] {
    const learned = this.learned
    if (learned === null) return null
    const said = [learned.connections?.loweredAt, learned.rate?.loweredAt, learned.messages?.at]
    const at = Math.max(...said.map(one => one ?? 0))
    const evidence = this.#evidence ?? { reply: '', class: 'none', at }
    return { ...evidence, until: at + forgetMs }
  }
}
