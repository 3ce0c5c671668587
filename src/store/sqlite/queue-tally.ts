/**
 * Counts of the queue, from the rows of its backlogs and the leased entries: never by reading what waits.
 *
 * Of a backlog with moments of the present 4 minutes on both sides, those that are due are counted one by one
 * when it is small, else in the index `entry_due`, once per account and recipient domain and from the shorter side.
 */
import type { Instant } from '../../mail/ids.ts'
import type { QueueColumn, QueueFilter, QueueRow } from '../store.ts'
import { slotOf, startOf } from './backlog.ts'
import type { Connection, Statement, Value } from './connection.ts'
import {
  backlogCondition,
  entryCondition,
  isNarrow,
  knownSites,
  leasedSource,
  names,
  stateSql,
} from './queue-filter.ts'
import type { TraceReader } from './trace.ts'

type State = QueueRow['state']

/** A backlog as it stands now. */
export interface BacklogTally {
  readonly id: number
  /** Null: nothing of its account can be claimed for its recipient domain. */
  readonly turn: number | null
  readonly held: number
  /** What it is grouped by. */
  readonly value: string
  readonly count: number
  /** At or after the moment at which the last of them is due, within its stretch of time. */
  readonly latest: Instant
  due: number
}

/** Entries with one value that are in one state. */
export interface Tally {
  readonly value: string
  readonly state: State
  readonly count: number
  /** Null: to be asked of the backlog. */
  readonly oldest: Instant | null
  readonly backlog: BacklogTally | null
}

type Grouping = QueueColumn | 'none'

interface BacklogRow extends BacklogTally {
  /** How many lie in the present slot, where that has moments on both sides. */
  readonly unsure: number
}

interface EntryGroup {
  readonly value: string
  readonly state: State
  readonly count: number
  readonly oldest: Instant
}

/** All of a turn that lies in the present slot and is due: an index range. */
export const dueInSlotSql = `select backlog, count(*) as count from entry indexed by entry_due
  where turn = ? and lease_until is null and held_reason is null and next_attempt_at >= ? and next_attempt_at <= ?
  group by backlog`

/** So few are looked at one by one: beside a large backlog of the same turn the index range would hold that too. */
const small = 5000
const dueInSmallSql = `select count(*) from entry indexed by entry_backlog
  where backlog = ? and lease_until is null and next_attempt_at >= ? and next_attempt_at <= ?`

const waitingInSlotSql = `select backlog from entry indexed by entry_due
  where turn = ? and lease_until is null and held_reason is null and next_attempt_at > ? and next_attempt_at < ? limit ?`

export function openQueueTally(db: Connection, trace: TraceReader) {
  const dueInSmall: Statement<number> = db.prepare(dueInSmallSql)
  const waitingInSlot: Statement<number> = db.prepare(waitingInSlotSql)
  for (const statement of [dueInSmall, waitingInSlot]) statement.pluck()
  const dueInSlot: Statement<{ backlog: number; count: number }> = db.prepare(dueInSlotSql)

  function backlogs(filter: QueueFilter, now: Instant, grouping: Grouping = 'none'): BacklogTally[] {
    if (filter.state === 'leased') return []
    const { sql, values } = backlogCondition(filter)
    const slot = slotOf(now)
    const rows = db
      .prepare<Value[], BacklogRow>(
        `select b.id, t.id as turn, b.held, ${valueSql(names.backlog, grouping)} as value, sum(s.count) as count, max(s.latest) as latest,
          sum(case when s.slot < ? or s.latest <= ? then s.count else 0 end) as due,
          sum(case when s.slot = ? and s.earliest <= ? and s.latest > ? then s.count else 0 end) as unsure
        from backlog b join backlog_slot s on s.backlog = b.id
        left join turn t on t.domain = b.domain and t.account = b.account
          and t.sender_domain = b.sender_domain and t.priority = b.priority ${grouping === 'site' ? withSite('b') : ''}
        where ${sql} group by b.id`,
      )
      .all(slot, now, slot, now, now, ...values)
    addUnsure(rows, now)
    return rows
  }

  function addUnsure(rows: readonly BacklogRow[], now: Instant): void {
    const slot = slotOf(now)
    const unsure = rows.filter(row => row.unsure > 0 && row.held === 0)
    for (const row of unsure) if (row.count <= small) row.due += dueInSmall.get(row.id, startOf(slot), now)!
    const large = Map.groupBy(
      unsure.filter(row => row.count > small),
      row => row.turn,
    )
    for (const [turn, ofTurn] of large) addLarge(turn, ofTurn, startOf(slot), now, startOf(slot + 1))
  }

  /** Whichever side of the present moment is short: behind a closed site all but a few are due. */
  function addLarge(
    turn: number | null,
    rows: readonly BacklogRow[],
    start: Instant,
    now: Instant,
    end: Instant,
  ): void {
    const waiting = waitingInSlot.all(turn, now, end, small)
    if (waiting.length < small) {
      const counts = Map.groupBy(waiting, id => id)
      for (const row of rows) row.due += row.unsure - (counts.get(row.id)?.length ?? 0)
      return
    }
    const due = new Map(dueInSlot.all(turn, start, now).map(({ backlog, count }) => [backlog, count]))
    for (const row of rows) row.due += due.get(row.id) ?? 0
  }

  function entryGroups(from: string, sql: string, values: readonly Value[], now: Instant, grouping: Grouping): Tally[] {
    return db
      .prepare<Value[], EntryGroup>(
        `select ${valueSql(names.entry, grouping)} as value, ${stateSql} as state, count(*) as count,
          min(e.received_at) as oldest from ${from} join message m on m.seq = e.message
        ${grouping === 'site' ? withSite('e') : ''} where ${sql} group by 1, 2`,
      )
      .all(now, ...values)
      .map(group => ({ ...group, backlog: null }))
  }

  return {
    backlogs,
    /** All that match, by value and state. */
    tallies(filter: QueueFilter, now: Instant, grouping: Grouping): Tally[] {
      if (isNarrow(filter)) {
        const { sql, values } = entryCondition(trace, filter, now)
        return entryGroups('entry e', sql, values, now, grouping)
      }
      const waiting = backlogs(filter, now, grouping).flatMap(backlog => talliesOf(backlog, filter.state))
      if (filter.state !== undefined && filter.state !== 'leased') return waiting
      const { from, sql, values } = leasedSource(trace, filter, now)
      return [...waiting, ...entryGroups(from, sql, values, now, grouping)]
    },
  }
}

/** How many of the backlog are in the state. */
export function countIn({ held, count, due }: BacklogTally, state: State): number {
  if (state === 'leased') return 0
  if (state === 'held') return held === 1 ? count : 0
  if (held === 1) return 0
  return state === 'due' ? due : count - due
}

function talliesOf(backlog: BacklogTally, wanted: State | undefined): Tally[] {
  const states = (['due', 'waiting', 'held'] as const).filter(state => wanted === undefined || wanted === state)
  return states.flatMap(state => {
    const count = countIn(backlog, state)
    return count === 0 ? [] : [{ value: backlog.value, state, count, oldest: null, backlog }]
  })
}

function valueSql(columns: (typeof names)['entry'], grouping: Grouping): string {
  if (grouping === 'none') return `''`
  return grouping === 'site' ? `coalesce(${columns.site}, known.site, 'none')` : columns[grouping]
}

function withSite(alias: 'b' | 'e'): string {
  return `left join (${knownSites}) known on known.domain = ${alias}.domain`
}
