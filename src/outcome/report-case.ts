/**
 * Who is owed a report, and what a report says about one recipient.
 *
 * NOTIFY decides (RFC 3461 §4.1, §5.2). Never a report on a report, and never to the null reverse-path (RFC 5321 §6.1).
 */
import type { Notify, Recipient } from '../mail/envelope.ts'
import type { EntryId, HostName, Instant } from '../mail/ids.ts'
import type { Message, QueueEntry } from '../mail/message.ts'
import type { Actor, OutcomeClass } from '../mail/outcome.ts'
import { formatReply, parseReply, statusOf } from '../mail/reply.ts'
import type { Returned } from '../mail/returned.ts'
import { erasedAddress, type LeasedEntry } from '../store/store.ts'
import { type Classify, classify } from './classify.ts'
import { meaningOfLast, type Verdict } from './verdict.ts'

export type ReportKind = 'failure' | 'delay' | 'success'

/** One recipient in a report. */
export interface ReportCase {
  readonly entry: Pick<QueueEntry, 'id' | 'recipient' | 'expiresAt'>
  readonly status: string
  /** The last thing said, `550 5.1.1 text`; null: it was never tried. */
  readonly reply: string | null
  /** Null: nothing was said, Kitte itself said it, or nobody knows who. */
  readonly remoteMta: HostName | null
  /** Null: it was never tried. */
  readonly class: OutcomeClass | null
  /** What the last reply means, when the class is `expired`. */
  readonly cause: OutcomeClass | null
  readonly actor: Actor
  readonly lastAttemptAt: Instant | null
  /** The address that failed in the end; absent: the recipient itself. */
  readonly forwardedTo?: string
}

/** Which report a verdict owes the sender, if any. */
export function reportOwed({ leased, outcome, dsnPassedOn }: Verdict, ofSuppressed = true): ReportKind | null {
  if (!canBeToldOf(leased.message)) return null
  const notify = leased.entry.recipient.notify
  if (outcome.class === 'suppressed' && !ofSuppressed && notify === undefined) return null
  if (outcome.action === 'bounced') return wants(notify, 'FAILURE') ? 'failure' : null
  if (outcome.action === 'delivered') return notify?.includes('SUCCESS') && !dsnPassedOn ? 'success' : null
  return null
}

/** Whether a bounce that came back after the delivery owes its sender a report, who may be erased by then. */
export function lateReportOwed({ kind, entry }: Returned, message: Message): boolean {
  const isKnown = canBeToldOf(message) && message.envelope.reversePath !== erasedAddress
  return kind === 'bounce' && isKnown && wants(recipientOf(entry, message).notify, 'FAILURE')
}

/** Whether an entry that is late owes its sender a notice. */
export function delayOwed({ entry, message }: LeasedEntry): boolean {
  return canBeToldOf(message) && wants(entry.recipient.notify, 'DELAY')
}

/** RFC 3461 §4.1: without NOTIFY failures are reported, delays at our discretion; NEVER is never. */
function wants(notify: readonly Notify[] | undefined, kind: 'FAILURE' | 'DELAY'): boolean {
  return notify === undefined || notify.includes(kind)
}

function canBeToldOf(message: Message): boolean {
  return message.envelope.reversePath !== null && message.origin !== 'dsn'
}

export function caseOfVerdict({ leased, outcome, lastReply }: Verdict, judging: Classify = classify): ReportCase {
  const said = outcome.class === 'expired' ? lastReply : outcome.reply
  const host = outcome.facts?.remoteMta ?? leased.entry.lastHost ?? null
  return {
    entry: leased.entry,
    status: statusOf(outcome.reply),
    reply: said === null ? null : formatReply(said),
    remoteMta: said?.from === 'remote' ? host : null,
    class: outcome.class,
    cause:
      outcome.class === 'expired' && lastReply !== null ? meaningOfLast(lastReply, leased.entry, judging).class : null,
    actor: outcome.actor,
    lastAttemptAt: outcome.facts === null ? null : outcome.at,
  }
}

export function caseOfDelay({ entry }: LeasedEntry, judging: Classify = classify): ReportCase {
  const reply = entry.lastReply === undefined ? null : parseReply(entry.lastReply)
  const meaning = reply === null ? null : meaningOfLast(reply, entry, judging)
  return {
    entry,
    // A 5xx that was taken for temporary still is a delay here.
    status: reply !== null && reply.code < 500 ? statusOf(reply) : '4.0.0',
    reply: entry.lastReply ?? null,
    remoteMta: reply === null ? null : (entry.lastHost ?? null),
    class: meaning?.class ?? null,
    cause: null,
    actor: meaning?.actor ?? 'nobody',
    lastAttemptAt: null,
  }
}

export function caseOfReturned(found: Returned, message: Message): ReportCase {
  const { entry, at, reply, remoteMta, actor, finalRecipient } = found
  return {
    // Nothing of it waits in the queue any more.
    entry: { id: entry, recipient: recipientOf(entry, message), expiresAt: at },
    status: reply === null ? '5.0.0' : statusOf(reply),
    reply: reply === null ? null : formatReply(reply),
    ...{ remoteMta, class: found.class, cause: null, actor, lastAttemptAt: null },
    ...(finalRecipient !== null && { forwardedTo: finalRecipient }),
  }
}

function recipientOf(entry: EntryId, { envelope }: Message): Recipient {
  return envelope.recipients[Number(entry.slice(entry.lastIndexOf('.') + 1))]!
}
