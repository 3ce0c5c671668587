/**
 * Runs the attempts that the ring starts: send, learn about the site, settle, make room for the next. Never fails.
 */
import type { Config } from '../base/config.ts'
import type { DomainName } from '../mail/ids.ts'
import { sourceUnusable } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import type { Leases } from '../queue/leases.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import { type Departures, lacking, unusableMs } from './departures.ts'
import { type Lesson, Lessons } from './lessons.ts'
import { noteOwnServer, type OwnServerParts } from './own-server.ts'
import { domainsOf, ownsLanes, type Placement } from './placement.ts'
import { defaultPool } from './pools.ts'
import type { Returns } from './returns.ts'
import type { Learned, SiteLimits } from './site-limits.ts'
import type { SiteRing } from './site-ring.ts'
import { type SlowedSenders, slowedAt } from './slowed-senders.ts'
import { areSuspensions, holdSuspended, type SuspendedEntriesParts, suspensionOf } from './suspended-entries.ts'
import type { Group, Site } from './throttle.ts'

export interface RunnerParts extends AttemptParts, OwnServerParts {
  readonly directory: AttemptParts['directory']
  readonly config: AttemptParts['config'] & Pick<Config, 'queue'>
  readonly suspended?: SuspendedEntriesParts['suspended']
  readonly leases: Pick<Leases, 'areRecalled'>
  readonly returns: Returns
  readonly ring: SiteRing
  readonly placement: Placement
  readonly departures: Departures
  readonly senders: SlowedSenders
  /** Limits were adapted to what their site answered. */
  onLearned(limits: SiteLimits): void
  /** As in `Lessons`. */
  readonly tell?: ((lesson: Lesson) => void) | undefined
  remember(key: string, learned: Learned): void
  /** Something can be claimed that could not before. */
  onDue(): void
}

export class Runner {
  readonly #parts: RunnerParts
  readonly #lessons: Lessons

  constructor(parts: RunnerParts) {
    const { siteClosed: firstMs, siteClosedMaximum: maximumMs } = parts.config.queue
    this.#parts = parts
    this.#lessons = new Lessons({
      ...parts,
      closing: { firstMs, maximumMs },
      onClosed: (site, group) => this.#closed(site, group),
      onSlowed: (site, domain) => this.#slowed(site, domain),
      siteOf: key => parts.ring.known(key),
      limitsOf: key => parts.ring.limits(key),
    })
  }

  async run(site: Site, group: Group): Promise<void> {
    const { ring, returns, clock, placement, onDue } = this.#parts
    const restsUntil = this.#parts.senders.restOf(site, group.held.message.senderDomain)
    const end =
      restsUntil !== null || this.#isSuspended(group)
        ? ({ untried: true } as const)
        : await attempt(group, site, this.#parts)
    const lacksAddress = 'settled' in end && end.settled.every(({ results }) => results.every(lacksSource))
    if ('settled' in end) this.#learn(site, group, end.settled, lacksAddress)
    group.held.leave()
    ring.sent(site)
    if (lacksAddress) await this.#leaveFromElsewhere(group)
    else if ('settled' in end) await returns.settle(end.settled)
    else {
      await returns.untried([group])
      const leased = await holdSuspended(group.leased, group.route.site, this.#parts)
      if (restsUntil === null) await returns.release(leased, clock.now())
      else await returns.release(leased, restsUntil, slowedAt(site, group.held.message.senderDomain))
    }
    if (group.route.own !== null && 'settled' in end && !lacksAddress)
      await noteOwnServer(group.route.own, end.settled, this.#parts)
    ring.ended()
    if ((await placement.reopen(site)) || 'untried' in end || lacksAddress) onDue()
  }

  /** Since it was put into the ring; what is neither suspended nor recalled comes back at once. */
  #isSuspended({ leased, route }: Group): boolean {
    if (this.#parts.leases.areRecalled(leased)) return true
    return areSuspensions(this.#parts) && leased.some(one => suspensionOf(one, route.site, this.#parts) !== null)
  }

  #learn(site: Site, group: Group, settled: readonly SettledAttempt[], lacksAddress: boolean): void {
    const { source } = group.route
    const ip = source?.ip ?? settled[0]?.facts.sourceIp ?? null
    if (ip !== null && settled.some(({ results }) => results.some(lacksSource))) this.#giveUpSource(ip)
    // Nobody was asked: that says nothing of the site.
    if (!lacksAddress) this.#lessons.learn(site, group, settled)
  }

  /** No attempt of its own: another source of the pool takes it at once, or it waits until the address is there again. */
  async #leaveFromElsewhere(group: Group): Promise<void> {
    const { returns, clock } = this.#parts
    const { leased, route } = group
    await returns.untried([group])
    const isOfPool = (route.source?.ip ?? null) !== null
    if (isOfPool) await returns.release(leased, clock.now())
    else await returns.release(leased, clock.now() + unusableMs, lacking(defaultPool))
  }

  /** Connections to the site are closed by the other side after so many messages. */
  hungUp(site: Site, messages: number): void {
    this.#lessons.hungUp(site, messages)
  }

  /** The others of its pool take over. */
  #giveUpSource(ip: string): void {
    const { log, departures } = this.#parts
    departures.noteUnusable(ip)
    sourceUnusable(log, { sourceIp: ip, reason: 'this machine has no such address, or no free port at it' })
  }

  /** From another worker. */
  hear(lesson: Lesson): void {
    const { ring, placement } = this.#parts
    this.#lessons.hear(lesson)
    // What waited may have gone, or the site is open before its lanes are: no attempt of this worker's comes to its end.
    const site = 'site' in lesson ? ring.known(lesson.site) : undefined
    if (site !== undefined) void placement.lightened(site)
    ring.turn()
  }

  /** What waits here of that sender domain goes back; the others keep their order. */
  #slowed(site: Site, domain: DomainName): void {
    const { returns, ring, senders, clock } = this.#parts
    const resting: Group[] = []
    for (const group of ring.drain(site)) {
      if (group.held.message.senderDomain === domain) resting.push(group)
      else ring.push(site, group)
    }
    const until = senders.restOf(site, domain) ?? clock.now()
    void returns.releaseGroups(resting, until, slowedAt(site, domain))
  }

  #closed(site: Site, group: Group | null): void {
    const { returns, ring, departures, clock } = this.#parts
    const until = site.closedUntil!
    const groups = ring.drain(site)
    const all = group === null ? groups : [group, ...groups]
    const route = all[0]?.route
    if (route === undefined) return
    if (ownsLanes(route, departures)) {
      const lanes = domainsOf(all.flatMap(({ leased }) => leased))
      void returns.park(site, [...lanes, ...site.unpark()], until)
    }
    // Another source of the pool may take them at once; a sender's own server may have been mended while it was tried.
    const mayGoElsewhere = route.source !== undefined || route.own !== null
    void returns.releaseGroups(groups, mayGoElsewhere ? clock.now() : until)
  }
}

/** No connection can begin at the source address (bind(2)). */
function lacksSource(ended: SettledAttempt['results'][number]): boolean {
  return 'result' in ended && 'failure' in ended.result && ended.result.failure.detail === 'EADDRNOTAVAIL'
}
