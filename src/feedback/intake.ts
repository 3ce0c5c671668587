/**
 * Takes one mail that came to the bounce host: read, matched with what was sent, written down, told. Never answered.
 *
 * Nothing is believed but what a signature of ours, or an id that can't be guessed, leads to a message that was sent to
 * that recipient, not too long ago and not told before. All else is passed over with a line in the log: a forged, mutated
 * or repeated bounce changes nothing. Fails with StoreUnavailable; the sender of the mail then tries again.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HostName } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Returned, ReturnedKind, ReturnedNotice } from '../mail/returned.ts'
import { returned as logReturned, returnIgnored } from '../outcome/delivery-log.ts'
import { erasedAddress, type RecordedReturn, type Store } from '../store/store.ts'
import type { IntakeAddress } from './addresses.ts'
import { type Explain, judgeReport } from './judge.ts'
import { matchComplaint, matchReports, subjectOfComplaint } from './matching.ts'
import { readReturned } from './read.ts'
import type { Complaint, Meaningless, RecipientReport, StatusReport } from './reading.ts'
import type { VerpSubject } from './verp.ts'

export interface IntakeParts {
  readonly store: Pick<Store, 'message' | 'recordReturned'>
  readonly clock: Clock
  readonly log: Log
  readonly explain: Explain
  readonly verpKey: Buffer
  readonly hostname: HostName
  /** `feedback.tokenMaxAge`, ms since the message was accepted. */
  readonly tokenMaxAgeMs: number
  /** Told after each thing that was written down: for suppressions. Its failure is logged and no concern of the intake. */
  readonly onReturned?: (notice: ReturnedNotice) => void | Promise<void>
}

export interface Arrival {
  readonly address: Exclude<IntakeAddress, { kind: 'postmaster' }>
  /** As in RCPT, for the log. */
  readonly recipient: string
  readonly content: Buffer
  /** Address of the host that handed it in. */
  readonly client: string
}

/** Why a mail, or what it says of a recipient, changed nothing. */
export type Ignored =
  | Meaningless
  | Exclude<RecordedReturn['result'], 'recorded'>
  | 'success'
  | 'no-token'
  | 'token-too-old'
  | 'no-such-recipient'
  | 'erased'

/** What became of it: for tests, and for whoever asks. */
export type Taken = ReturnedKind | Ignored

export interface Intake {
  take(arrival: Arrival): Promise<readonly Taken[]>
}

/** Our own outcome may be a moment behind a host that answers and bounces at once. */
const settlingMs = [50, 500, 2000, 5000]

export function createIntake(parts: IntakeParts): Intake {
  return {
    async take(arrival) {
      const reading = readReturned(arrival.content)
      if (reading.kind === 'status') return takeReport(parts, arrival, reading)
      if (reading.kind === 'complaint') return takeComplaint(parts, arrival, reading)
      return [ignore(parts, arrival, reading.kind)]
    },
  }
}

async function takeReport(parts: IntakeParts, arrival: Arrival, report: StatusReport): Promise<Taken[]> {
  const { address } = arrival
  if (address.kind !== 'token') return [ignore(parts, arrival, 'no-token')]
  const message = await messageOf(parts, arrival, address.subject)
  if (typeof message === 'string') return [message]
  const matches = matchReports(address.subject, message, report.recipients)
  if (matches.length === 0) return [ignore(parts, arrival, 'no-such-recipient', message)]
  const taken: Taken[] = []
  for (const { n, told } of matches) {
    if (told.action !== 'failed' && told.action !== 'delayed') taken.push(ignore(parts, arrival, 'success', message))
    else taken.push(await record(parts, arrival, message, ofReport(parts, arrival, message, n, report, told)))
  }
  return taken
}

