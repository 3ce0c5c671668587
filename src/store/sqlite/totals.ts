/**
 * Recipients per account since ever: what was accepted and where it ended (design invariant 2).
 */
import type { AccountId } from '../../mail/ids.ts'
import type { AccountTotals, Totals } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { TotalDelta, Transaction } from './transaction.ts'

export type TotalsTable = ReturnType<typeof openTotals>

export function openTotals(db: Connection) {
  const add = db.prepare(`
    insert into total (account, accepted, delivered, bounced, cancelled) values (?, ?, ?, ?, ?)
    on conflict (account) do update set
      accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered,
      bounced = bounced + excluded.bounced, cancelled = cancelled + excluded.cancelled`)
  return {
    add(tx: Transaction, account: AccountId | null, column: keyof TotalDelta, count: number): void {
      const key = account ?? ''
      const delta = tx.totals.get(key) ?? { accepted: 0, delivered: 0, bounced: 0, cancelled: 0 }
      delta[column] += count
      tx.totals.set(key, delta)
    },
    flush(tx: Transaction): void {
      for (const [account, { accepted, delivered, bounced, cancelled }] of tx.totals)
        add.run(account, accepted, delivered, bounced, cancelled)
      tx.totals.clear()
    },
  }
}

export function openTotalsReader(db: Connection) {
  const sum: Statement<Omit<Totals, 'queued'>> = db.prepare(`
    select coalesce(sum(accepted), 0) as accepted, coalesce(sum(delivered), 0) as delivered,
      coalesce(sum(bounced), 0) as bounced, coalesce(sum(cancelled), 0) as cancelled from total`)
  const byAccount: Statement<Omit<Totals, 'queued'> & { account: string }> = db.prepare(
    'select account, accepted, delivered, bounced, cancelled from total order by accepted desc, account limit ?',
  )
  return {
    /** `queued` is what the others leave; that it equals the rows of `entry` is tested, not assumed. */
    totals(): Totals {
      return withQueued(sum.get()!)
    },
    totalsByAccount(limit: number): AccountTotals[] {
      return byAccount.all(limit).map(({ account, ...counts }) => ({
        ...withQueued(counts),
        account: account === '' ? null : account,
      }))
    },
  }
}

function withQueued({ accepted, delivered, bounced, cancelled }: Omit<Totals, 'queued'>): Totals {
  return { accepted, delivered, bounced, cancelled, queued: accepted - delivered - bounced - cancelled }
}
