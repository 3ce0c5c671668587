/**
 * Claimants: one row per account that has turns, so that accounts come before recipient domains in a claim.
 *
 * A claim takes a share of each, who has waited for longest first: mail of one account for tens of thousands of domains
 * then delays another's single mail by a claim. `due_at` is at or before the first moment at which one of its turns is
 * due (later only when the account was just visited: it then goes to the back of those that are due).
 */
import type { AccountId, Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export type Claimants = ReturnType<typeof openClaimants>

export interface Claimant {
  /** '': the relay itself. */
  readonly account: string
  readonly visits: number
}

export const dueClaimantsSql = 'select account, visits from claimant where due_at <= ? order by due_at limit ?'

export function openClaimants(db: Connection) {
  const advance = db.prepare(`
    insert into claimant (account, due_at, visits) values (?, ?, 0)
    on conflict (account) do update set due_at = excluded.due_at where excluded.due_at < due_at`)
  const due: Statement<Claimant> = db.prepare(dueClaimantsSql)
  const revisit = db.prepare('update claimant set due_at = ?, visits = visits + 1 where account = ?')
  const wait = db.prepare('update claimant set due_at = ? where account = ?')
  const remove = db.prepare('delete from claimant where account = ?')
  const advanceAll = db.prepare('update claimant set due_at = ? where due_at > ?')

  return {
    /** One of its turns is due then. */
    note(tx: Transaction, account: AccountId | null, dueAt: Instant): void {
      const key = account ?? ''
      const known = tx.claimants.get(key)
      if (known === undefined || dueAt < known) tx.claimants.set(key, dueAt)
    },
    flush(tx: Transaction): void {
      for (const [account, dueAt] of tx.claimants) advance.run(account, dueAt)
      tx.claimants.clear()
    },
    /** Who has waited for longest comes first. */
    due: (tx: Transaction, limit: number): Claimant[] => due.all(tx.now, limit),
    /** After a visit: when the next of its turns is due; null when it has none left. */
    revisit(account: string, nextAt: Instant | null): void {
      if (nextAt === null) remove.run(account)
      else revisit.run(nextAt, account)
    },
    /** The same without a visit: some of its turns were parked. */
    wait(account: string, nextAt: Instant | null): void {
      if (nextAt !== null) wait.run(nextAt, account)
    },
    /** Something of each may be due now. */
    advanceAll: (tx: Transaction): void => void advanceAll.run(tx.now, tx.now),
  }
}
