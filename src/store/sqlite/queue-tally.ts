/**
 * Counts of the queue, from the rows of its backlogs and the leased entries: never by reading what waits.
 *
 * Of backlogs with moments of the present 4 minutes on both sides, those that are due are counted in the index
 * `entry_due`: in one statement for all turns with little in these minutes, else by turn and from the shorter side; one
 * by one in a small backlog beside which there may be large ones.
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
  type Names,
  names,
  stateSql,
} from './queue-filter.ts'
import type { TraceReader } from './trace.ts'

type State = QueueRow['state']

const queueColumns = ['domain', 'account', 'senderDomain', 'class', 'site', 'priority'] as const

/** What entries are grouped by; the site is the one that they were tried at. */
export type Values = Readonly<Record<Exclude<QueueColumn, 'site'>, string>> & { readonly site: string | null }

/** A backlog as it stands now. */
export interface BacklogTally extends Values {
  readonly id: number
  readonly held: number
  readonly count: number
  /** At or after the moment at which the last of them is due, within its stretch of time. */
  readonly latest: Instant
  due: number
}

/** Entries that have all these values and are in one state. */
export interface Tally {
  readonly values: Values
  readonly state: State
  readonly count: number
  /** Null: to be asked of the backlog. */
  readonly oldest: Instant | null
  readonly backlog: BacklogTally | null
}

interface BacklogRow extends BacklogTally {
  /** How many lie in the present slot, where that has moments on both sides. */
  readonly unsure: number
}

interface EntryGroup extends Values {
  readonly state: State
  readonly count: number
  readonly oldest: Instant
}

/** The turn of what a backlog's entries have in common; none when nothing of that can be claimed. */
const withTurn = `backlog b join turn t on t.domain = b.domain and t.account = b.account
  and t.sender_domain = b.sender_domain and t.priority = b.priority`
export const turnOfSql = `select t.id from ${withTurn} where b.id = ?`
const turnsOfSql = `select b.id, t.id from ${withTurn} where b.id in (select value from json_each(?))`

/** All of a turn that lies in the present slot and is due: an index range. */
export const dueInSlotSql = `select backlog, count(*) as count from entry indexed by entry_due
  where turn = ? and lease_until is null and held_reason is null and next_attempt_at >= ? and next_attempt_at <= ?
  group by backlog`

/** The same of many turns. */
export const dueInTurnsSql = `select backlog, count(*) as count from json_each(?) c cross join entry indexed by entry_due
  on turn = c.value where lease_until is null and held_reason is null and next_attempt_at >= ? and next_attempt_at <= ?
  group by backlog`

/** So few are looked at one by one: beside a large backlog of the same turn the index range would hold that too. */
const small = 5000
const dueInSmallSql = `select count(*) from entry indexed by entry_backlog
  where backlog = ? and lease_until is null and next_attempt_at >= ? and next_attempt_at <= ?`

const waitingInSlotSql = `select backlog from entry indexed by entry_due
  where turn = ? and lease_until is null and held_reason is null and next_attempt_at > ? and next_attempt_at < ? limit ?`

