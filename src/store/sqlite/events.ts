/**
 * Events: one row per thing that happened, in order; the timeline of a message and of a sender domain.
 */
import type { Event } from '../../mail/event.ts'
import type { MessageId } from '../../mail/ids.ts'
import type { EventFilter, EventRange } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { type EventRow, eventOf, type StoredEvent } from './rows.ts'
import type { Sequences } from './sequences.ts'

export type Events = ReturnType<typeof openEvents>

export function openEvents(db: Connection, sequences: Sequences) {
  const insert = db.prepare(
    'insert into event (seq, type, at, account, message, n, recipient, domain, data) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const seqOf: Statement<number> = db.prepare('select seq from message where id = ?')
  seqOf.pluck()

  /** `known`: row numbers of messages the caller has at hand. An event of a message that is gone has no place. */
  function write(rows: readonly EventRow[], known?: ReadonlyMap<MessageId, number>): void {
    for (const [type, at, account, message, n, recipient, domain, data] of rows) {
      const seq = message === null ? null : (known?.get(message) ?? seqOf.get(message))
      if (seq === undefined) continue
      insert.run(sequences.nextEvent(), type, at, account, seq, n, recipient, domain, data)
    }
  }
  return { write }
}

export function openEventsReader(db: Connection) {
  const range: Statement<EventRange> = db.prepare(`
    select coalesce((select max(seq) from event), 0) as newest, (select through from event_purge) as purgedThrough`)
  return {
    eventRange: (): EventRange => range.get()!,

    /** By message or by domain through an index; else in the order of `seq` from `after`. */
    events(filter: EventFilter, limit: number): Event[] {
      const conditions = ['e.seq > ?']
      const values: Value[] = [filter.after ?? 0]
      const add = (condition: string, value: Value | undefined) => {
        if (value === undefined) return
        conditions.push(condition)
        values.push(value)
      }
      add('e.seq <= ?', filter.through)
      add('e.type = ?', filter.type)
      if (filter.types) add('e.type in (select value from json_each(?))', JSON.stringify(filter.types))
      add('e.account = ?', filter.account)
      add('e.message = (select seq from message where id = ?)', filter.message)
      add('e.domain = ?', filter.domain)
      // Says what is true anyway, so that the partial index of domain events can be used.
      if (filter.domain !== undefined && filter.type?.startsWith('domain.')) conditions.push('e.message is null')
      const sql = `select e.seq, e.type, e.at, e.account, m.id as message, e.n, e.recipient, e.domain, e.data
        from event e left join message m on m.seq = e.message
        where ${conditions.join(' and ')} order by e.seq limit ?`
      return db
        .prepare<Value[], StoredEvent>(sql)
        .all(...values, limit)
        .map(eventOf)
    },
  }
}
