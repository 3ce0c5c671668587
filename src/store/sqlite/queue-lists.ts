/**
 * The queue as it is looked at: lists, counts, the next moment something is due, the content of a message.
 */
import type { EntryId, Instant, MessageId } from '../../mail/ids.ts'
import type { Message } from '../../mail/message.ts'
import type { NewContent, Page, QueueColumn, QueueCounts, QueueFilter, QueueRow } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { knownSites, queueCondition, stateSql } from './queue-filter.ts'
import { type EntryRow, entryColumns, queueEntry, splitEntryId } from './rows.ts'
import { openTraceReader } from './trace.ts'

type ListedRow = readonly [...EntryRow, facts: string, state: QueueRow['state'], lastClass: string | null]

interface ContentRow {
  readonly bytes: Uint8Array | null
  readonly path: string | null
}

const groupColumns = {
  domain: 'e.domain',
  account: `coalesce(m.account, '')`,
  senderDomain: 'm.sender_domain',
  class: `coalesce(e.last_class, 'none')`,
  site: `coalesce(e.last_site, known.site, 'none')`,
} as const satisfies Record<QueueColumn, string>

const fromBoth = 'from entry e join message m on m.seq = e.message'
const withSite = `left join (${knownSites}) known on known.domain = e.domain`

export function openQueueLists(db: Connection) {
  const contentOf: Statement<ContentRow> = db.prepare(
    'select c.bytes, c.path from content c where c.message = (select seq from message where id = ?)',
  )
  const pathInUse: Statement<number> = db.prepare('select 1 from content where path = ?')
  const nextDue: Statement<number | null> = db.prepare('select min(due_at) from lane')
  const seqOf: Statement<number> = db.prepare('select seq from message where id = ?')
  for (const statement of [pathInUse, nextDue, seqOf]) statement.pluck()

  const trace = openTraceReader(db)

  function position(after: EntryId | undefined): readonly [number, number] {
    if (after === undefined) return [0, -1]
    const { message, n } = splitEntryId(after)
    return [seqOf.get(message) ?? Number.MAX_SAFE_INTEGER, n]
  }

  return {
    content(message: MessageId): NewContent | null {
      const row = contentOf.get(message)
      if (!row) return null
      return row.path === null ? { kind: 'inline', bytes: row.bytes! } : { kind: 'file', path: row.path }
    },

    /** Whether a message needs this spool file. */
    usesFile: (path: string): boolean => pathInUse.get(path) !== undefined,

    nextDueAt: (): Instant | null => nextDue.get() ?? null,

    listQueue(filter: QueueFilter, page: Page, now: Instant): QueueRow[] {
      const { sql, values } = queueCondition(trace, filter, now)
      return db
        .prepare<unknown[], unknown>(
          `select ${entryColumns}, m.facts, ${stateSql} as state, e.last_class ${fromBoth}
          where ${sql} and (e.message, e.n) > (?, ?) order by e.message, e.n limit ?`,
        )
        .raw()
        .all(now, ...values, ...position(page.after), page.limit)
        .map(row => queueRow(row as ListedRow))
    },

    countQueue(filter: QueueFilter, now: Instant): QueueCounts {
      const { sql, values } = queueCondition(trace, filter, now)
      const from = needsMessage(filter) ? fromBoth : 'from entry e'
      const rows = db
        .prepare<Value[], { state: QueueRow['state']; count: number; oldest: number }>(
          `select ${stateSql} as state, count(*) as count, min(e.received_at) as oldest ${from} where ${sql} group by 1`,
        )
        .all(now, ...values)
      const counts = { total: 0, due: 0, waiting: 0, leased: 0, held: 0 }
      for (const { state, count } of rows) {
        counts[state] = count
        counts.total += count
      }
      const oldest = rows.map(row => row.oldest).sort((a, b) => a - b)[0]
      return { ...counts, oldestReceivedAt: oldest ?? null }
    },

    countQueueBy(
      column: QueueColumn,
      filter: QueueFilter,
      limit: number,
      now: Instant,
    ): { value: string; count: number; oldestReceivedAt: Instant }[] {
      const { sql, values } = queueCondition(trace, filter, now)
      const from = needsMessage(filter) || column === 'account' || column === 'senderDomain' ? fromBoth : 'from entry e'
      return db
        .prepare<Value[], { value: string; count: number; oldestReceivedAt: Instant }>(
          `select ${groupColumns[column]} as value, count(*) as count, min(e.received_at) as oldestReceivedAt
          ${from} ${column === 'site' ? withSite : ''} where ${sql} group by 1 order by 2 desc, 1 limit ?`,
        )
        .all(...values, limit)
    },
  }
}

function needsMessage({ account, senderDomain, recipient }: QueueFilter): boolean {
  return account !== undefined || senderDomain !== undefined || recipient !== undefined
}

function queueRow(row: ListedRow): QueueRow {
  const [facts, state, lastClass] = row.slice(-3) as [string, QueueRow['state'], string | null]
  const message = JSON.parse(facts) as Message
  return { entry: queueEntry(row as unknown as EntryRow, message), message, state, lastClass }
}
