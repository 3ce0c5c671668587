/**
 * The queue as it is looked at: lists, counts, the next moment something is due, the content of a message.
 */
import type { EntryId, Instant, MessageId } from '../../mail/ids.ts'
import type { Message, QueueEntry } from '../../mail/message.ts'
import type {
  CommonFilter,
  NewContent,
  Page,
  QueueColumn,
  QueueCounts,
  QueueFilter,
  QueueFinish,
  QueueGroup,
  QueueOverview,
  QueueRow,
  WaitReason,
} from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { entryCondition, isNarrow, leasedSource, sourcesOf, stateSql } from './queue-filter.ts'
import { type OldestOf, openQueueOldest } from './queue-oldest.ts'
import { openQueuePages, type Place } from './queue-pages.ts'
import { type BacklogTally, openQueueTally, type Tally } from './queue-tally.ts'
import { type EntryRow, entryColumns, queueEntry, splitEntryId } from './rows.ts'
import { openTraceReader } from './trace.ts'

type ListedRow = readonly [
  ...EntryRow,
  facts: string,
  state: QueueRow['state'],
  lastClass: string | null,
  paced: number,
]

interface ContentRow {
  readonly bytes: Uint8Array | null
  readonly path: string | null
}

export function openQueueLists(db: Connection) {
  const contentOf: Statement<ContentRow> = db.prepare(
    'select c.bytes, c.path from content c where c.message = (select seq from message where id = ?)',
  )
  const pathInUse: Statement<number> = db.prepare('select 1 from content where path = ?')
  const nextDue: Statement<number | null> = db.prepare('select min(due_at) from claimant')
  const seqOf: Statement<number> = db.prepare('select seq from message where id = ?')
  for (const statement of [pathInUse, nextDue, seqOf]) statement.pluck()

  const trace = openTraceReader(db)
  const tally = openQueueTally(db, trace)
  const pages = openQueuePages(db)
  const row = db
    .prepare<unknown[], ListedRow>(
      `select ${entryColumns}, m.facts, ${stateSql} as state, e.last_class, e.paced
    from entry e join message m on m.seq = e.message where e.message = ? and e.n = ?`,
    )
    .raw() as Statement<ListedRow>
  const oldest = openQueueOldest(db, pages)

  /** The writer goes on meanwhile: what is read in several steps is of one moment. */
  function inSnapshot<Args extends unknown[], T>(read: (...args: Args) => T): (...args: Args) => T {
    return db.transaction(read)
  }

  function placesOf(
    filter: QueueFilter,
    { after, limit }: Page,
    now: Instant,
    backlogs: readonly BacklogTally[],
  ): readonly Place[] {
    const from = position(after)
    if (isEverything(filter)) return inOrder('entry e', '1', [], from, limit)
    if (isNarrow(filter)) {
      const { sql, values } = entryCondition(trace, filter, now)
      return inOrder('entry e join message m on m.seq = e.message', sql, values, from, limit)
    }
    const leased = filter.state === undefined || filter.state === 'leased' ? leasedPlaces(filter, from, limit, now) : []
    return pages.page(leased, backlogs, filter.state, now, from, limit)
  }

  function leasedPlaces(filter: QueueFilter, from: Place, limit: number, now: Instant): readonly Place[] {
    const source = leasedSource(trace, filter, now)
    return inOrder(`${source.from} join message m on m.seq = e.message`, source.sql, source.values, from, limit)
  }

  function inOrder(from: string, sql: string, values: readonly Value[], after: Place, limit: number): readonly Place[] {
    return db
      .prepare<unknown[], Place>(
        `select e.message, e.n from ${from} where ${sql} and (e.message, e.n) > (?, ?) order by e.message, e.n limit ?`,
      )
      .raw()
      .all(...values, ...after, limit)
  }

  /** A narrow filter goes by its entries. */
  function backlogsOf(filter: QueueFilter, now: Instant): readonly BacklogTally[] {
    return isNarrow(filter) ? [] : tally.backlogs(filter, now)
  }

  function talliesOf(filter: QueueFilter, now: Instant): readonly Tally[] {
    return tally.tallies(filter, now, backlogsOf(filter, now))
  }

  function rowsOf(filter: QueueFilter, page: Page, now: Instant, backlogs: readonly BacklogTally[]): QueueRow[] {
    return placesOf(filter, page, now, backlogs).map(([message, n]) => queueRow(row.get(now, message, n)!))
  }

  function groupsOf(column: QueueColumn, tallies: readonly Tally[], limit: number, oldestOf: OldestOf): QueueGroup[] {
    const inColumn = tally.valuesIn(column)
    return [...Map.groupBy(tallies, ({ values }) => inColumn(values))]
      .map(([value, those]) => ({ value, those, count: those.reduce((sum, { count }) => sum + count, 0) }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, limit)
      .map(({ value, those, count }) => ({ value, count, oldestReceivedAt: oldestOf(those)! }))
  }

  function position(after: EntryId | undefined): Place {
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

    listQueue: inSnapshot((filter: QueueFilter, page: Page, now: Instant): QueueRow[] =>
      rowsOf(filter, page, now, isEverything(filter) ? [] : backlogsOf(filter, now)),
    ),

    countQueue: inSnapshot((filter: QueueFilter, now: Instant): QueueCounts => {
      const tallies = talliesOf(filter, now)
      return countsOf(tallies, oldest.among(tallies, now))
    }),

    /** Everything of one moment, from one tally. */
    queueOverview: inSnapshot((filter: QueueFilter, page: Page, mostGroups: number, now: Instant): QueueOverview => {
      const backlogs = backlogsOf(filter, now)
      const tallies = tally.tallies(filter, now, backlogs)
      const oldestOf = oldest.among(tallies, now)
      const by = (column: QueueColumn) => groupsOf(column, tallies, mostGroups, oldestOf)
      return {
        counts: countsOf(tallies, oldestOf),
        by: {
          ...{ site: by('site'), domain: by('domain'), account: by('account'), senderDomain: by('senderDomain') },
          ...{ class: by('class'), priority: by('priority') },
        },
        rows: rowsOf(filter, page, now, backlogs),
      }
    }),

    /** Through the index of own holds, whatever suspensions hold. */
    countOwnHolds: inSnapshot((filter: QueueFilter, now: Instant): number => {
      let count = 0
      for (const { from, sql, values } of sourcesOf(trace, filter, now, true))
        count += db
          .prepare<unknown[], number>(
            `select count(*) from ${from} join message m on m.seq = e.message
            where ${sql} and e.held_reason is not null and e.suspension is null`,
          )
          .pluck()
          .get(...values) as number
      return count
    }),

    countQueueBy: inSnapshot((column: QueueColumn, filter: QueueFilter, limit: number, now: Instant): QueueGroup[] => {
      const tallies = talliesOf(filter, now)
      return groupsOf(column, tallies, limit, oldest.among(tallies, now))
    }),

    finishBy: inSnapshot((column: QueueColumn, filter: CommonFilter, limit: number, now: Instant): QueueFinish[] => {
      const groups = new Map<string, QueueFinish>()
      const inColumn = tally.valuesIn(column)
      for (const backlog of tally.backlogs(filter, now)) {
        const { count, latest, held } = backlog
        if (held === 1) continue
        const value = inColumn(backlog)
        const known = groups.get(value) ?? { value, count: 0, lastDueAt: 0 }
        groups.set(value, { value, count: known.count + count, lastDueAt: Math.max(known.lastDueAt, latest) })
      }
      return [...groups.values()].sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, limit)
    }),
  }
}

