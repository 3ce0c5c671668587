/**
 * The entries in one worker's hands: whoever holds them keeps their leases from running out.
 *
 * One timer for all. A renewal that fails is tried again at the next tick, and logged when the one before had not failed;
 * the janitor leaves leases alone after such trouble. An entry that is forgotten here comes back into the queue when its lease runs out.
 */
import type { Cancel, Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AccountId, EntryId, Instant } from '../mail/ids.ts'
import type { Lease, LeasedEntry, Store } from '../store/store.ts'

export interface LeaseOptions {
  readonly store: Pick<Store, 'renew'>
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  /** `queue.lease`, ms. */
  readonly leaseMs: number
}

/** How long what nobody here holds yet may still be on its way into these hands: its commit was a moment ago. */
const onItsWayMs = 5000

interface Claimed {
  readonly entry: Pick<LeasedEntry['entry'], 'id' | 'nextAttemptAt'>
  readonly message: Pick<LeasedEntry['message'], 'account'>
}

interface Held {
  readonly account: AccountId | null
  /** At least until when the lease runs. */
  until: Instant
  /** When it was due, if a second claim brought it. */
  againDueAt: Instant | null
}

export class Leases {
  readonly #options: LeaseOptions
  readonly #held = new Map<EntryId, Held>()
  readonly #byAccount = new Map<AccountId | null, number>()
  /** Until which monotonic moment it counts. */
  readonly #recalled = new Map<EntryId, number>()
  readonly #cancel: Cancel
  #failing = false

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#cancel = options.clock.every(options.leaseMs / 4, () => void this.#renewSome())
  }

  /** A lease for entries taken now. */
  next(): Lease {
    const { clock, owner, leaseMs } = this.#options
    return { owner, until: clock.now() + leaseMs }
  }

  /**
   * False when it is held already: its lease ran out under an attempt, which must not be made twice; or it is on its way
   * back, and the claim was faster than the word that it had arrived. `drop` tells of it.
   */
  hold({ entry: { id, nextAttemptAt }, message: { account } }: Claimed, until: Instant): boolean {
    const known = this.#held.get(id)
    if (known) {
      known.until = until
      known.againDueAt = nextAttemptAt
    } else {
      this.#held.set(id, { account, until, againDueAt: null })
      this.#byAccount.set(account, this.heldBy(account) + 1)
    }
    return known === undefined
  }

  /** An operator wants them back: they must not be sent. Those that are held here count until they are dropped. */
  recall(entries: readonly EntryId[]): void {
    const now = this.#options.clock.monotonic()
    for (const [entry, until] of this.#recalled) if (until <= now) this.#recalled.delete(entry)
    for (const entry of entries)
      this.#recalled.set(entry, this.#held.has(entry) ? Number.POSITIVE_INFINITY : now + onItsWayMs)
  }

  /** Costs a comparison while nothing is recalled. */
  areRecalled(entries: readonly { readonly entry: { readonly id: EntryId } }[]): boolean {
    if (this.#recalled.size === 0) return false
    const now = this.#options.clock.monotonic()
    return entries.some(({ entry }) => (this.#recalled.get(entry.id) ?? 0) > now)
  }

  /**
   * Given back, settled, or lost. Answers when it was due, if a second claim brought it meanwhile: where it is still
   * queued, its lease is this owner's and nobody works on it.
   */
  drop(entry: EntryId): Instant | null {
    if (this.#recalled.size > 0) this.#recalled.delete(entry)
    const held = this.#held.get(entry)
    if (held === undefined) return null
    this.#held.delete(entry)
    const left = this.heldBy(held.account) - 1
    if (left > 0) this.#byAccount.set(held.account, left)
    else this.#byAccount.delete(held.account)
    return held.againDueAt
  }

  /** Entries of one account; null: the relay's own. */
  heldBy(account: AccountId | null): number {
    return this.#byAccount.get(account) ?? 0
  }

  get size(): number {
    return this.#held.size
  }

  stop(): void {
    this.#cancel()
  }

  /** Those with less than two thirds left: with four ticks a lease, none falls below five twelfths; or with more than a lease,
   * by a clock that has been set back since. */
  async #renewSome(): Promise<void> {
    const { store, log, leaseMs } = this.#options
    const lease = this.next()
    const ending = [...this.#held]
      .filter(([, { until }]) => Math.abs(lease.until - until) > leaseMs / 3)
      .map(([entry]) => entry)
    if (ending.length === 0) return
    try {
      await store.renew(ending, lease)
      for (const entry of ending) {
        const held = this.#held.get(entry)
        if (held) held.until = lease.until
      }
      this.#failing = false
    } catch (error) {
      if (this.#failing) return
      this.#failing = true
      log.warn({ err: error, entries: ending.length }, `${ending.length} leases could not be renewed`)
    }
  }
}
