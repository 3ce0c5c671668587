/**
 * Takes one mail that came to the bounce host: read, matched with what was sent, written down with what follows from it.
 *
 * Nothing is believed but what a signature of ours, or an id that can't be guessed, leads to a message that was sent to
 * that recipient, not too long ago and not told before. All else is passed over with a line in the log: a forged, mutated
 * or repeated bounce changes nothing. Never answered. Fails with StoreUnavailable; the sender of the mail then tries again.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HostName } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Returned, ReturnedKind } from '../mail/returned.ts'
import { reported } from '../outcome/delivery-log.ts'
import type { Meter } from '../outcome/meter.ts'
import { returned as logReturned, returnIgnored } from '../outcome/return-log.ts'
import { erasedAddress, type RecordedReturn, type Store } from '../store/store.ts'
import type { IntakeAddress } from './addresses.ts'
import type { Conclude } from './consequences.ts'
import type { Fields } from './fields.ts'
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
  readonly conclude: Conclude
  readonly meter: Pick<Meter, 'returned' | 'returnIgnored'>
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
  | Exclude<RecordedReturn, 'recorded'>
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
  const [failures, successes] = partition(
    matches,
    ({ told: { action } }) => action === 'failed' || action === 'delayed',
  )
  const found = failures.map(({ n, told }) => ofReport(parts, arrival, message, n, report, told))
  return [
    ...successes.map(() => ignore(parts, arrival, 'success', message)),
    ...(await record(parts, arrival, { message, original: report.original ?? null }, found)),
  ]
}

function partition<One>(all: readonly One[], test: (one: One) => boolean): [One[], One[]] {
  return [all.filter(test), all.filter(one => !test(one))]
}

async function takeComplaint(parts: IntakeParts, arrival: Arrival, complaint: Complaint): Promise<Taken[]> {
  const { address } = arrival
  const subject = address.kind === 'token' ? address.subject : subjectOfComplaint(complaint, parts)
  if (subject === null) return [ignore(parts, arrival, 'no-token')]
  const message = await messageOf(parts, arrival, subject)
  if (typeof message === 'string') return [message]
  const n = matchComplaint(subject, message, complaint)
  if (n === null) return [ignore(parts, arrival, 'no-such-recipient', message)]
  const found = ofComplaint(parts, arrival, message, n, complaint)
  return record(parts, arrival, { message, original: null }, [found])
}

async function messageOf(parts: IntakeParts, arrival: Arrival, subject: VerpSubject): Promise<Message | Ignored> {
  const summary = await parts.store.message(subject.message)
  if (summary === null) return ignore(parts, arrival, 'unknown')
  const { message } = summary
  if (parts.clock.now() - message.receivedAt > parts.tokenMaxAgeMs)
    return ignore(parts, arrival, 'token-too-old', message)
  return message
}

interface Subject {
  readonly message: Message
  /** Its header, as far as the mail that came back has it. */
  readonly original: Fields | null
}

/** Waits for outcomes of our own that aren't written yet, at last without them. */
async function record(
  parts: IntakeParts,
  arrival: Arrival,
  subject: Subject,
  found: readonly Returned[],
): Promise<Taken[]> {
  const [erased, rest] = partition(found, ({ recipient }) => recipient === erasedAddress)
  const taken: Taken[] = erased.map(() => ignore(parts, arrival, 'erased', subject.message))
  let left: readonly Returned[] = rest
  for (const [round, ms] of [0, ...settlingMs].entries()) {
    if (left.length === 0) break
    if (ms > 0) await parts.clock.sleep(ms)
    const { unsettled, ...more } = await recordSettled(parts, arrival, subject, left, round === settlingMs.length)
    taken.push(...more.taken)
    left = unsettled
  }
  return taken
}

/** All that can be written, at once: one report names them all. What can't is passed over, or answered as unsettled. */
async function recordSettled(
  parts: IntakeParts,
  arrival: Arrival,
  subject: Subject,
  found: readonly Returned[],
  evenUnsettled: boolean,
): Promise<{ taken: Taken[]; unsettled: Returned[] }> {
  const taken: Taken[] = []
  const unsettled: Returned[] = []
  for (let left = found; left.length > 0; ) {
    const results = await write(parts, subject, left, evenUnsettled)
    if (results.every(result => result === 'recorded')) return { taken: [...taken, ...left.map(kindOf)], unsettled }
    const refused = left.flatMap((one, index) => [{ one, result: results[index]! }])
    for (const { one, result } of refused) {
      if (result === 'unsettled') unsettled.push(one)
      else if (result !== 'recorded') taken.push(ignore(parts, arrival, result, subject.message))
    }
    left = refused.flatMap(({ one, result }) => (result === 'recorded' ? [one] : []))
  }
  return { taken, unsettled }
}

async function write(
  { store, conclude, log, meter }: IntakeParts,
  { message, original }: Subject,
  returned: readonly Returned[],
  unsettled: boolean,
): Promise<readonly RecordedReturn[]> {
  const { owed, ...more } = await conclude(message, returned, original)
  const reports = owed.map(({ report }) => report)
  const results = await store.recordReturned({ returned, unsettled, reports, ...more })
  if (results.some(result => result !== 'recorded')) return results
  for (const found of returned) {
    logReturned(log, found, message)
    meter.returned(found)
  }
  for (const { report, kind } of owed) reported(log, report.message, { original: message.id, report: kind })
  return results
}

function kindOf({ kind }: Returned): ReturnedKind {
  return kind
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
  { log, meter }: IntakeParts,
  { client, recipient }: Arrival,
  reason: Reason,
  message?: Message,
): Reason {
  meter.returnIgnored(reason)
  returnIgnored(log, { client, recipient, reason }, message)
  return reason
}
