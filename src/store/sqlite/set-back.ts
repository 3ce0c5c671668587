/**
 * After the clock was set back: what a clock ahead had put off waits for as long as it was meant to, and not until that clock's time.
 *
 * Send slots, retries, closed lanes and leases are waits: all that lies ahead moves back by as much as the clock did, none of
 * it before now. So limits stay exact: slots and those who wait for them move together. What a sender or an operator named
 * (scheduled mail, ends of suspensions, expiry) is a time of day, and stays. Entries are moved in slices; a claim that meets
 * a turn in between is told of each (`waiting.ts`).
 */
import type { Instant } from '../../mail/ids.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'
import type { Waiting } from './waiting.ts'

export interface SetBack {
  readonly now: Instant
  readonly byMs: number
}

/** Entries after this one, of messages up to `through`: what came later was put off by the right clock. */
export interface EntrySlice {
  readonly message: number
  readonly n: number
  readonly through: number
}

interface Ahead {
  readonly message: number
  readonly n: number
  readonly at: Instant
  readonly backlog: number
}

const tables = [
  ['turn', 'due_at'],
  ['claimant', 'due_at'],
  ['lane', 'closed_until'],
  ['entry', 'lease_until'],
] as const
const windows = ['minute', 'hour', 'day'] as const

export function openSetBack(db: Connection, backlog: Backlog, waiting: Waiting) {
  const columns = tables.map(([table, column]) =>
    db.prepare(`update ${table} set ${column} = max(?, ${column} - ?) where ${column} > ?`),
  )
  const buckets = windows.map(window =>
    db.prepare(`update bucket set ${window} = max(?, ${window} - ?) where ${window} > ?`),
  )
  const last: Statement<number> = db.prepare('select coalesce(max(seq), 0) from message')
  last.pluck()
  const ahead: Statement<Ahead> = db.prepare(`
    select message, n, next_attempt_at as at, backlog from entry
      where (message, n) > (?, ?) and message <= ? and next_attempt_at > ? and paced <> 3 and lease_until is null
      order by message, n limit ?`)
  const move = db.prepare('update entry set next_attempt_at = ? where message = ? and n = ?')

  return {
    /** All but the entries that wait. Answers where their slices begin. */
    setBack(tx: Transaction, { now, byMs }: SetBack): EntrySlice {
      tx.now = now
      if (byMs > 0) {
        for (const column of columns) column.run(now, byMs, now)
        for (const window of buckets) window.run(now * 1000, byMs * 1000, now * 1000)
      }
      // Whoever waits for a moment reckons anew how long that is.
      tx.tellQueue()
      return { message: -1, n: -1, through: last.get()! }
    },

    /** Answers how many, and where the next slice begins. */
    setBackEntries(tx: Transaction, { now, byMs }: SetBack, from: EntrySlice, limit: number): [number, EntrySlice] {
      tx.now = now
      const found = ahead.all(from.message, from.n, from.through, now, limit)
      for (const { message, n, at, backlog: id } of found) {
        backlog.leave(tx, id, at)
        move.run(Math.max(now, at - byMs), message, n)
        waiting.put(tx, message, n)
      }
      if (found.length > 0) tx.tellQueue()
      const next = found.at(-1)
      return [found.length, next ? { message: next.message, n: next.n, through: from.through } : from]
    },
  }
}
