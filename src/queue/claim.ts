/**
 * Takes due entries out of the queue whenever there are any and the taker has room.
 *
 * Wakes on a word from outside (`wake`, `waiting`, `roomFreed`) or at the moment the store names; never polls. Claims
 * that fail are logged and tried again after a pause; the loop ends only with `stop`.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Instant } from '../mail/ids.ts'
import type { Lease, LeasedEntry, Store } from '../store/store.ts'

export interface ClaimsOptions {
  readonly store: Pick<Store, 'claim' | 'nextDueAt'>
  readonly clock: Clock
  readonly log: Log
  /** The lease for entries taken now. */
  lease(): Lease
  /** How many entries can be taken now; 0 while nothing may be attempted, or so few that a claim isn't worth its commit. */
  room(): number
  take(entries: readonly LeasedEntry[], lease: Lease): void
}

/** Entries of one claim: few enough for one short transaction, many enough that its commit costs little each. */
const claimAtOnce = 200
/** Of these, entries of one recipient domain. */
const claimPerDomain = 100
/** Between claims that found the queue empty or nearly so: at most 50 transactions a second for single entries. */
const gapMs = 20
/** After an error, or when the store says that something is due and gives nothing. */
const pauseMs = 1000

export class Claims {
  readonly #options: ClaimsOptions
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null
  #underWay: Promise<void> | null = null
  #wanted = false
  #hungry = false
  #lastClaimAt = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  /** Something may be due that wasn't before. */
  wake(): void {
    this.#wakeIn(0)
  }

  /** Something is due then. */
  waiting(nextDueAt: Instant): void {
    this.#wakeIn(nextDueAt - this.#options.clock.now())
  }

  /** The taker has room again. */
  roomFreed(): void {
    if (this.#hungry && this.#options.room() > 0) this.wake()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = null
    await this.#underWay
  }

  /** Sets the timer unless an earlier one stands. */
  #wakeIn(ms: number): void {
    if (this.#stopped) return
    const now = this.#options.clock.monotonic()
    const at = Math.max(now + ms, this.#lastClaimAt + gapMs)
    if (this.#timer !== null && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = null
    if (at <= now) this.#ring()
    else this.#timer = { at, cancel: this.#options.clock.after(Math.ceil(at - now), () => this.#ring()) }
  }

  #ring(): void {
    this.#timer = null
    if (this.#underWay === null) this.#start()
    else this.#wanted = true
  }

  #start(): void {
    this.#underWay = this.#claimAll()
      .catch(error => this.#failed(error))
      .finally(() => {
        this.#underWay = null
        if (this.#wanted) this.wake()
      })
  }

  /** Claims until the queue has nothing due or the taker no room. */
  async #claimAll(): Promise<void> {
    const { store, clock, room, take, lease } = this.#options
    for (;;) {
      this.#wanted = false
      const limit = Math.min(room(), claimAtOnce)
      this.#hungry = limit <= 0
      if (this.#hungry || this.#stopped) return
      this.#lastClaimAt = clock.monotonic()
      const until = lease()
      const claimed = await store.claim({ now: clock.now(), lease: until, limit, perDomain: claimPerDomain })
      if (claimed.length > 0) take(claimed, until)
      if (claimed.length < limit) return this.#waitForNext(claimed.length === 0)
    }
  }

  async #waitForNext(foundNothing: boolean): Promise<void> {
    const { store, clock } = this.#options
    const nextDueAt = await store.nextDueAt()
    if (nextDueAt === null) return
    const ms = nextDueAt - clock.now()
    this.#wakeIn(foundNothing && ms <= 0 ? pauseMs : ms)
  }

  #failed(error: unknown): void {
    this.#options.log.warn({ err: error }, 'due entries could not be claimed')
    this.#wakeIn(pauseMs)
  }
}
