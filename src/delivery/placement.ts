/**
 * Puts entries where they wait for their turn: one group for each message and site.
 *
 * What a closed or full site can't take goes back to the queue, and its lanes are parked, so that one site's mail never
 * fills the memory that others need. Never fails: what goes wrong is settled as a temporary problem of ours.
 */
import type { Clock } from '../base/clock.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { Leases } from '../queue/leases.ts'
import type { LeasedEntry } from '../store/store.ts'
import { internalError, lookupFailed } from './attempt.ts'
import { type Decision, type DecisionParts, decide } from './decision.ts'
import type { FreshContent } from './fresh.ts'
import { HeldMessage, type HeldMessageParts } from './held-message.ts'
import type { Returns } from './returns.ts'
import {
  areForOneDomain,
  findRoute,
  findRoutes,
  type Route,
  type Routed,
  type RouteParts,
  type Unrouted,
} from './route.ts'
import type { SiteRing } from './site-ring.ts'
import type { Site } from './throttle.ts'
import { littleShare } from './turns.ts'
import type { UnderWay } from './under-way.ts'

export interface PlacementParts extends DecisionParts, RouteParts, HeldMessageParts {
  readonly clock: Clock
  readonly leases: Leases
  readonly returns: Returns
  readonly ring: SiteRing
  readonly underWay: UnderWay
  /** Entries in memory, in all. */
  readonly capacity: number
  /** `queue.lease`, ms. */
  readonly leaseMs: number
  stopping(): boolean
}

/** RFC 5321 §4.5.3.1.8: the least number of recipients that every server takes. */
const maxRecipients = 100
/** The lanes of a full site are opened as soon as it has room; this is for the case that this worker dies before. */
const parkFullMs = 60_000
/** When the mail that a full own server can't take yet is looked at again: it has no lanes to park. */
const ownServerFullMs = 30_000

export class Placement {
  readonly #parts: PlacementParts

  constructor(parts: PlacementParts) {
    this.#parts = parts
  }

  /** `leased`: entries of one message. */
  async place(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
    const { returns, clock, stopping } = this.#parts
    const held = new HeldMessage(leased[0]!.message, fresh, this.#parts)
    const open = new Set(leased)
    held.join()
    try {
      const decision = await decide(held.message, this.#parts)
      if (decision.own === null && areForOneDomain(leased)) {
        const routed = await findRoute(leased, this.#parts)
        if (!stopping()) this.#placeBatch([routed], open, held, decision)
      } else
        for await (const batch of findRoutes(leased, decision, this.#parts)) {
          if (stopping()) break
          this.#placeBatch(batch, open, held, decision)
        }
      if (open.size > 0) await returns.release([...open], clock.now())
    } catch (error) {
      await returns.settle([internalError({ leased: [...open], route: null }, error, this.#parts)])
    } finally {
      held.leave()
    }
  }

  /**
   * Whether the site has as many waiting as it may; a domain's fresh mail then goes to the queue. An account that has
   * hardly anything there may still add to it: its turn comes with the next transaction.
   */
  isFull(site: Site, account: AccountId | null): boolean {
    const bound = this.#boundOf(site)
    return site.waiting >= bound && site.waitingOf(account) >= bound * littleShare
  }

  /** Opens the lanes of a site that was full, once half of that has gone. True: there is something to claim. */
  async reopen(site: Site): Promise<boolean> {
    if (!site.hasParked || site.closedUntil !== null || site.waiting > this.#boundOf(site) / 2) return false
    await this.#parts.returns.unpark(site)
    return true
  }

  park(site: Site, domains: Iterable<DomainName>): Promise<void> {
    return this.#parts.returns.park(site, domains, this.#parts.clock.now() + parkFullMs)
  }

  /** A fair part of the memory: as much as is left for others. What a slow rate can't send in half a lease stays out. */
  #boundOf(site: Site): number {
    const { capacity, leases, leaseMs } = this.#parts
    return site.bound(Math.max(capacity - leases.size, maxRecipients), leaseMs / 2)
  }

  #placeBatch(
    batch: readonly (Routed | Unrouted)[],
    open: Set<LeasedEntry>,
    held: HeldMessage,
    decision: Decision,
  ): void {
    for (const routed of batch) {
      for (const one of routed.leased) open.delete(one)
      this.#parts.underWay.add(this.#placeRouted(routed, held, decision))
    }
    this.#parts.ring.turn()
  }

  /** Pushes at once what can be pushed; only what goes back is waited for. */
  async #placeRouted(routed: Routed | Unrouted, held: HeldMessage, decision: Decision): Promise<void> {
    const { ring, returns } = this.#parts
    const { leased } = routed
    if ('failure' in routed) return returns.settle([lookupFailed(routed, decision, this.#parts)])
    const { route } = routed
    const site = ring.site(route)
    if (site.closedUntil !== null || this.isFull(site, held.message.account)) return this.#turnAway(site, route, leased)
    for (let i = 0; i < leased.length; i += maxRecipients) {
      held.join()
      ring.push(site, { held, leased: leased.slice(i, i + maxRecipients), route })
    }
  }

  async #turnAway(site: Site, route: Route, leased: readonly LeasedEntry[]): Promise<void> {
    const { returns, clock } = this.#parts
    const now = clock.now()
    const own = route.kind === 'own-smtp'
    const { closedUntil } = site
    if (!own) await returns.park(site, domainsOf(leased), closedUntil ?? now + parkFullMs)
    await returns.release(leased, closedUntil ?? (own ? now + ownServerFullMs : now))
  }
}

export function domainsOf(leased: readonly LeasedEntry[]): Set<DomainName> {
  return new Set(leased.map(({ entry }) => entry.domain))
}
