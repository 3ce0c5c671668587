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
  QueueRow,
  WaitReason,
} from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'
import { entryCondition, isNarrow, leasedSource, sourcesOf, stateSql } from './queue-filter.ts'
import { openQueuePages, type Place } from './queue-pages.ts'
import { openQueueTally, type Tally } from './queue-tally.ts'
import { type EntryRow, entryColumns, queueEntry, splitEntryId } from './rows.ts'
import { openTraceReader } from './trace.ts'

type ListedRow = readonly [
  ...EntryRow,
  facts: string,
  state: QueueRow['state'],
  lastClass: string | null,
  paced: number,
]

export interface QueueGroup {
  readonly value: string
  readonly count: number
  readonly oldestReceivedAt: Instant
}

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
  const receivedAt: Statement<Instant> = db.prepare('select received_at from entry where message = ? and n = ?')
  receivedAt.pluck()

  const firstsOf = db
    .prepare<unknown[], readonly [id: number, at: Instant]>(
      `select c.value, (select e.received_at from entry e indexed by entry_backlog
        where e.lease_until is null and e.backlog = c.value order by e.message, e.n limit 1) from json_each(?) c`,
    )
    .raw() as Statement<readonly [id: number, at: Instant]>
  let firsts: Map<number, Instant> | null = null

  /** The writer goes on meanwhile: what is read in several steps is of one moment. */
  function inSnapshot<Args extends unknown[], T>(read: (...args: Args) => T): (...args: Args) => T {
    return db.transaction(read)
  }

  function placesOf(filter: QueueFilter, { after, limit }: Page, now: Instant): readonly Place[] {
    const from = position(after)
    if (Object.values(filter).every(value => value === undefined)) return inOrder('entry e', '1', [], from, limit)
    if (isNarrow(filter)) {
      const { sql, values } = entryCondition(trace, filter, now)
      return inOrder('entry e join message m on m.seq = e.message', sql, values, from, limit)
    }
    const leased = filter.state === undefined || filter.state === 'leased' ? leasedPlaces(filter, from, limit, now) : []
    return pages.page(leased, tally.backlogs(filter, now), filter.state, now, from, limit)
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

  /** When the first of each of these backlogs was received. There may be tens of thousands: one statement, not one each. */
  function readFirsts(backlogs: readonly number[]): void {
    const known = firsts ?? new Map<number, Instant>()
    const missing = backlogs.filter(id => !known.has(id))
    if (missing.length > 0) for (const [id, at] of firstsOf.all(JSON.stringify(missing))) known.set(id, at)
    // Counts that are asked for together share them.
    if (firsts === null)
      queueMicrotask(() => {
        firsts = null
      })
    firsts = known
  }

  /** The one accepted first: entries stand in the order of acceptance. */
  function oldestOf(tallies: readonly Tally[], now: Instant): Instant | null {
    let oldest: Instant | null = null
    readFirsts(tallies.flatMap(tally => (isWhole(tally) ? [tally.backlog!.id] : [])))
    for (const tally of tallies) {
      const at = isWhole(tally) ? firsts!.get(tally.backlog!.id)! : oldestIn(tally, now)
      if (at !== null && (oldest === null || at < oldest)) oldest = at
    }
    return oldest
  }

  function oldestIn({ backlog, state, oldest }: Tally, now: Instant): Instant | null {
    const place = backlog && pages.first(backlog, state, now)
    return place ? receivedAt.get(...place)! : oldest
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
      placesOf(filter, page, now).map(([message, n]) => queueRow(row.get(now, message, n)!)),
    ),

    countQueue: inSnapshot((filter: QueueFilter, now: Instant): QueueCounts => {
      const tallies = tally.tallies(filter, now, 'none')
      const counts = { total: 0, due: 0, waiting: 0, leased: 0, held: 0 }
      for (const { state, count } of tallies) {
        counts[state] += count
        counts.total += count
      }
      return { ...counts, oldestReceivedAt: oldestOf(tallies, now) }
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
      const groups = [...Map.groupBy(tally.tallies(filter, now, column), ({ value }) => value)]
      return groups
        .map(([value, tallies]) => ({ value, tallies, count: tallies.reduce((sum, { count }) => sum + count, 0) }))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
        .slice(0, limit)
        .map(({ value, tallies, count }) => ({ value, count, oldestReceivedAt: oldestOf(tallies, now)! }))
    }),

    finishBy: (column: QueueColumn, filter: CommonFilter, limit: number, now: Instant): QueueFinish[] => {
      const groups = new Map<string, QueueFinish>()
      for (const { value, count, latest, held } of tally.backlogs(filter, now, column)) {
        if (held === 1) continue
        const known = groups.get(value) ?? { value, count: 0, lastDueAt: 0 }
        groups.set(value, { value, count: known.count + count, lastDueAt: Math.max(known.lastDueAt, latest) })
      }
      return [...groups.values()].sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, limit)
    },
  }
}

/** All of its backlog is in that state. */
function isWhole({ backlog, count }: Tally): boolean {
  return backlog !== null && backlog.count === count
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
