/**
 * Leases end: given back, extended, or taken from an owner that is gone.
 */
import type { EntryId, Instant } from '../../mail/ids.ts'
import type { Lease } from '../store.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Lanes } from './lanes.ts'
import { splitEntryId } from './rows.ts'
import type { Transaction } from './transaction.ts'

interface Freed {
  readonly message: number
  readonly n: number
  readonly domain: string
  readonly nextAttemptAt: number
  readonly heldReason: string | null
}

const freed = 'returning message, n, domain, next_attempt_at as nextAttemptAt, held_reason as heldReason'
const takeBack = `update entry set lease_until = null, lease_owner = null, in_doubt = 1
  where lease_until is not null and`

export function openLeases(db: Connection, lanes: Lanes, backlog: Backlog) {
  const release: Statement<Freed> = db.prepare(`
    update entry set lease_until = null, lease_owner = null, next_attempt_at = ?
    where message = (select seq from message where id = ?) and n = ? and lease_until is not null ${freed}`)
  const renew = db.prepare(`
    update entry set lease_until = ?
    where message = (select seq from message where id = ?) and n = ? and lease_until is not null and lease_owner = ?`)
  const reclaimOf: Statement<Freed> = db.prepare(`${takeBack} lease_owner = ? ${freed}`)
  const reclaimExpired: Statement<Freed> = db.prepare(`${takeBack} lease_until < ? ${freed}`)

  function waitAgain(tx: Transaction, { message, n, domain, nextAttemptAt, heldReason }: Freed): void {
    backlog.put(tx, message, n)
    if (heldReason === null) lanes.add(tx, domain, nextAttemptAt)
  }

  return {
    release(tx: Transaction, entries: readonly { readonly entry: EntryId; readonly nextAttemptAt: Instant }[]): void {
      for (const { entry, nextAttemptAt } of entries) {
        const { message, n } = splitEntryId(entry)
        const row = release.get(nextAttemptAt, message, n)
        if (row) waitAgain(tx, row)
      }
      tx.tellQueue()
    },

    renew(_tx: Transaction, entries: readonly EntryId[], { owner, until }: Lease): void {
      for (const entry of entries) {
        const { message, n } = splitEntryId(entry)
        renew.run(until, message, n, owner)
      }
    },

    reclaim(tx: Transaction, of: { readonly owner: string } | { readonly expiredBefore: Instant }): number {
      const rows = 'owner' in of ? reclaimOf.all(of.owner) : reclaimExpired.all(of.expiredBefore)
      const opened = 'owner' in of ? lanes.openAll(tx) : 0
      for (const row of rows) waitAgain(tx, row)
      if (rows.length + opened > 0) tx.tellQueue()
      return rows.length
    },
  }
}
