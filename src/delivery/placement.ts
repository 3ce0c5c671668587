/**
 * Puts entries where they wait for their turn: one group for each message and site.
 *
 * What a closed or full site can't take goes back to the queue, and its lanes are parked, so that one site's mail never
 * fills the memory that others need. Never fails: what goes wrong is settled as a temporary problem of ours.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { AccountId, DomainName, Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import { type Priority, rankOf } from '../mail/priority.ts'
import type { Leases } from '../queue/leases.ts'
import type { LeasedEntry } from '../store/store.ts'
import { internalError, lookupFailed } from './attempt.ts'
import type { Crowd } from './crowd.ts'
import { type Decision, type DecisionParts, decide } from './decision.ts'
import type { Departures, Going } from './departures.ts'
import type { FreshContent } from './fresh.ts'
import { HeldMessage, type HeldMessageParts } from './held-message.ts'
import { noteOwnServer, type OwnServerParts, ownServerOf } from './own-server.ts'
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
import { type SlowedSenders, slowedAt } from './slowed-senders.ts'
import { endSuppressed, mayBeSuppressed, type SuppressedEntriesParts } from './suppressed-entries.ts'
import { areSuspensions, holdSuspended, type SuspendedEntriesParts } from './suspended-entries.ts'
import type { Site } from './throttle.ts'
import { littleShare } from './turns.ts'
import type { UnderWay } from './under-way.ts'

export interface PlacementParts extends DecisionParts, RouteParts, HeldMessageParts, OwnServerParts {
  readonly config: RouteParts['config'] & HeldMessageParts['config']
  readonly clock: Clock
  readonly directory: DecisionParts['directory']
  readonly suppressed?: SuppressedEntriesParts['suppressed']
  readonly suspended?: SuspendedEntriesParts['suspended']
  readonly store: HeldMessageParts['store'] & OwnServerParts['store']
  readonly leases: Leases
  readonly returns: Returns
  readonly ring: SiteRing
  readonly underWay: UnderWay
  readonly departures: Departures
  readonly senders: SlowedSenders
  readonly log: Log
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
/** When mail is looked at again that a full site can't take yet, and whose lanes can't be parked for it. */
const fullWithoutLanesMs = 30_000
/** What was woken for a site's room has been claimed after this time. */
const wokenWithinMs = 500
/** … and mail that the store could not be asked about. */
const unplannedMs = 10_000

export class Placement {
  readonly #parts: PlacementParts

  constructor(parts: PlacementParts) {
    this.#parts = parts
  }