async function takeComplaint(parts: IntakeParts, arrival: Arrival, complaint: Complaint): Promise<Taken[]> {
  const { address } = arrival
  const subject = address.kind === 'token' ? address.subject : subjectOfComplaint(complaint, parts)
  if (subject === null) return [ignore(parts, arrival, 'no-token')]
  const message = await messageOf(parts, arrival, subject)
  if (typeof message === 'string') return [message]
  const n = matchComplaint(subject, message, complaint)
  if (n === null) return [ignore(parts, arrival, 'no-such-recipient', message)]
  return [await record(parts, arrival, message, ofComplaint(parts, arrival, message, n, complaint))]
}

async function messageOf(parts: IntakeParts, arrival: Arrival, subject: VerpSubject): Promise<Message | Ignored> {
  const summary = await parts.store.message(subject.message)
  if (summary === null) return ignore(parts, arrival, 'unknown')
  const { message } = summary
  if (parts.clock.now() - message.receivedAt > parts.tokenMaxAgeMs)
    return ignore(parts, arrival, 'token-too-old', message)
  return message
}

async function record(parts: IntakeParts, arrival: Arrival, message: Message, found: Returned): Promise<Taken> {
  if (found.recipient === erasedAddress) return ignore(parts, arrival, 'erased', message)
  let { result, account } = await parts.store.recordReturned(found, false)
  for (const [index, ms] of settlingMs.entries()) {
    if (result !== 'unsettled') break
    await parts.clock.sleep(ms)
    ;({ result, account } = await parts.store.recordReturned(found, index === settlingMs.length - 1))
  }
  if (result !== 'recorded') return ignore(parts, arrival, result, message)
  logReturned(parts.log, found, message)
  await tell(parts, { account, recipient: found.recipient, kind: noticeKind(found), evidence: found })
  return found.kind
}

async function tell(parts: IntakeParts, notice: ReturnedNotice): Promise<void> {
  if (notice.evidence.kind === 'delay') return
  try {
    await parts.onReturned?.(notice)
  } catch (error) {
    parts.log.error({ err: error, message: notice.evidence.message }, 'what came back could not be passed on')
  }
}

function noticeKind({ kind, permanent }: Returned): ReturnedNotice['kind'] {
  if (kind === 'complaint') return 'complaint'
  return permanent ? 'hard-bounce' : 'soft-bounce'
}

function ofReport(
  parts: IntakeParts,
  arrival: Arrival,
  message: Message,
  n: number,
  { format, system, reportingMta }: StatusReport,
  told: RecipientReport,
): Returned {
  const about = aboutEntry(parts, arrival, message, n)
  const { permanent, ...meaning } = judgeReport(parts.explain, told)
  const last = told.addresses.at(-1) ?? null
  return {
    ...about,
    ...meaning,
    ...{ format, system, reportingMta, remoteMta: told.remoteMta, reply: told.reply, feedbackType: null },
    kind: told.action === 'delayed' ? 'delay' : 'bounce',
    permanent: permanent && told.action === 'failed',
    finalRecipient: last?.toLowerCase() === about.recipient.toLowerCase() ? null : last,
  }
}

function ofComplaint(
  parts: IntakeParts,
  arrival: Arrival,
  message: Message,
  n: number,
  complaint: Complaint,
): Returned {
  const { format, system, feedbackType } = complaint
  return {
    ...aboutEntry(parts, arrival, message, n),
    ...{ kind: 'complaint', format, system, feedbackType, class: null, actor: 'sender-content', permanent: false },
    ...{ reply: null, reportingMta: null, remoteMta: null, finalRecipient: null },
  }
}

function aboutEntry({ clock }: IntakeParts, { client }: Arrival, { id, envelope }: Message, n: number) {
  return {
    message: id,
    entry: `${id}.${n}`,
    recipient: envelope.recipients[n]!.address,
    at: clock.now(),
    client,
  }
}

function ignore<Reason extends Ignored>(
  { log }: IntakeParts,
  { client, recipient }: Arrival,
  reason: Reason,
  message?: Message,
): Reason {
  returnIgnored(log, { client, recipient, reason }, message)
  return reason
}
