/**
 * Takes entries into this worker's hands, fresh ones from submission and due ones from the queue, within one bound.
 *
 * Fresh mail may take most of the room but not all, or retries would starve while much is submitted. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { AccountId, DomainName, Instant } from '../mail/ids.ts'
import type { Priority } from '../mail/priority.ts'
import type { Leases } from '../queue/leases.ts'
import type { Lease, LeasedEntry } from '../store/store.ts'
import type { Departures } from './departures.ts'
import type { Destinations } from './destinations.ts'
import type { FreshContent, FreshDelivery, FreshOffer } from './fresh.ts'
import type { Placement } from './placement.ts'
import type { SiteRing } from './site-ring.ts'
import type { Site } from './throttle.ts'
import { littleShare } from './turns.ts'
import type { UnderWay } from './under-way.ts'

export interface IntakeParts {
  readonly clock: Clock
  readonly leases: Leases
  readonly destinations: Destinations
  readonly ring: SiteRing
  readonly placement: Placement
  readonly underWay: UnderWay
  readonly departures: Pick<Departures, 'isBranched'>
  /** Entries in memory, in all. */
  readonly capacity: number
  /** Whether anything may be taken now. */
  open(): boolean
  /** Entries stayed in the queue and the first is due then. */
  waiting(nextDueAt: Instant): void
  /** There is room for other entries. */
  onRoom(): void
}

/** Part of the room that anybody's fresh mail may take … */
const freshShare = 3 / 4
/** … and claimed mail; the rest is kept for accounts that have little (`littleShare`): a password mail must not wait. */
const claimedShare = 7 / 8
/** Less than this part isn't worth a claim's transaction: what is under way will free more. */
const worthwhileShare = 1 / 8

export class Intake implements FreshDelivery {
  readonly #parts: IntakeParts
  /** Entries that submission may hand over yet. */
  #asked = 0

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  /** How many due entries to claim. */
  get room(): number {
    const { capacity, leases, open } = this.#parts
    if (!open()) return 0
    const free = capacity * claimedShare - leases.size - this.#asked
    return free >= capacity * worthwhileShare || leases.size === 0 ? Math.max(Math.floor(free), 0) : 0
  }

  /** Claimed entries. What a second claim brings while it is still in hand goes back once it is not. */
  take(leased: readonly LeasedEntry[], lease: Lease): void {
    const byMessage = new Map<string, LeasedEntry[]>()
    for (const one of leased) {
      if (!this.#parts.leases.hold(one, lease.until)) continue
      const same = byMessage.get(one.message.id)
      if (same) same.push(one)
      else byMessage.set(one.message.id, [one])
    }
    for (const entries of byMessage.values()) this.#place(entries, null)
  }

  ask(entries: number, account: AccountId | null, priority?: Priority): FreshOffer {
    const { leases, open, clock } = this.#parts
    this.#asked += entries
    const lease = open() && this.#hasRoomFor(entries, account) ? leases.next() : undefined
    return {
      lease,
      leasable: domain => this.#leasable(domain, account, priority),
      nextAttemptAt: domain => this.#siteOf(domain)?.closedUntil ?? clock.now(),
    }
  }

  /** `entries` are among those asked for. */
  #hasRoomFor(entries: number, account: AccountId | null): boolean {
    const { capacity, leases } = this.#parts
    const taken = leases.size + this.#asked
    if (taken <= capacity * freshShare) return true
    return taken <= capacity && leases.heldBy(account) + entries <= capacity * littleShare
  }

  offer(leased: readonly LeasedEntry[], content: FreshContent, asked: number): void {
    const { until } = this.#parts.leases.next()
    for (const one of leased) this.#parts.leases.hold(one, until)
    this.giveBack(asked)
    if (leased.length > 0) this.#place(leased, content)
  }

  giveBack(asked: number): void {
    this.#asked -= asked
    this.#parts.onRoom()
  }

  waiting(nextDueAt: Instant): void {
    this.#parts.waiting(nextDueAt)
  }

  #place(leased: readonly LeasedEntry[], content: FreshContent | null): void {
    this.#parts.underWay.add(this.#parts.placement.place(leased, content))
  }

  #leasable(domain: DomainName, account: AccountId | null, priority: Priority | undefined): boolean {
    const site = this.#siteOf(domain)
    if (site === undefined) return true
    if (site.closedUntil !== null) return false
    if (!this.#parts.placement.isFull(site, account, priority)) return true
    void this.#parts.placement.park(site, [domain])
    return false
  }

  #siteOf(domain: DomainName): Site | undefined {
    // With several ways to a site none of them speaks for the domain.
    if (this.#parts.departures.isBranched) return undefined
    const key = this.#parts.destinations.siteOf(domain)
    return key === null ? undefined : this.#parts.ring.known(key)
  }
}
