/**
 * An operator's orders to many entries: hold, unhold, retry now, take out for cancelling.
 *
 * Each call changes at most `limit` entries and answers how many; the caller repeats until none is left, so that an
 * order about a million entries does not keep accepted mail waiting for its commit. Each entry gets its event.
 */
import type { EventType } from '../../mail/event.ts'
import type { Instant } from '../../mail/ids.ts'
import type { Lease, QueueFilter } from '../store.ts'
import type { openClaim } from './claim.ts'
import type { Connection } from './connection.ts'
import type { Events } from './events.ts'
import type { Lanes } from './lanes.ts'
import { queueCondition } from './queue-filter.ts'
import { type ClaimedRows, type EntryRow, entryColumns } from './rows.ts'
import { openTraceReader } from './trace.ts'
import type { Transaction } from './transaction.ts'

interface OrderedEntry {
  readonly message: number
  readonly n: number
  readonly domain: string
  readonly nextAttemptAt: number
  readonly id: string
  readonly account: string | null
  readonly recipient: string
  readonly leased: number
}

const orderColumns = `e.message, e.n, e.domain, e.next_attempt_at as nextAttemptAt, m.id, m.account,
  json_extract(m.facts, '$.envelope.recipients[' || e.n || '].address') as recipient, e.lease_until is not null as leased`

export interface OrderParts {
  readonly db: Connection
  readonly lanes: Lanes
  readonly events: Events
  readonly claim: ReturnType<typeof openClaim>
}

export function openOrders({ db, lanes, events, claim }: OrderParts) {
  const hold = db.prepare('update entry set held_reason = ? where message = ? and n = ?')
  const trace = openTraceReader(db)
  // Who orders a retry doesn't want it to wait for the slot it had.
  const retry = db.prepare('update entry set next_attempt_at = ?, paced = min(paced, 1) where message = ? and n = ?')

  /** Entries for which something is left to do, by `extra`. */
  function select(tx: Transaction, filter: QueueFilter, extra: string, limit: number): OrderedEntry[] {
    const { sql, values } = queueCondition(trace, filter, tx.now)
    return db
      .prepare<unknown[], OrderedEntry>(
        `select ${orderColumns} from entry e join message m on m.seq = e.message where ${sql} and ${extra} limit ?`,
      )
      .all(...values, limit)
  }

  function tell(tx: Transaction, type: EventType, entries: readonly OrderedEntry[], data: unknown): void {
    const text = JSON.stringify(data)
    events.write(
      entries.map(({ id, n, account, recipient, domain }) => [type, tx.now, account, id, n, recipient, domain, text]),
    )
  }

  return {
    /** A leased entry ends its attempt first; a deferral then finds it held. */
    hold(tx: Transaction, filter: QueueFilter, reason: string, now: Instant, limit: number): number {
      tx.now = now
      const entries = select(tx, filter, 'e.held_reason is null', limit)
      for (const { message, n } of entries) hold.run(reason, message, n)
      tell(tx, 'message.held', entries, { reason })
      return entries.length
    },

    unhold(tx: Transaction, filter: QueueFilter, now: Instant, limit: number): number {
      tx.now = now
      const entries = select(tx, filter, 'e.held_reason is not null', limit)
      for (const { message, n, domain, nextAttemptAt, leased } of entries) {
        hold.run(null, message, n)
        if (!leased) lanes.add(tx, domain, nextAttemptAt)
      }
      tell(tx, 'message.released', entries, {})
      if (entries.length > 0) tx.tellQueue()
      return entries.length
    },

    retryNow(tx: Transaction, filter: QueueFilter, now: Instant, limit: number): number {
      tx.now = now
      // A held entry keeps its time: it is released by its own order, and a retry that changed it would not show.
      const waiting = `e.lease_until is null and e.held_reason is null and e.next_attempt_at > ${tx.now}`
      const entries = select(tx, filter, waiting, limit)
      lanes.open(tx, new Set(entries.map(entry => entry.domain)))
      for (const { message, n, domain } of entries) {
        retry.run(tx.now, message, n)
        lanes.add(tx, domain, tx.now)
      }
      tell(tx, 'message.retried', entries, {})
      if (entries.length > 0) tx.tellQueue(true)
      return entries.length
    },

    claimForCancel(tx: Transaction, filter: QueueFilter, lease: Lease, limit: number): ClaimedRows {
      const { sql, values } = queueCondition(trace, filter, tx.now)
      const entries = db
        .prepare<unknown[], EntryRow>(
          `select ${entryColumns} from entry e join message m on m.seq = e.message
          where ${sql} and e.lease_until is null limit ?`,
        )
        .raw()
        .all(...values, limit) as unknown as EntryRow[]
      return claim.lend(entries, lease)
    },
  }
}
