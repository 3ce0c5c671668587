/**
 * Leases end: given back, extended, or taken from an owner that is gone.
 */
import type { EntryId, Instant } from '../../mail/ids.ts'
import type { SuspensionId } from '../../mail/suspension.ts'
import type { Lease, Release } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Lanes } from './lanes.ts'
import { splitEntryId } from './rows.ts'
import type { SuspensionsTable } from './suspensions.ts'
import type { Transaction } from './transaction.ts'
import type { Waiting } from './waiting.ts'

interface Freed {
  readonly message: number
  readonly n: number
}

const freed = 'returning message, n'
const takeBack = `update entry set lease_until = null, lease_owner = null, in_doubt = 1
  where lease_until is not null and`

export function openLeases(db: Connection, lanes: Lanes, waiting: Waiting, suspensions: SuspensionsTable) {
  const release: Statement<Freed> = db.prepare(`
    update entry set lease_until = null, lease_owner = null, next_attempt_at = ?, waits_for = ?
    where message = (select seq from message where id = ?) and n = ? and lease_until is not null and lease_owner = ?
    ${freed}`)
  const renew = db.prepare(`
    update entry set lease_until = ?
    where message = (select seq from message where id = ?) and n = ? and lease_until is not null and lease_owner = ?`)
  const reclaimOf: Statement<Freed> = db.prepare(`${takeBack} lease_owner = ? ${freed}`)
  const reclaimExpired: Statement<Freed> = db.prepare(`${takeBack} lease_until < ? ${freed}`)

  function suspend(tx: Transaction, { message, n }: Freed, id: SuspensionId): void {
    const suspension = suspensions.inForce(tx).find(one => one.id === id)
    if (suspension) suspensions.hold(tx, message, n, suspension)
  }

  return {
    release(tx: Transaction, entries: readonly Release[], owner: string): void {
      for (const { entry, nextAttemptAt, waitsFor = null, suspension } of entries) {
        const { message, n } = splitEntryId(entry)
        const row = release.get(nextAttemptAt, waitsFor, message, n, owner)
        if (!row) continue
        if (suspension !== undefined) suspend(tx, row, suspension)
        waiting.put(tx, row.message, row.n)
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
      for (const row of rows) waiting.put(tx, row.message, row.n)
      if (rows.length + opened > 0) tx.tellQueue()
      return rows.length
    },
  }
}