function isEverything(filter: QueueFilter): boolean {
  return Object.values(filter).every(value => value === undefined)
}

function countsOf(tallies: readonly Tally[], oldestOf: OldestOf): QueueCounts {
  const counts = { total: 0, due: 0, waiting: 0, leased: 0, held: 0 }
  for (const { state, count } of tallies) {
    counts[state] += count
    counts.total += count
  }
  return { ...counts, oldestReceivedAt: oldestOf(tallies) }
}

function queueRow(row: ListedRow): QueueRow {
  const [facts, state, lastClass, paced] = row.slice(-4) as [string, QueueRow['state'], string | null, number]
  const message = JSON.parse(facts) as Message
  const entry = queueEntry(row as unknown as EntryRow, message)
  return { entry, message, state, lastClass, scheduled: paced === 3, waitReason: reasonOf(state, entry, paced) }
}

/** What has its slot and was not tried stays behind because its site takes nothing now. */
function reasonOf(
  state: QueueRow['state'],
  { attempts, waitsFor, suspension }: QueueEntry,
  paced: number,
): WaitReason | null {
  if (state === 'due') return 'turn'
  if (state === 'held' && suspension !== undefined) return 'suspended'
  if (state !== 'waiting') return null
  if (paced === 3) return 'schedule'
  if (paced === 2) return 'limit'
  if (waitsFor !== undefined) return 'noted'
  return attempts > 0 ? 'retry' : 'site'
}
