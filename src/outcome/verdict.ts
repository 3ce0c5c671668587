/**
 * Turns the ends of attempts, of waiting and of an operator's patience into outcomes. Pure.
 *
 * A deferral becomes final when the entry's time is over (RFC 5321 §4.5.4.1), with status 4.4.7 (RFC 3463: delivery time
 * expired) and the last reply kept. Its last attempt falls on the expiry itself, never after it.
 */
import type { Instant } from '../mail/ids.ts'
import type { QueueEntry } from '../mail/message.ts'
import type { AttemptFacts, Outcome } from '../mail/outcome.ts'
import { formatReply, parseReply, type Reply } from '../mail/reply.ts'
import type { Suppression } from '../mail/suppression.ts'
import { nextAttemptAt } from '../queue/retry-schedule.ts'
import type { LeasedEntry } from '../store/store.ts'
import { type Classifiable, type Classify, classify, type Judgement } from './classify.ts'
import type { EntryResult, SettledAttempt } from './settled-attempt.ts'

/** Of the reply that led to a suppression: enough to know it by, within one line of SMTP (RFC 5321 §4.5.3.1.5). */
const shownReply = 200

export interface Verdict {
  readonly leased: LeasedEntry
  readonly outcome: Outcome
  /** What the last attempt was answered, when the outcome's own reply says something else: expired, cancelled. */
  readonly lastReply: Reply | null
  /** The next hop reports on success (RFC 3461 §5.2). */
  readonly dsnPassedOn: boolean
}

export interface RetryRules {
  /** `queue.retryAfter`, ms. */
  readonly retryAfter: readonly number[]
  /** `queue.retryJitter`. */
  readonly jitter: number
  /** For tests; otherwise Math.random. */
  readonly random?: () => number
}

export function verdictsOf(
  attempt: SettledAttempt,
  now: Instant,
  retry: RetryRules,
  judging: Classify = classify,
): Verdict[] {
  return attempt.results.map(result => ({
    leased: result.leased,
    ...endOf(result.leased, judging(classifiable(result, attempt)), attempt.facts, now, retry),
    dsnPassedOn: attempt.dsnPassedOn === true,
  }))
}

/** An entry whose time ran out while it waited. */
export function verdictOfExpiry(leased: LeasedEntry, now: Instant, judging: Classify = classify): Verdict {
  const { entry } = leased
  const lastReply = lastReplyOf(entry)
  const outcome: Outcome = {
    action: 'bounced',
    ...idsOf(leased, now),
    attempt: entry.attempts,
    reply: expiredReply(leased, entry.attempts, lastReply, now),
    class: 'expired',
    actor: lastReply === null ? 'remote' : meaningOfLast(lastReply, entry, judging).actor,
    inDoubt: entry.inDoubt,
    facts: null,
  }
  return { leased, outcome, lastReply, dsnPassedOn: false }
}

/** No report is owed: whoever cancels does it on the sender's behalf and sees what was cancelled. */
export function verdictOfCancel(leased: LeasedEntry, reason: string, now: Instant): Verdict {
  const outcome: Outcome = {
    action: 'cancelled',
    ...idsOf(leased, now),
    attempt: leased.entry.attempts,
    reply: { code: 554, detail: '0.0', text: reason, from: 'relay' },
    class: 'cancelled',
    actor: 'nobody',
    inDoubt: leased.entry.inDoubt,
    facts: null,
  }
  return { leased, outcome, lastReply: lastReplyOf(leased.entry), dsnPassedOn: false }
}

/** It is not tried (again); what it was answered before, if anything, is kept. */
export function verdictOfSuppression(leased: LeasedEntry, suppression: Suppression, now: Instant): Verdict {
  const { entry } = leased
  const outcome: Outcome = {
    action: 'bounced',
    ...idsOf(leased, now),
    attempt: entry.attempts,
    reply: suppressedReply(suppression),
    class: 'suppressed',
    actor: 'recipient',
    inDoubt: entry.inDoubt,
    facts: null,
  }
  return { leased, outcome, lastReply: lastReplyOf(entry), dsnPassedOn: false }
}

/** RFC 3463 X.7.1: not authorized by local policy; the address itself may be sound. */
export function suppressedReply({ account, reason, createdAt, evidence }: Suppression): Reply {
  const since = new Date(createdAt).toISOString().slice(0, 10)
  const whose = account === null ? ' for all accounts' : ''
  const why = evidence?.reply == null ? '' : ` (${evidence.reply.slice(0, shownReply)})`
  const text = `not sent: this recipient is suppressed${whose} since ${since}, reason ${reason}${why}`
  return { code: 550, detail: '7.1', text, from: 'relay' }
}

function classifiable(result: EntryResult, { route, facts }: SettledAttempt): Classifiable {
  return 'lookup' in result ? { lookup: result.lookup, route } : { result: result.result, route, site: facts.site }
}

function endOf(
  leased: LeasedEntry,
  judged: Judgement,
  facts: AttemptFacts,
  now: Instant,
  retry: RetryRules,
): Pick<Verdict, 'outcome' | 'lastReply'> {
  const { entry } = leased
  const { reply, actor } = judged
  const attempt = entry.attempts + 1
  // What may have been taken once stays in doubt: the delivery that follows may be the second one.
  const inDoubt = judged.inDoubt || entry.inDoubt
  const base = { ...idsOf(leased, now), attempt, reply, class: judged.class, actor, inDoubt, facts }
  if (judged.action !== 'deferred') return { outcome: { action: judged.action, ...base }, lastReply: null }
  if (now >= entry.expiresAt) {
    const expired = { class: 'expired' as const, reply: expiredReply(leased, attempt, reply, now) }
    return { outcome: { action: 'bounced', ...base, ...expired }, lastReply: reply }
  }
  const { retryAfter, jitter, random = Math.random } = retry
  const next = nextAttemptAt({ attempts: attempt, now, retryAfter, jitter, random })
  return { outcome: { action: 'deferred', ...base, nextAttemptAt: Math.min(next, entry.expiresAt) }, lastReply: null }
}

function idsOf({ entry, message }: LeasedEntry, at: Instant) {
  return { entry: entry.id, message: message.id, recipient: entry.recipient.address, at }
}

function expiredReply({ message }: LeasedEntry, attempts: number, lastReply: Reply | null, now: Instant): Reply {
  const hours = Math.round((now - message.receivedAt) / 3_600_000)
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  const text = `expired after ${tries} in ${hours} h${lastReply === null ? '' : `; last reply: ${formatReply(lastReply)}`}`
  return { code: 451, detail: '4.7', text, from: 'relay' }
}

/** As the queue remembers it; who said it isn't kept. */
function lastReplyOf({ lastReply }: QueueEntry): Reply | null {
  return lastReply === undefined ? null : parseReply(lastReply)
}

/** What kept failing. The phase isn't kept; RCPT is where nearly all deferrals are said. */
export function meaningOfLast(reply: Reply, { lastSite }: Pick<QueueEntry, 'lastSite'>, judging: Classify): Judgement {
  const route = lastSite?.startsWith('smtp:') ? 'own-smtp' : 'mx'
  return judging({ result: { address: '', reply, phase: 'rcpt' }, route, site: lastSite ?? null })
}
