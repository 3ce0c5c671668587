/**
 * Runs the attempts that the ring starts: send, learn about the site, settle, make room for the next. Never fails.
 */
import type { Config } from '../base/config.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import { formatReply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'
import { siteClosed, siteOpened, sourceUnusable } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import type { Departures } from './departures.ts'
import { domainsOf, ownsLanes, type Placement } from './placement.ts'
import type { Returns } from './returns.ts'
import type { SiteRing } from './site-ring.ts'
import type { Group, Site } from './throttle.ts'

export interface RunnerParts extends AttemptParts {
  readonly config: AttemptParts['config'] & Pick<Config, 'queue'>
  readonly returns: Returns
  readonly ring: SiteRing
  readonly placement: Placement
  readonly departures: Departures
  /** Something can be claimed that could not before. */
  onDue(): void
}

/** What a site did that leaves it alone for a while, and which host did it. */
interface Closing {
  readonly judged: Judgement
  readonly settled: SettledAttempt
}

export class Runner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  async run(site: Site, group: Group): Promise<void> {
    const { ring, returns, clock, placement, onDue } = this.#parts
    const end = await attempt(group, site, this.#parts)
    if ('settled' in end) this.#learn(site, group, end.settled)
    group.held.leave()
    ring.sent(site)
    if ('settled' in end) await returns.settle(end.settled)
    else {
      await returns.untried([group])
      await returns.release(group.leased, clock.now())
    }
    ring.ended()
    if ((await placement.reopen(site)) || 'untried' in end) onDue()
  }

  #learn(site: Site, group: Group, settled: readonly SettledAttempt[]): void {
    const { source } = group.route
    if (source !== undefined && source.ip !== null && settled.some(lacksSource)) this.#giveUpSource(source.ip)
    const closing = closingOf(settled)
    if (closing !== null) this.#close(site, group, closing)
    else if (hasAnswered(settled) && site.succeed()) siteOpened(this.#parts.log, { site: site.name })
  }

  /** The others of its pool take over. */
  #giveUpSource(ip: string): void {
    const { log, departures } = this.#parts
    departures.noteUnusable(ip)
    sourceUnusable(log, { sourceIp: ip, reason: 'this machine has no such address, or no free port at it' })
  }

  #close(site: Site, group: Group, { judged, settled: { facts } }: Closing): void {
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

function closingOf(settled: readonly SettledAttempt[]): Closing | null {
  for (const one of settled) {
    for (const ended of one.results) {
      if (!('result' in ended) || isSuccess(ended.result)) continue
      const judged = classify({ result: ended.result, route: one.route })
      if (judged.closesSite) return { judged, settled: one }
    }
  }
  return null
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
