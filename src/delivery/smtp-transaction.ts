/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT, DATA, content; one result per recipient.
 *
 * With PIPELINING (RFC 2920) envelope and DATA leave in one write, else one command at a time. The body is sent only
 * after exactly 354 and with at least one recipient accepted. A recipient keeps the refusal it got, whatever happens
 * later; the others share the reply or the failure that ended the transaction. 421 ends it in any phase.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Failure, Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Recipient } from '../mail/envelope.ts'
import type { Reply } from '../mail/reply.ts'
import { writeContent } from './smtp-content.ts'
import type { Answers, Wire } from './smtp-wire.ts'
import type { Outgoing } from './transport.ts'

export interface Transaction {
  readonly mail: string
  /** In the order of `recipients`. */
  readonly rcpt: readonly string[]
  readonly recipients: readonly Recipient[]
  readonly outgoing: Outgoing
  readonly file: FileHandle | null
  readonly pipelining: boolean
}

export interface Transacted {
  readonly results: readonly RecipientResult[]
  /** MAIL was accepted and nothing ended it: the next MAIL needs RSET first. */
  readonly open: boolean
}

/** What ended the transaction for everybody who was not refused by name; null: there is nobody else. */
type End = { readonly reply: Reply; readonly phase: Phase } | { readonly failure: Failure } | null

export async function transact(wire: Wire, transaction: Transaction): Promise<Transacted> {
  const answers = transaction.pipelining ? await askAtOnce(wire, transaction) : await askOneByOne(wire, transaction)
  const refusals = transaction.recipients.map((recipient, index) => refusalOf(recipient, answers.replies, index))
  const end = await endOf(wire, transaction, answers, refusals.includes(null))
  return {
    results: transaction.recipients.map(({ address }, index) => refusals[index] ?? { address, ...end! }),
    open: isSuccess(answers.replies[0]) && !(end && 'phase' in end && end.phase === 'dot'),
  }
}

function askAtOnce(wire: Wire, { mail, rcpt }: Transaction): Promise<Answers> {
  return wire.exchange(`${mail}${rcpt.join('')}DATA\r\n`, ['mail', ...rcpt.map((): Phase => 'rcpt'), 'data'])
}

async function askOneByOne(wire: Wire, { mail, rcpt }: Transaction): Promise<Answers> {
  const replies: Reply[] = []
  const commands: readonly [string, Phase][] = [[mail, 'mail'], ...rcpt.map((line): [string, Phase] => [line, 'rcpt'])]
  for (const [line, phase] of commands) {
    const answers = await wire.exchange(line, [phase])
    replies.push(...answers.replies)
    if (answers.failure) return { replies, failure: answers.failure }
    if (isRefusal(replies[0]) || replies.at(-1)!.code === 421) return { replies, failure: null }
  }
  if (!replies.slice(1).some(isSuccess)) return { replies, failure: null }
  const answers = await wire.exchange('DATA\r\n', ['data'])
  return { replies: [...replies, ...answers.replies], failure: answers.failure }
}

/** A refused MAIL refuses everybody: the replies that pipelined RCPT commands then get say nothing about the address. */
function refusalOf({ address }: Recipient, replies: readonly Reply[], index: number): RecipientResult | null {
  const mail = replies[0]
  if (mail && isRefusal(mail)) return { address, reply: mail, phase: 'mail' }
  const rcpt = replies[index + 1]
  return rcpt && isRefusal(rcpt) ? { address, reply: rcpt, phase: 'rcpt' } : null
}

async function endOf(wire: Wire, transaction: Transaction, answers: Answers, anyoneAccepted: boolean): Promise<End> {
  const { replies, failure } = answers
  if (failure) return { failure }
  const last = replies.at(-1)!
  const dataAnswered = replies.length === transaction.rcpt.length + 2
  if (!dataAnswered) return last.code === 421 ? { reply: last, phase: replies.length === 1 ? 'mail' : 'rcpt' } : null
  if (isRefusal(last)) return { reply: last, phase: 'data' }
  if (anyoneAccepted) return sendContent(wire, transaction)
  await sendNothing(wire, replies[0]!)
  return null
}

async function sendContent(wire: Wire, { outgoing, file }: Transaction): Promise<End> {
  const { replies, failure } = await writeContent(wire, outgoing, file)
  if (wire.earlyReply) return { reply: wire.earlyReply, phase: 'data' }
  return failure ? { failure } : { reply: replies[0]!, phase: 'dot' }
}

/**
 * RFC 2920 §3.1: a host may answer a pipelined DATA with 354 though it accepted nobody. A single dot ends that; one
 * that says so after refusing MAIL can't be trusted even with an empty message.
 */
async function sendNothing(wire: Wire, mail: Reply): Promise<void> {
  if (isRefusal(mail)) wire.fail('malformed-reply', '354 after a refused MAIL')
  else await wire.finish([Buffer.from('.\r\n')])
}

function isSuccess(reply: Reply | undefined): boolean {
  return reply !== undefined && reply.code < 400
}

function isRefusal(reply: Reply | undefined): boolean {
  return reply !== undefined && reply.code >= 400
}
