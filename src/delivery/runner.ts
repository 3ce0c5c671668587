/**
 * Runs the attempts that the ring starts: send, learn about the site, settle, make room for the next. Never fails.
 */
import type { Config } from '../base/config.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import { formatReply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'
import { siteClosed, siteOpened } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import { domainsOf, type Placement } from './placement.ts'
import type { Returns } from './returns.ts'
import type { SiteRing } from './site-ring.ts'
import type { Group, Site } from './throttle.ts'

export interface RunnerParts extends AttemptParts {
  readonly config: AttemptParts['config'] & Pick<Config, 'queue'>
  readonly returns: Returns
  readonly ring: SiteRing
  readonly placement: Placement
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
    else await returns.release(group.leased, clock.now())
    ring.ended()
    if ((await placement.reopen(site)) || 'untried' in end) onDue()
  }

  #learn(site: Site, group: Group, settled: readonly SettledAttempt[]): void {
    const closing = closingOf(settled)
    if (closing !== null) this.#close(site, group, closing)
    else if (hasAnswered(settled) && site.succeed()) siteOpened(this.#parts.log, { site: site.name })
  }

  #close(site: Site, group: Group, { judged, settled: { facts } }: Closing): void {
    const { config, returns, log, ring } = this.#parts
    const { siteClosed: firstMs, siteClosedMaximum: maximumMs } = config.queue
    if (!site.close({ firstMs, maximumMs })) return
    const until = site.closedUntil!
    const { remoteMta, remoteIp } = facts
    siteClosed(log, {
      site: site.name,
      remoteMta,
      remoteIp,
      reply: formatReply(judged.reply),
      class: judged.class,
      until,
    })
    const groups = ring.drain(site)
    if (group.route.kind === 'mx') {
      const lanes = domainsOf([group, ...groups].flatMap(({ leased }) => leased))
      void returns.park(site, [...lanes, ...site.unpark()], until)
    }
    void returns.releaseGroups(groups, until)
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

function isSuccess(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.code < 400
}

function isRemote(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.from === 'remote'
}
