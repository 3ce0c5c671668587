/**
 * Runs the attempts that the ring starts: send, learn about the site, settle, make room for the next. Never fails.
 */
import type { Config } from '../base/config.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import type { OutcomeClass } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'
import { limitsChanged, siteClosed, siteOpened, sourceUnusable } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import type { Departures } from './departures.ts'
import { noteOwnServer, type OwnServerParts } from './own-server.ts'
import { domainsOf, ownsLanes, type Placement } from './placement.ts'
import type { Returns } from './returns.ts'
import type { SiteLimits } from './site-limits.ts'
import type { SiteRing } from './site-ring.ts'
import { type Signal, signalOf } from './site-signals.ts'
import { areSuspensions, holdSuspended, type SuspendedEntriesParts, suspensionOf } from './suspended-entries.ts'
import type { Group, Site } from './throttle.ts'

export interface RunnerParts extends AttemptParts, OwnServerParts {
  readonly directory: AttemptParts['directory']
  readonly config: AttemptParts['config'] & Pick<Config, 'queue'>
  readonly suspended?: SuspendedEntriesParts['suspended']
  readonly returns: Returns
  readonly ring: SiteRing
  readonly placement: Placement
  readonly departures: Departures
  /** Limits were adapted to what their site answered. */
  onLearned(limits: SiteLimits): void
  /** Something can be claimed that could not before. */
  onDue(): void
}

/** What an answer says of its site, and which host gave it. */
interface Trouble {
  readonly signal: Signal
  readonly judged: Judgement
  readonly settled: SettledAttempt
}

/** Refusals of mail for being too fast, with no success between, until a site that does not hang up is closed all the same. */
const refusalsToClose = 3
/** A site that took as many within a minute and then wants to be left alone has counted them. */
const countedAfter = 10
/** What a site may mean that says no reason. TLS, a wrong login and the like are no matter of how much it gets. */
const countable: ReadonlySet<OutcomeClass> = new Set(['remote-trouble', 'network', 'other', 'policy'])

export class Runner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  async run(site: Site, group: Group): Promise<void> {
    const { ring, returns, clock, placement, onDue } = this.#parts
    const end = this.#isSuspended(group) ? ({ untried: true } as const) : await attempt(group, site, this.#parts)
    if ('settled' in end) this.#learn(site, group, end.settled)
    group.held.leave()
    ring.sent(site)
    if ('settled' in end) await returns.settle(end.settled)
    else {
      await returns.untried([group])
      await returns.release(await holdSuspended(group.leased, group.route.site, this.#parts), clock.now())
    }
    if (group.route.own !== null && 'settled' in end) await noteOwnServer(group.route.own, end.settled, this.#parts)
    ring.ended()
    if ((await placement.reopen(site)) || 'untried' in end) onDue()
  }

  /** Since it was put into the ring; what is not suspended comes back at once. */
  #isSuspended({ leased, route }: Group): boolean {
    return areSuspensions(this.#parts) && leased.some(one => suspensionOf(one, route.site, this.#parts) !== null)
  }

  #learn(site: Site, group: Group, settled: readonly SettledAttempt[]): void {
    const { source } = group.route
    if (source !== undefined && source.ip !== null && settled.some(lacksSource)) this.#giveUpSource(source.ip)
    const accepted = acceptedIn(settled)
    if (accepted > 0 && site.limits.accepted(accepted)) this.#limitsChanged(site, 'raised')
    const trouble = troubleOf(settled)
    if (trouble !== null) this.#heed(site, group, trouble)
    else if (hasAnswered(settled)) this.#answers(site)
  }

  /** As it should: what was turned away before was one connection too many, and a closed site is open again. */
  #answers(site: Site): void {
    const found = site.othersSucceeded()
    if (found !== null) this.#lowered(site, site.limits.fewerConnections(found.connections, found.evidence))
    if (site.succeed()) siteOpened(this.#parts.log, { site: site.name })
  }

  /** The site gets less, or nothing, from now on. */
  #heed(site: Site, group: Group, trouble: Trouble): void {
    const { signal, judged } = trouble
    const evidence = { reply: formatReply(judged.reply), class: judged.class, at: this.#parts.clock.now() }
    switch (signal) {
      case 'too-many-connections':
        if (!site.awaitOthers(evidence)) this.#close(site, group, trouble)
        break
      case 'too-fast':
        this.#lowered(site, site.limits.slowDown(evidence))
        if (site.refused() >= refusalsToClose || judged.closesSite) this.#close(site, group, trouble)
        break
      case 'trouble':
        if (countable.has(judged.class) && this.#hasCounted(site)) this.#lowered(site, site.limits.slowDown(evidence))
        this.#close(site, group, trouble)
        break
      case 'stalled':
        this.#lowered(site, site.limits.halveConnections(evidence))
        break
      default:
        signal satisfies never
    }
  }

  /**
   * Whether trouble without a reason is a matter of how much it got: it took mail, and not just a little. Of limits that
   * many sites share, only those that speak of too much say something.
   */
  #hasCounted({ limits, closedUntil }: Site): boolean {
    if (limits.shared !== null || closedUntil !== null) return false
    return limits.acceptedLately >= countedAfter || limits.perMinute !== limits.rule.perMinute
  }

  #lowered(site: Site, changed: boolean): void {
    if (changed) this.#limitsChanged(site, 'lowered')
  }

