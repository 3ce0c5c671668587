/**
 * Changed limits take effect at once, also for mail that already waits for its slot.
 *
 * The bucket of the changed key starts anew. Waiting mail under it has slots in other buckets too (its account's, its
 * domain's, its credential's), shared with other waiting mail; so all mail that hangs together that way gives its slots
 * back and takes new ones, by priority and in the order it was accepted. What was already sent stays counted in the other buckets.
 * Costs about 10 µs per waiting entry, once per change of a limit.
 */
import type { Instant } from '../../mail/ids.ts'
import { giveBack } from '../../policy/token-bucket.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import { expandKeys } from './rows.ts'
import type { Slots } from './slots.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

interface WaitingRow {
  readonly message: number
  readonly n: number
  readonly domain: string
  readonly limits: string | null
  readonly account: string | null
  readonly senderDomain: string
  readonly backlog: number
  readonly turn: number
  readonly at: Instant
}

interface Waiting {
  readonly row: WaitingRow
  readonly keys: readonly string[]
}

export type Replan = ReturnType<typeof openReplan>

export interface ReplanParts {
  readonly db: Connection
  readonly turns: Turns
  readonly backlog: Backlog
  readonly slots: Slots
}

export function openReplan({ db, turns, backlog, slots }: ReplanParts) {
  const waiting: Statement<WaitingRow> = db.prepare(`
    select e.message, e.n, e.domain, m.limits, m.account, m.sender_domain as senderDomain,
      e.backlog, e.turn, e.next_attempt_at as at
    from entry e join message m on m.seq = e.message where e.paced = 2 order by m.priority, e.message, e.n`)
  const place = db.prepare('update entry set next_attempt_at = ?, paced = ? where message = ? and n = ?')

  /** `account:…`, `domain:…` or `credential:…`, whose limits have just been written. */
  return function replan(tx: Transaction, changedKey: string): void {
    slots.flush(tx)
    slots.change(tx, changedKey, () => null)
    const affected = hangTogether(waiting.all().map(withKeys), changedKey)
    for (const [key, count] of countKeys(affected)) {
      if (key === changedKey) continue
      const limits = slots.limitsOf(tx, key)
      slots.change(tx, key, state => (state === null ? null : giveBack(state, limits, count)))
    }
    for (const { row, keys } of affected) {
      const slotAt = slots.reserveInForce(tx, keys)
      place.run(slotAt, slotAt > tx.now ? 2 : 1, row.message, row.n)
      backlog.leave(tx, row.backlog, row.at)
      backlog.enter(tx, row.backlog, slotAt)
      if (row.turn !== 0) turns.add(tx, row, row.turn, slotAt)
    }
    if (affected.length > 0) tx.tellQueue()
  }
}

function withKeys(row: WaitingRow): Waiting {
  return { row, keys: expandKeys(row.limits, row.account, row.senderDomain) }
}

/** All waiting mail reachable from the key through shared buckets. */
function hangTogether(all: readonly Waiting[], changedKey: string): Waiting[] {
  const keys = new Set([changedKey])
  for (let size = 0; size !== keys.size; ) {
    size = keys.size
    for (const entry of all) if (entry.keys.some(key => keys.has(key))) for (const key of entry.keys) keys.add(key)
  }
  return all.filter(entry => entry.keys.some(key => keys.has(key)))
}

function countKeys(entries: readonly Waiting[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { keys } of entries) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
