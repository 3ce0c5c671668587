/**
 * Finds messages, newest first, by what a support desk knows about them.
 *
 * The rarest given key leads through the search index (trace.ts). Without one the messages are walked, newest first:
 * queued ones through their entries, bounced and cancelled ones through an index of those few, a time through row numbers,
 * which are given in the order of acceptance. What stands in columns is compared there, before a message is read as JSON:
 * a search that finds nothing looks at a million candidates too.
 */
import type { Instant, MessageId } from '../../mail/ids.ts'
import type { Message } from '../../mail/message.ts'
import type { MessageFilter, MessageStates, MessageSummary, Page, RecipientState } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { openTraceReader, traceHash } from './trace.ts'

interface MessageRow {
  readonly states: string
  readonly facts: string
}

interface Range {
  readonly from: number
  readonly before: number
}

const letterOf = { queued: 'q', delivered: 'd', bounced: 'b', cancelled: 'c' } as const
const stateOf: Readonly<Record<string, RecipientState>> = { q: 'queued', d: 'delivered', b: 'bounced', c: 'cancelled' }

/** Messages are accepted in the order of their row numbers, give or take clocks; a search by time looks a little further. */
const clockSlackMs = 3_600_000
const beyond = Number.MAX_SAFE_INTEGER
/** Candidates looked at together. */
const chunkSize = 500

/** Those few have an index of their own (migrations/014-message-states.ts). */
const indexOf = { bounced: 'indexed by message_bounced', cancelled: 'indexed by message_cancelled' } as const

/** Over candidates, or a range of row numbers: what columns can tell. */
export function searchSql(filter: MessageFilter, by: 'candidates' | 'range'): { sql: string; values: Value[] } {
  const { account, senderDomain, since, until, state } = filter
  const values: Value[] = []
  const conditions: string[] = []
  const add = (condition: string, value: Value | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  const index = state === 'bounced' || state === 'cancelled' ? indexOf[state] : ''
  if (state === 'queued') conditions.push('exists (select 1 from entry e where e.message = m.seq)')
  else if (state !== undefined) conditions.push(`instr(m.states, '${letterOf[state]}') > 0`)
  add('m.account = ?', account)
  add('m.sender_domain = ?', senderDomain)
  add('m.received_at >= ?', since)
  add('m.received_at <= ?', until)
  const from =
    by === 'candidates'
      ? `json_each(?) c cross join message m ${index} on m.seq = c.value`
      : `message m ${index} where m.seq >= ? and m.seq < ?`
  const rest = conditions.map((one, at) => (at === 0 && by === 'candidates' ? ` where ${one}` : ` and ${one}`)).join('')
  const order = by === 'candidates' ? 'c.key' : 'm.seq desc'
  return { sql: `select m.states, m.facts from ${from}${rest} order by ${order}`, values }
}

const queuedSql = 'select distinct message from entry where message >= ? and message < ? order by message desc'

export function openMessageSearch(db: Connection) {
  const byId: Statement<MessageRow> = db.prepare('select states, facts from message where id = ?')
  const seqUpTo: Statement<number> = db.prepare('select seq from message where id <= ? order by id desc limit 1')
  const queued: Statement<number> = db.prepare(queuedSql)
  const lastSeq: Statement<number> = db.prepare('select coalesce(max(seq), 0) from message')
  const nextFrom: Statement<{ seq: number; receivedAt: Instant }> = db.prepare(
    'select seq, received_at as receivedAt from message where seq >= ? order by seq limit 1',
  )
  for (const statement of [seqUpTo, queued, lastSeq]) statement.pluck()

  const trace = openTraceReader(db)

  /** The first row number from which on all is younger, give or take clocks. */
  function firstAfter(at: Instant): number {
    let [low, high] = [0, lastSeq.get()! + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const found = nextFrom.get(middle)
      if (found === undefined || found.receivedAt > at) high = middle
      else low = found.seq + 1
    }
    return low
  }

  function rangeOf({ since, until }: MessageFilter, before: number): Range {
    const from = since === undefined ? 0 : firstAfter(since - clockSlackMs)
    return { from, before: until === undefined ? before : Math.min(before, firstAfter(until + clockSlackMs)) }
  }

  function* found(filter: MessageFilter, before: number): Generator<MessageRow> {
    const hash = leadingHash(filter)
    const range = rangeOf(filter, before)
    if (hash === null && filter.state !== 'queued') {
      const { sql, values } = searchSql(filter, 'range')
      yield* db.prepare<Value[], MessageRow>(sql).iterate(range.from, range.before, ...values)
      return
    }
    const candidates =
      hash === null
        ? queued.iterate(range.from, range.before)
        : within(trace.candidates(hash, filter.since, filter.until), range)
    const { sql, values } = searchSql(filter, 'candidates')
    const look = db.prepare<Value[], MessageRow>(sql)
    for (const chunk of chunksOf(candidates)) yield* look.all(JSON.stringify(chunk), ...values)
  }

  function startOf(page: Page): number {
    return page.after === undefined ? beyond : (seqUpTo.get(page.after) ?? 0)
  }

  return {
    message(id: MessageId): MessageStates | null {
      const row = byId.get(id)
      return row ? { ...summary(row), states: [...row.states].map(letter => stateOf[letter] ?? null) } : null
    },

    listMessages(filter: MessageFilter, page: Page): MessageSummary[] {
      const messages: MessageSummary[] = []
      for (const row of found(filter, startOf(page))) {
        const message = summary(row)
        if (matches(filter, message.message, row.states)) messages.push(message)
        if (messages.length >= page.limit) break
      }
      return messages
    },
  }
}

function* within(candidates: Iterable<number>, { from, before }: Range): Generator<number> {
  for (const seq of candidates) if (seq >= from && seq < before) yield seq
}

/** Small at first: most pages are filled by the first candidates. */
function* chunksOf(candidates: Iterable<number>): Generator<number[]> {
  let [chunk, size]: [number[], number] = [[], chunkSize / 10]
  for (const seq of candidates) {
    if (chunk.push(seq) < size) continue
    yield chunk
    chunk = []
    size = chunkSize
  }
  if (chunk.length > 0) yield chunk
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

/** What columns can't tell. */
function matches(filter: MessageFilter, message: Message, states: string): boolean {
  const { sender, messageIdHeader } = filter
  if (messageIdHeader !== undefined && message.messageIdHeader !== messageIdHeader) return false
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
