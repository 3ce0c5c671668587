/**
 * Turns: one row per recipient domain and account with claimable entries, so that accounts take turns within a lane.
 *
 * A claim takes a share of each account whose turn it is, the oldest first; one account's backlog of 50,000 then delays
 * another's retry by a claim, not by 50,000. `due_at` is at or before the first moment at which one of the entries can be
 * claimed (later only when the turn was just visited: it then goes to the back of those that are due). Entries name
 * their turn by its number while they can be claimed; a turn is removed when a visit finds none.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export type Turns = ReturnType<typeof openTurns>

export const dueTurnsSql = 'select id from turn where domain = ? and due_at <= ? order by due_at limit ?'
export const nextTurnSql = 'select min(due_at) from turn where domain = ?'

export function openTurns(db: Connection) {
  const known: Statement<number> = db.prepare('select id from turn where domain = ? and account = ?')
  const create: Statement<number> = db.prepare(
    'insert into turn (domain, account, due_at) values (?, ?, ?) returning id',
  )
  const advance = db.prepare('update turn set due_at = ? where id = ? and due_at > ?')
  const due: Statement<number> = db.prepare(dueTurnsSql)
  const next: Statement<number | null> = db.prepare(nextTurnSql)
  const revisit = db.prepare('update turn set due_at = ? where id = ?')
  const remove = db.prepare('delete from turn where id = ?')
  for (const statement of [known, create, due, next]) statement.pluck()

  function add(tx: Transaction, turn: number, dueAt: Instant): void {
    const known = tx.turnsDue.get(turn)
    if (known === undefined || dueAt < known) tx.turnsDue.set(turn, dueAt)
  }

  return {
    /** An entry of the turn can be claimed from then on. */
    add,
    /** The number of the turn, made when it is new: an entry that can be claimed from then on is given it now. */
    enter(tx: Transaction, domain: DomainName, account: AccountId | null, dueAt: Instant): number {
      const name = `${domain}\n${account ?? ''}`
      const id = tx.turns.get(name) ?? known.get(domain, account ?? '') ?? create.get(domain, account ?? '', dueAt)!
      tx.turns.set(name, id)
      add(tx, id, dueAt)
      return id
    },
    flush(tx: Transaction): void {
      for (const [turn, dueAt] of tx.turnsDue) advance.run(dueAt, turn, dueAt)
      tx.turnsDue.clear()
      tx.turns.clear()
    },
    /** Who has something due in a lane; who waits for longest comes first. */
    due: (tx: Transaction, domain: DomainName, limit: number): number[] => due.all(domain, tx.now, limit),
    /** When the first of a lane is due; null: none is left. */
    next: (domain: DomainName): Instant | null => next.get(domain) ?? null,
    /** After a visit: when its next claimable entry is due; null when none is left. */
    revisit(turn: number, nextAt: Instant | null): void {
      if (nextAt === null) remove.run(turn)
      else revisit.run(nextAt, turn)
    },
  }
}
