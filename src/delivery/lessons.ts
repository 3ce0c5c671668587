/**
 * What the answers of a site do to what it gets: limits give way or widen, and it is closed or opened.
 *
 * What an answer says is judged in `site-signals.ts`, how limits change in `site-limits.ts`. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import type { OutcomeClass } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'
import { limitsChanged, siteClosed, siteOpened } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import type { SiteLimits } from './site-limits.ts'
import { type Signal, signalOf } from './site-signals.ts'
import type { Closing, Group, Site } from './throttle.ts'

export interface LessonsParts {
  readonly closing: Closing
  readonly clock: Clock
  readonly log: Log
  /** Limits were adapted to what their site answered. */
  onLearned(limits: SiteLimits): void
  /** The site was closed after this group's attempt. */
  onClosed(site: Site, group: Group): void
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

export class Lessons {
  readonly #parts: LessonsParts

  constructor(parts: LessonsParts) {
    this.#parts = parts
  }

  /** What an attempt's answers say of its site. */
  learn(site: Site, group: Group, settled: readonly SettledAttempt[]): void {
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

  #close(site: Site, group: Group, { judged, settled: { facts } }: Trouble): void {
    const { log, closing, onClosed } = this.#parts
    if (!site.close(closing)) return
    const { remoteMta, remoteIp } = facts
    siteClosed(log, {
      site: site.name,
      remoteMta,
      remoteIp,
      sourceIp: group.route.source?.ip ?? undefined,
      reply: formatReply(judged.reply),
      class: judged.class,
      until: site.closedUntil!,
    })
    onClosed(site, group)
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

function isSuccess(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.code < 400
}

function isRemote(result: RecipientResult): boolean {
  return 'reply' in result && result.reply.from === 'remote'
}