  /** `leased`: entries of one message. */
  place(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
    return areSuspensions(this.#parts) ? this.#placeUnsuspended(leased, fresh) : this.#placeGoing(leased, fresh)
  }

  async #placeUnsuspended(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
    const others = await holdSuspended(leased, null, this.#parts)
    if (others.length > 0) await this.#placeGoing(others, fresh)
  }

  #placeGoing(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
    return mayBeSuppressed(leased, this.#parts) ? this.#placeOthers(leased, fresh) : this.#placeAll(leased, fresh)
  }

  async #placeOthers(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
    const others = await endSuppressed(leased, this.#parts)
    if (others.length > 0) await this.#placeAll(others, fresh)
  }

  async #placeAll(leased: readonly LeasedEntry[], fresh: FreshContent | null): Promise<void> {
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
   * Whether the site, or all who share its limits, has as many waiting as it may; a domain's fresh mail then goes to the
   * queue. An account that has hardly anything there may still add to it: its turn comes with the next transaction. What is
   * less urgent than the mail in question doesn't count: a mailing must not keep out its account's password mails.
   */
  isFull(site: Site, account: AccountId | null, priority?: Priority): boolean {
    const bound = this.#boundOf(site)
    const there = site.limits.crowd ?? site
    return there.waiting >= bound && there.waitingOf(account, rankOf(priority)) >= bound * littleShare
  }

  /** Opens the lanes of a site that was full, once half of that has gone. True: there is something to claim. */
  async reopen(site: Site): Promise<boolean> {
    const waitsFor = this.#hasRoom(site) ? site.limits.takeTurnedAway() : null
    if (waitsFor !== null) this.#parts.underWay.add(this.#callBack(site, waitsFor))
    const { crowd } = site.limits
    if (crowd !== null) return this.#reopenSome(crowd, this.#boundOf(site))
    if (!site.hasParked || site.closedUntil !== null || site.waiting > this.#boundOf(site) / 2) return false
    await this.#parts.returns.unpark([site])
    return true
  }

  #hasRoom(site: Site): boolean {
    return site.closedUntil === null && (site.limits.crowd ?? site).waiting <= this.#boundOf(site) / 2
  }

  /** As much as there may be at once, for of more than that most would be claimed for nothing; the rest once these are there. */
  async #callBack(site: Site, waitsFor: string): Promise<void> {
    const { returns, clock, stopping, underWay } = this.#parts
    const most = this.#boundOf(site)
    if ((await returns.wake(waitsFor, most)) < most) return
    clock.after(wokenWithinMs, () => {
      if (!stopping()) underWay.add(this.#awaitRoom([site]))
    })
  }

  /** The last of what waited there may have gone while these were given back: nobody else would come for them. */
  async #awaitRoom(sites: Iterable<Site>): Promise<void> {
    for (const site of sites) {
      site.limits.noteTurnedAway(roomAt(site))
      await this.reopen(site)
    }
  }

  /** What waited there has gone without an attempt, whose end would open the lanes that were parked because of it. */
  async lightened(site: Site): Promise<void> {
    await this.reopen(site)
  }

