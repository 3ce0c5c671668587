/**
 * The search index of messages: by recipient, sender, sender domain, account and Message-ID.
 *
 * An index row per address at acceptance would land on a random page each, 4 KiB of log for 20 bytes of fact. Instead the
 * writer indexes when 4096 messages have come in, sorted, as one part: a few dozen pages in a row, under 1 µs a row. A
 * search asks each part (3 µs; a month at a million a day has 7300) and looks through the newest messages one by one.
 * Rows hold hashes; a match is always compared with the message itself.
 */
import type { Message } from '../../mail/message.ts'
import type { Connection, Statement } from './connection.ts'

export type TraceKind = 'recipient' | 'sender' | 'senderDomain' | 'account' | 'messageId'

export const partSize = 4096

/** Messages that may have a key: the indexed ones and all that are not indexed yet. One parameter: the hash. */
export const candidatesSql = `select t.message from trace_part p join trace t on t.part = p.part where t.hash = ?
  union all select seq from message where seq > (select coalesce(max(last), 0) from trace_part)`

/** 53 bits of two multiplicative hashes (cyrb53): stable, and quick on short texts. Addresses compare without case. */
export function traceHash(kind: TraceKind, value: string): number {
  const text = `${kind}:${value.toLowerCase()}`
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

export function traceHashes(message: Message): Set<number> {
  const hashes = new Set<number>()
  const add = (kind: TraceKind, value: string | null) => void (value && hashes.add(traceHash(kind, value)))
  for (const { address } of message.envelope.recipients) add('recipient', address)
  add('sender', message.from)
  add('sender', message.envelope.reversePath)
  add('senderDomain', message.senderDomain)
  add('account', message.account)
  add('messageId', message.messageIdHeader)
  return hashes
}

interface TailRow {
  readonly seq: number
  readonly receivedAt: number
  readonly facts: string
}

export function openTrace(db: Connection) {
  const lastTraced: Statement<number> = db.prepare('select coalesce(max(last), 0) from trace_part')
  const tail: Statement<TailRow> = db.prepare(
    'select seq, received_at as receivedAt, facts from message where seq > ? order by seq limit ?',
  )
  const greatest: Statement<number> = db.prepare('select coalesce(max(seq), 0) from message')
  const insert = db.prepare('insert or ignore into trace (part, hash, message) values (?, ?, ?)')
  const insertPart = db.prepare('insert into trace_part (part, last, earliest, latest) values (?, ?, ?, ?)')
  const removeRows = db.prepare('delete from trace where part = ?')
  const removePart = db.prepare('delete from trace_part where part = ?')
  const oldParts: Statement<number> = db.prepare(`
    select p.part from trace_part p where p.part < (select max(part) from trace_part)
    and not exists (select 1 from message where seq <= p.last) order by p.part limit 20`)
  for (const statement of [lastTraced, greatest, oldParts]) statement.pluck()

  return {
    /** Messages not indexed yet. */
    waiting: () => greatest.get()! - lastTraced.get()!,

    /** Indexes the next part; needs a transaction around it. */
    indexPart(): void {
      const rows = tail.all(lastTraced.get()!, partSize)
      const last = rows.at(-1)?.seq
      if (last === undefined) return
      const keys = rows.flatMap(({ seq, facts }) =>
        [...traceHashes(JSON.parse(facts) as Message)].map(hash => [hash, seq] as const),
      )
      keys.sort(([hashA, seqA], [hashB, seqB]) => hashA - hashB || seqA - seqB)
      for (const [hash, seq] of keys) insert.run(last, hash, seq)
      const times = rows.map(row => row.receivedAt)
      insertPart.run(
        last,
        last,
        times.reduce((a, b) => Math.min(a, b)),
        times.reduce((a, b) => Math.max(a, b)),
      )
    },

    /** Drops parts all of whose messages are purged; never the newest, which remembers how far the index came. */
    purge(): void {
      for (const part of oldParts.all()) {
        removeRows.run(part)
        removePart.run(part)
      }
    },
  }
}
