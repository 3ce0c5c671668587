/**
 * Finds messages, newest first, by what a support desk knows about them.
 *
 * The rarest given key leads through the search index (trace.ts); everything else is compared message by message. With
 * nothing but a state or a time the messages are walked, newest first; queued ones through their entries.
 */
import type { MessageId } from '../../mail/ids.ts'
import type { Message } from '../../mail/message.ts'
import type { MessageFilter, MessageSummary, Page } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import { openTraceReader, traceHash } from './trace.ts'

interface MessageRow {
  readonly states: string
  readonly facts: string
}

const letterOf = { queued: 'q', delivered: 'd', bounced: 'b', cancelled: 'c' } as const

/** Messages are accepted in the order of their row numbers, give or take clocks; a walk by time looks a little further. */
const clockSlackMs = 3_600_000
const beyond = Number.MAX_SAFE_INTEGER

export function openMessageSearch(db: Connection) {
  const byId: Statement<MessageRow> = db.prepare('select states, facts from message where id = ?')
  const bySeq: Statement<MessageRow> = db.prepare('select states, facts from message where seq = ?')
  const seqUpTo: Statement<number> = db.prepare('select seq from message where id <= ? order by id desc limit 1')
  const walk: Statement<number> = db.prepare('select seq from message where seq < ? order by seq desc')
  const queued: Statement<number> = db.prepare(
    'select distinct message from entry where message < ? order by message desc',
  )
  for (const statement of [seqUpTo, walk, queued]) statement.pluck()

  const trace = openTraceReader(db)

  function* candidates(filter: MessageFilter, before: number): Generator<number> {
    const hash = leadingHash(filter)
    if (hash === null) {
      yield* filter.state === 'queued' ? queued.iterate(before) : walk.iterate(before)
      return
    }
    for (const seq of trace.candidates(hash, filter.since, filter.until)) if (seq < before) yield seq
  }

  function startOf(page: Page): number {
    return page.after === undefined ? beyond : (seqUpTo.get(page.after) ?? 0)
  }

  return {
    message(id: MessageId): MessageSummary | null {
      const row = byId.get(id)
      return row ? summary(row) : null
    },

    listMessages(filter: MessageFilter, page: Page): MessageSummary[] {
      const found: MessageSummary[] = []
      for (const seq of candidates(filter, startOf(page))) {
        const row = bySeq.get(seq)
        if (!row) continue
        const message = summary(row)
        if (tooOld(filter, message.message)) break
        if (matches(filter, message.message, row.states)) found.push(message)
        if (found.length >= page.limit) break
      }
      return found
    },
  }
}

function leadingHash(filter: MessageFilter): number | null {
  if (filter.messageIdHeader !== undefined) return traceHash('messageId', filter.messageIdHeader)
  if (filter.recipient !== undefined) return traceHash('recipient', filter.recipient)
  if (filter.sender !== undefined) return traceHash('sender', filter.sender)
  if (filter.senderDomain !== undefined) return traceHash('senderDomain', filter.senderDomain)
  return filter.account === undefined ? null : traceHash('account', filter.account)
}

function summary({ states, facts }: MessageRow): MessageSummary {
  const counts = { queued: 0, delivered: 0, bounced: 0, cancelled: 0 }
  for (const [name, letter] of Object.entries(letterOf)) counts[name as keyof typeof counts] = countOf(states, letter)
  return { message: JSON.parse(facts) as Message, counts }
}

function countOf(states: string, letter: string): number {
  let count = 0
  for (let at = states.indexOf(letter); at !== -1; at = states.indexOf(letter, at + 1)) count++
  return count
}

function tooOld({ since }: MessageFilter, { receivedAt }: Message): boolean {
  return since !== undefined && receivedAt < since - clockSlackMs
}

function matches(filter: MessageFilter, message: Message, states: string): boolean {
  const { account, sender, senderDomain, messageIdHeader, since, until } = filter
  if (account !== undefined && message.account !== account) return false
  if (senderDomain !== undefined && message.senderDomain !== senderDomain) return false
  if (messageIdHeader !== undefined && message.messageIdHeader !== messageIdHeader) return false
  if (since !== undefined && message.receivedAt < since) return false
  if (until !== undefined && message.receivedAt > until) return false
  if (sender !== undefined && !isSender(message, sender.toLowerCase())) return false
  return matchesRecipient(filter, message, states)
}

function isSender({ from, envelope }: Message, sender: string): boolean {
  return from?.toLowerCase() === sender || envelope.reversePath?.toLowerCase() === sender
}

/** With both given, it is that recipient who must be in that state. */
function matchesRecipient({ recipient, state }: MessageFilter, { envelope }: Message, states: string): boolean {
  const letter = state === undefined ? null : letterOf[state]
  if (recipient === undefined) return letter === null || states.includes(letter)
  const wanted = recipient.toLowerCase()
  return envelope.recipients.some(
    ({ address }, n) => address.toLowerCase() === wanted && (letter === null || states[n] === letter),
  )
}