  /** Not more than there is room for, or all others would be claimed for nothing. */
  async #reopenSome(crowd: Crowd, bound: number): Promise<boolean> {
    if (crowd.waiting > bound / 2) return false
    const sites = crowd.admit(bound - crowd.waiting)
    if (sites.length === 0) return false
    await this.#parts.returns.unpark(sites)
    return true
  }

  park(site: Site, domains: Iterable<DomainName>): Promise<void> {
    site.limits.crowd?.keepOutside(site)
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
      const isSuspendable = areSuspensions(this.#parts) && !('failure' in routed)
      this.#parts.underWay.add(
        isSuspendable ? this.#placeAtSite(routed, held, decision) : this.#placeRouted(routed, held, decision),
      )
    }
    this.#parts.ring.turn()
  }

  /** The way of what a suspension of its site may hold. */
  async #placeAtSite(routed: Routed, held: HeldMessage, decision: Decision): Promise<void> {
    held.join()
    try {
      const leased = await holdSuspended(routed.leased, routed.route.site, this.#parts)
      if (leased.length > 0) await this.#placeRouted({ ...routed, leased }, held, decision)
      this.#parts.ring.turn()
    } finally {
      held.leave()
    }
  }

  /** Pushes at once what can be pushed; only what goes back is waited for. */
  async #placeRouted(routed: Routed | Unrouted, held: HeldMessage, decision: Decision): Promise<void> {
    const { ring, returns } = this.#parts
    const { leased } = routed
    if ('failure' in routed) return this.#settleUnrouted(routed, decision)
    const { route } = routed
    const rests = this.#restOf(routed, held)
    if (rests !== null) return returns.release(leased, rests.until, rests.waitsFor)
    if (route.kind === 'mx' && !this.#parts.departures.isFree(held.message))
      return this.#depart(leased, route, held, decision)
    const site = ring.site(route)
    const { account, priority } = held.message
    if (site.closedUntil !== null || this.isFull(site, account, priority)) return this.#turnAway(site, route, leased)
    this.#push(site, { leased, route, places: [] }, held)
  }

  /** Null: the site wants no less of its sender domain than of others. */
  #restOf({ route, leased }: Routed, { message }: HeldMessage) {
    const { senders, ring } = this.#parts
    if (senders.isEmpty || route.kind !== 'mx') return null
    const site = ring.site(route)
    const until = senders.admit(site, message.senderDomain, leased.length)
    return until === null ? null : { until, waitsFor: slowedAt(site, message.senderDomain) }
  }

  #push(site: Site, { leased, route, places }: Going, held: HeldMessage): void {
    for (let i = 0; i < leased.length; i += maxRecipients) {
      held.join()
      const group = { held, leased: leased.slice(i, i + maxRecipients), route }
      this.#parts.ring.push(site, places.length === 0 ? group : { ...group, places })
    }
  }

  /** The way of mail that pools or warm-ups have something to do with: the store is asked first. */
  async #depart(leased: readonly LeasedEntry[], route: Route, held: HeldMessage, decision: Decision): Promise<void> {
    const { departures, returns, ring, clock, stopping } = this.#parts
    held.join()
    try {
      const full = new Set<Site>()
      const room = (way: Route) => this.#roomAt(way, held.message, full)
      const { going, staying } = await departures.plan(leased, route, decision, room)
      for (const { leased, until, waitsFor } of staying)
        await returns.release(leased, until, waitsFor ?? [...full].map(roomAt)[0])
      if (staying.length > 0) await this.#awaitRoom(full)
      for (const one of going) {
        const site = ring.site(one.route)
        // It may have closed while the store was asked: nobody would come back for what is pushed then.
        if (!stopping() && site.closedUntil === null) this.#push(site, one, held)
        else {
          await departures.giveBack([one])
          await returns.release(one.leased, clock.now())
        }
      }
      ring.turn()
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'mail could not depart; it is tried again soon')
      await returns.release(leased, clock.now() + unplannedMs)
    } finally {
      held.leave()
    }
  }

  /** Null: there is room now. */
  #roomAt(way: Route, { account, priority }: Message, full: Set<Site>): Instant | null {
    const site = this.#parts.ring.site(way)
    if (site.closedUntil !== null) return site.closedUntil
    if (!this.isFull(site, account, priority)) return null
    full.add(site)
    return this.#parts.clock.now() + fullWithoutLanesMs
  }

  async #settleUnrouted(unrouted: Unrouted, decision: Decision): Promise<void> {
    const settled = [lookupFailed(unrouted, decision, this.#parts)]
    await this.#parts.returns.settle(settled)
    if (decision.own !== null) await noteOwnServer(decision.own, settled, this.#parts)
  }

  async #turnAway(site: Site, route: Route, leased: readonly LeasedEntry[]): Promise<void> {
    const { returns, clock } = this.#parts
    const now = clock.now()
    const parks = ownsLanes(route, this.#parts.departures)
    const { closedUntil } = site
    if (parks && closedUntil === null) await this.park(site, domainsOf(leased))
    else if (parks) await returns.park(site, domainsOf(leased), closedUntil!)
    const waitsFor = route.own === null ? undefined : ownServerOf(route.own.sender)
    if (parks || closedUntil !== null) return returns.release(leased, closedUntil ?? now, waitsFor)
    await returns.release(leased, now + fullWithoutLanesMs, roomAt(site))
    await this.#awaitRoom([site])
  }
}

/** What mail waits for of which enough is in memory already, where no lane can hold it back. */
function roomAt({ name, limits }: Site): string {
  return `room at ${limits.shared ?? name}`
}

/** Whether what closes this way closes the recipient domains for everybody: no other way leads to them. */
export function ownsLanes(route: Route, departures: Pick<Departures, 'isBranched'>): boolean {
  return route.kind === 'mx' && !departures.isBranched
}

export function domainsOf(leased: readonly LeasedEntry[]): Set<DomainName> {
  return new Set(leased.map(({ entry }) => entry.domain))
}