  #limitsChanged({ name, limits }: Site, direction: 'lowered' | 'raised'): void {
    const { connections, perMinute, messagesPerConnection, adapted } = limits.state
    const why = direction === 'lowered' && adapted !== null ? { reply: adapted.reply, class: adapted.class } : {}
    const site = { site: limits.shared ?? name, connections, perMinute, messagesPerConnection, ...why }
    limitsChanged(this.#parts.log, site, direction)
    this.#parts.onLearned(limits)
  }

  /** Connections to the site are closed by the other side after so many messages. */
  hungUp(site: Site, messages: number): void {
    this.#lowered(site, site.limits.hungUpAfter(messages))
  }

  /** The others of its pool take over. */
  #giveUpSource(ip: string): void {
    const { log, departures } = this.#parts
    departures.noteUnusable(ip)
    sourceUnusable(log, { sourceIp: ip, reason: 'this machine has no such address, or no free port at it' })
  }

  #close(site: Site, group: Group, { judged, settled: { facts } }: Trouble): void {
    const { config, returns, log, ring, departures, clock } = this.#parts
    const { siteClosed: firstMs, siteClosedMaximum: maximumMs } = config.queue
    if (!site.close({ firstMs, maximumMs })) return
    const until = site.closedUntil!
    const { remoteMta, remoteIp } = facts
    siteClosed(log, {
      site: site.name,
      remoteMta,
      remoteIp,
      sourceIp: group.route.source?.ip ?? undefined,
      reply: formatReply(judged.reply),
      class: judged.class,
      until,
    })
    const groups = ring.drain(site)
    if (ownsLanes(group.route, departures)) {
      const lanes = domainsOf([group, ...groups].flatMap(({ leased }) => leased))
      void returns.park(site, [...lanes, ...site.unpark()], until)
    }
    // Another source of the pool may take them at once.
    void returns.releaseGroups(groups, group.route.source === undefined ? until : clock.now())
  }
}

/** What closes a site comes before what only slows it down. */
function troubleOf(settled: readonly SettledAttempt[]): Trouble | null {
  let found: Trouble | null = null
  for (const one of settled) {
    for (const ended of one.results) {
      if (!('result' in ended) || isSuccess(ended.result)) continue
      const judged = classify({ result: ended.result, route: one.route, site: one.facts.site })
      const signal = signalOf(ended.result, judged)
      if (signal === null) continue
      if (judged.closesSite) return { signal, judged, settled: one }
      found ??= { signal, judged, settled: one }
    }
  }
  return found
}

function acceptedIn(settled: readonly SettledAttempt[]): number {
  let count = 0
  for (const { results } of settled) {
    for (const ended of results) if ('result' in ended && isSuccess(ended.result)) count++
  }
  return count
}

function hasAnswered(settled: readonly SettledAttempt[]): boolean {
  return settled.some(({ results }) => results.some(ended => 'result' in ended && isRemote(ended.result)))
}

/** No connection can begin at the source address (bind(2)). */
function lacksSource({ results }: SettledAttempt): boolean {
  return results.some(
    ended => 'result' in ended && 'failure' in ended.result && ended.result.failure.detail === 'EADDRNOTAVAIL',
  )
}

function isSuccess(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.code < 400
}

function isRemote(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.from === 'remote'
}
