/**
 * Whether outcomes can be written down: while they can't, nothing may be sent.
 *
 * Asks the store's health twice a second while there is work, and once a second while it is bad; nobody waits for the
 * answer but the first attempt after a quiet time. Opens by itself. Never fails.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { deliveryPaused, deliveryResumed } from '../outcome/delivery-log.ts'
import type { Store } from '../store/store.ts'

export interface StoreGateParts {
  readonly store: Pick<Store, 'health'>
  readonly clock: Clock
  readonly log: Log
  /** Outcomes that the settler could not write so far; it tells the log of that itself. */
  unsettled(): number
  /** Someone was turned away, and now may pass. */
  onOpen(): void
}

/** An answer counts this long; the next one is asked for at half of it, so that a busy worker never waits. */
const validMs = 1000

export class StoreGate {
  readonly #parts: StoreGateParts
  #writable = true
  #askedAt = Number.NEGATIVE_INFINITY
  #asking = false
  #awaited = false
  #stopped = false
  #cancel: Cancel | null = null

  constructor(parts: StoreGateParts) {
    this.#parts = parts
  }

  /** As far as known: good enough for taking mail over, which then waits for `isOpen`. */
  get writable(): boolean {
    return this.#writable && this.#parts.unsettled() === 0
  }

  /** Whether something may be sent now. */
  get isOpen(): boolean {
    const age = this.#parts.clock.monotonic() - this.#askedAt
    const open = this.writable && age < validMs
    if (!open) this.#awaited = true
    if (age >= validMs / 2) this.#ask()
    else if (!open) this.#askLater()
    return open
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #ask(): void {
    if (this.#stopped || this.#asking || this.#cancel !== null) return
    this.#asking = true
    this.#parts.store
      .health()
      .then(({ writable, reason }) => this.#answered(writable, reason))
      .catch(error => this.#answered(false, String(error)))
  }

  #askLater(): void {
    if (this.#stopped || this.#asking) return
    this.#cancel ??= this.#parts.clock.after(validMs, () => {
      this.#cancel = null
      this.#ask()
    })
  }

  #answered(writable: boolean, reason: string | null): void {
    this.#asking = false
    this.#askedAt = this.#parts.clock.monotonic()
    this.#tell(writable, reason)
    this.#writable = writable
    if (!this.#awaited) return
    if (!this.writable) this.#askLater()
    else {
      this.#awaited = false
      this.#parts.onOpen()
    }
  }

  #tell(writable: boolean, reason: string | null): void {
    if (this.#writable && !writable) deliveryPaused(this.#parts.log, { reason: reason ?? "the store can't be written" })
    if (!this.#writable && writable) deliveryResumed(this.#parts.log)
  }
}
