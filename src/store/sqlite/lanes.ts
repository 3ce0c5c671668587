/**
 * Lanes: one row per recipient domain that has claimable entries, so that a claim looks at domains, not at entries.
 *
 * A lane's `due_at` is at or before the first moment at which one of its entries can be claimed (later only when the
 * lane was just visited: it then goes to the back of those that are due, so that one long backlog does not keep the
 * others waiting). `closed_until` holds it back as a whole: a million entries for a dead domain cost one row.
 * Within a lane the accounts take turns (turns.ts).
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

export type Lanes = ReturnType<typeof openLanes>

export function openLanes(db: Connection, turns: Turns) {
  const add = db.prepare(`
    insert into lane (domain, due_at) values (?, ?)
    on conflict (domain) do update set due_at = max(min(due_at, excluded.due_at), closed_until)
    where max(min(due_at, excluded.due_at), closed_until) <> due_at`)
  const due: Statement<string> = db.prepare('select domain from lane where due_at <= ? order by due_at limit ?')
  const postpone = db.prepare(`
    insert into lane (domain, due_at, closed_until) values (?, ?, ?)
    on conflict (domain) do update set due_at = excluded.due_at, closed_until = excluded.closed_until`)
  const open = db.prepare('update lane set closed_until = 0 where domain = ? and closed_until > 0')
  const openAll = db.prepare('update lane set due_at = ?, closed_until = 0 where closed_until > ?')
  const revisit = db.prepare('update lane set due_at = ? where domain = ?')
  const remove = db.prepare('delete from lane where domain = ?')
  due.pluck()

  function flush(tx: Transaction): void {
    for (const [domain, dueAt] of tx.lanes) add.run(domain, dueAt)
    tx.lanes.clear()
    turns.flush(tx)
  }

  function note(tx: Transaction, domain: DomainName, dueAt: Instant): void {
    const known = tx.lanes.get(domain)
    if (known === undefined || dueAt < known) tx.lanes.set(domain, dueAt)
  }

  return {
    flush,
    /** An entry of the account for the domain can be claimed from then on; answers its turn. */
    enter(tx: Transaction, domain: DomainName, account: AccountId | null, dueAt: Instant): number {
      note(tx, domain, dueAt)
      return turns.enter(tx, domain, account, dueAt)
    },
    /** One that has its turn can be claimed from then on. */
    move(tx: Transaction, domain: DomainName, turn: number, dueAt: Instant): void {
      note(tx, domain, dueAt)
      turns.add(tx, turn, dueAt)
    },
    due(tx: Transaction, limit: number): DomainName[] {
      flush(tx)
      return due.all(tx.now, limit)
    },
    /** After a visit: when its next claimable entry is due; null when none is left. */
    revisit(domain: DomainName, nextAt: Instant | null): void {
      if (nextAt === null) remove.run(domain)
      else revisit.run(nextAt, domain)
    },
    postpone(tx: Transaction, domains: readonly DomainName[], until: Instant): void {
      flush(tx)
      for (const domain of domains) postpone.run(domain, until, until)
    },
    /** Ends a postponement: an operator wants it now. */
    open(tx: Transaction, domains: Iterable<DomainName>): void {
      flush(tx)
      for (const domain of domains) open.run(domain)
    },
    /** Ends all postponements; answers how many. */
    openAll(tx: Transaction): number {
      flush(tx)
      return openAll.run(tx.now, tx.now).changes
    },
  }
}