export function openQueueTally(db: Connection, trace: TraceReader) {
  const knownSiteOf = db.prepare(knownSites).raw() as Statement<readonly [domain: string, site: string]>
  const dueInSmall: Statement<number> = db.prepare(dueInSmallSql)
  const waitingInSlot: Statement<number> = db.prepare(waitingInSlotSql)
  for (const statement of [dueInSmall, waitingInSlot]) statement.pluck()
  const turnsOf = db.prepare(turnsOfSql).raw() as Statement<readonly [backlog: number, turn: number]>
  const dueInTurns = db.prepare(dueInTurnsSql).raw() as Statement<readonly [backlog: number, count: number]>
  const dueInSlot: Statement<{ backlog: number; count: number }> = db.prepare(dueInSlotSql)

  function backlogs(filter: QueueFilter, now: Instant): BacklogTally[] {
    if (filter.state === 'leased') return []
    const { sql, values } = backlogCondition(filter)
    const slot = slotOf(now)
    const rows = db
      .prepare<Value[], BacklogRow>(
        `select b.id, b.held, ${valuesOf(names.backlog)}, sum(s.count) as count, max(s.latest) as latest,
          sum(case when s.slot < ? or s.latest <= ? then s.count else 0 end) as due,
          sum(case when s.slot = ? and s.earliest <= ? and s.latest > ? then s.count else 0 end) as unsure
        from backlog b join backlog_slot s on s.backlog = b.id where ${sql} group by b.id`,
      )
      .all(slot, now, slot, now, now, ...values)
    addUnsure(rows, filter, now)
    return rows
  }

  function addUnsure(rows: readonly BacklogRow[], filter: QueueFilter, now: Instant): void {
    const start = startOf(slotOf(now))
    const unsure = rows.filter(row => row.unsure > 0 && row.held === 0)
    if (unsure.length === 0) return
    const turns = new Map(turnsOf.all(JSON.stringify(unsure.map(({ id }) => id))))
    const smallTurns: number[] = []
    for (const [turn, ofTurn] of Map.groupBy(unsure, ({ id }) => turns.get(id) ?? null)) {
      const count = ofTurn.reduce((sum, { unsure }) => sum + unsure, 0)
      if (turn !== null && count <= small && !isFiner(filter)) smallTurns.push(turn)
      else addOfTurn(turn, ofTurn, start, now, startOf(slotOf(now) + 1))
    }
    const due = new Map(dueInTurns.all(JSON.stringify(smallTurns), start, now))
    for (const row of unsure) row.due += due.get(row.id) ?? 0
  }

  function addOfTurn(
    turn: number | null,
    rows: readonly BacklogRow[],
    start: Instant,
    now: Instant,
    end: Instant,
  ): void {
    for (const row of rows) if (row.count <= small) row.due += dueInSmall.get(row.id, start, now)!
    const large = rows.filter(row => row.count > small)
    if (large.length > 0) addLarge(turn, large, start, now, end)
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

  function entryGroups(from: string, sql: string, values: readonly Value[], now: Instant): Tally[] {
    return db
      .prepare<Value[], EntryGroup>(
        `select ${stateSql} as state, ${valuesOf(names.entry)}, count(*) as count, min(e.received_at) as oldest
        from ${from} join message m on m.seq = e.message where ${sql} group by 1, 2, 3, 4, 5, 6, 7`,
      )
      .all(now, ...values)
      .map(({ state, count, oldest, ...values }) => ({ values, state, count, oldest, backlog: null }))
  }

  return {
    backlogs,
    /** All that match. `waiting`: their backlogs; none of a narrow filter. */
    tallies(filter: QueueFilter, now: Instant, waiting: readonly BacklogTally[]): Tally[] {
      if (isNarrow(filter)) {
        const { sql, values } = entryCondition(trace, filter, now)
        return entryGroups('entry e', sql, values, now)
      }
      const tallies = waiting.flatMap(backlog => talliesOf(backlog, filter.state))
      if (filter.state !== undefined && filter.state !== 'leased') return tallies
      const { from, sql, values } = leasedSource(trace, filter, now)
      return [...tallies, ...entryGroups(from, sql, values, now)]
    },
    /** What they are grouped by in one column, for as long as the snapshot stands. */
    valuesIn(column: QueueColumn): (values: Values) => string {
      if (column !== 'site') return values => values[column]
      const known = new Map(knownSiteOf.all())
      return ({ site, domain }) => site ?? known.get(domain) ?? 'none'
    },
  }
}

/** It may leave out some backlogs of a turn, and those may be large. */
function isFiner({ class: name, site, scheduled }: QueueFilter): boolean {
  return name !== undefined || site !== undefined || scheduled !== undefined
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
    return count === 0 ? [] : [{ values: backlog, state, count, oldest: null, backlog }]
  })
}

function valuesOf(columns: Names): string {
  return queueColumns.map(column => `${columns[column]} as ${column}`).join(', ')
}
