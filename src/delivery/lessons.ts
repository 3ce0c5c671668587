/**
 * What the answers of a site do to what it gets: limits give way or widen, and it is closed or opened.
 *
 * What an answer says is judged in `site-signals.ts`, how limits change in `site-limits.ts`. Never fails.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import type { DomainName } from '../mail/ids.ts'
import type { OutcomeClass } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { classify, type Judgement } from '../outcome/classify.ts'
import { limitsChanged, senderSlowed, siteClosed, siteOpened } from '../outcome/delivery-log.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import type { Evidence, Learned, SiteLimits } from './site-limits.ts'
import { type Signal, signalOf } from './site-signals.ts'
import { isAboutSender, type SlowedSender, type SlowedSenders } from './slowed-senders.ts'
import type { Closing, Group, Site } from './throttle.ts'

export interface LessonsParts {
  readonly closing: Closing
  readonly clock: Clock
  readonly log: Log
  /** Limits were adapted to what their site answered. */
  onLearned(limits: SiteLimits): void
  /** The site was closed after this group's attempt; null: after another worker's. */
  onClosed(site: Site, group: Group | null): void
  readonly senders: SlowedSenders
  /** The site wants less of that sender domain from now on. */
  onSlowed(site: Site, domain: DomainName): void
  /** For all other workers of this node; absent: there are none. */
  tell?: ((lesson: Lesson) => void) | undefined
  /** What this worker has to do with; undefined: nothing. */
  siteOf(key: string): Site | undefined
  limitsOf(key: string): SiteLimits | undefined
  /** Of limits it has nothing to do with so far. */
  remember(key: string, learned: Learned): void
}

/** What one worker tells the others, as plain data: a site counts them all together. Only when something has changed. */
export type Lesson =
  | { readonly told: 'lowered'; readonly limits: string; readonly learned: Learned; readonly evidence: Evidence }
  | {
      readonly told: 'closed'
      readonly site: string
      readonly forMs: number
      readonly signal: Signal
      readonly evidence: Evidence
    }
  | { readonly told: 'opened'; readonly site: string }
  | { readonly told: 'sender-slowed'; readonly site: string; readonly domain: DomainName; readonly evidence: Evidence }

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
    if (accepted > 0) this.#accepted(site, group, accepted)
    const trouble = troubleOf(settled)
    if (trouble !== null && isAboutSender(trouble.judged, group)) this.#slowSender(site, group, trouble)
    else if (trouble !== null) this.#heed(site, group, trouble)
    else if (hasAnswered(settled)) this.#answers(site)
  }

  #accepted(site: Site, group: Group, recipients: number): void {
    const { limits } = site
    this.#parts.senders.accepted(site, group.held.message.senderDomain)
    const { isKnown } = limits
    if (limits.accepted(recipients)) this.#limitsChanged(site, 'raised')
    else if (limits.isKnown !== isKnown) this.#parts.onLearned(limits)
  }

  /** As it should: what was turned away before was one connection too many, and a closed site is open again. */
  #answers(site: Site): void {
    const found = site.othersSucceeded()
    if (found !== null) this.#lowered(site, site.limits.fewerConnections(found.connections, found.evidence))
    if (!site.succeed()) return
    site.limits.resume()
    siteOpened(this.#parts.log, { site: site.name })
    this.#parts.tell?.({ told: 'opened', site: site.key })
  }

  /** It says nothing of what others send, so the site gets as much as before. */
  #slowSender(site: Site, group: Group, { judged }: Trouble): void {
    const { senders, clock, tell } = this.#parts
    const { senderDomain: domain } = group.held.message
    const evidence = { reply: formatReply(judged.reply), class: judged.class, at: clock.now() }
    const slowed = senders.slowDown(site, domain, evidence)
    if (slowed === null) return
    this.#senderSlowed(site, slowed)
    tell?.({ told: 'sender-slowed', site: site.key, domain, evidence })
  }

  #senderSlowed(site: Site, slowed: SlowedSender): void {
    senderSlowed(this.#parts.log, { site: site.limits.shared ?? site.name, ...slowed })
    this.#parts.onSlowed(site, slowed.domain)
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
        if (!site.isOnTrial) this.#lowered(site, site.limits.slowDown(evidence))
        if (site.refused() >= refusalsToClose || judged.closesSite) this.#close(site, group, trouble)
        break
      case 'trouble':
        if (!site.isOnTrial && countable.has(judged.class) && this.#hasCounted(site))
          this.#lowered(site, site.limits.slowDown(evidence))
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
    if (!changed) return
    const { limits } = site
    this.#limitsChanged(site, 'lowered')
    const { learned, evidence } = limits
    if (learned !== null && evidence !== null)
      this.#parts.tell?.({ told: 'lowered', limits: limits.key, learned, evidence })
  }

  #limitsChanged({ name, limits }: Pick<Site, 'name' | 'limits'>, direction: 'lowered' | 'raised'): void {
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

  // ── From others ───────────────────────────────────────────────────────────────────────────────────────────────────

  hear(lesson: Lesson): void {
    switch (lesson.told) {
      case 'lowered':
        this.#hearLowered(lesson)
        break
      case 'closed':
        this.#hearClosed(lesson)
        break
      case 'opened':
        this.#parts.siteOf(lesson.site)?.openWithOthers()
        break
      case 'sender-slowed':
        this.#hearSlowed(lesson)
        break
      default:
        lesson satisfies never
    }
  }

  #hearSlowed({ site: key, domain, evidence }: Extract<Lesson, { told: 'sender-slowed' }>): void {
    const site = this.#parts.siteOf(key)
    if (site !== undefined && this.#parts.senders.slowDown(site, domain, evidence) !== null)
      this.#parts.onSlowed(site, domain)
  }

  #hearLowered({ limits: key, learned, evidence }: Extract<Lesson, { told: 'lowered' }>): void {
    const limits = this.#parts.limitsOf(key)
    if (limits === undefined) this.#parts.remember(key, learned)
    else if (limits.hear(learned, evidence)) this.#limitsChanged({ name: key, limits }, 'lowered')
  }

  /** Whoever is connected leaves room for one that was turned away. */
  #hearClosed({ site: key, forMs, signal, evidence }: Extract<Lesson, { told: 'closed' }>): void {
    const site = this.#parts.siteOf(key)
    if (site === undefined) return
    if (signal === 'too-many-connections' && site.running > 0) {
      const changed = site.limits.fewerConnections(site.running / 2, evidence)
      if (changed) this.#limitsChanged(site, 'lowered')
      return
    }
    site.closeWithOthers(forMs, evidence)
    this.#parts.onClosed(site, null)
  }

  #close(site: Site, group: Group, { signal, judged, settled: { facts } }: Trouble): void {
    const { log, closing, onClosed, clock, tell } = this.#parts
    const evidence = { reply: formatReply(judged.reply), class: judged.class, at: clock.now() }
    const { remoteMta, remoteIp } = facts
    if (!site.close(closing, evidence, remoteMta)) return
    if (signal === 'too-many-connections') site.limits.wentDown()
    tell?.({ told: 'closed', site: site.key, forMs: site.closedMs, signal, evidence })
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
