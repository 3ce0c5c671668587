/**
 * Turns: one row per recipient domain, account, sender domain and priority with claimable entries.
 *
 * A claim goes by account (claimants.ts), then by priority, then takes an even share of each turn that is due, the oldest
 * first; so neither an account nor one of its sender domains waits behind another's backlog. `due_at` is at or before the
 * first moment at which one of the entries can be claimed (later only when the turn was just visited: it then goes to the
 * back of those that are due). Entries name their turn by its number while they can be claimed; a turn is removed
 * when a visit finds none. Turns of a closed lane are parked until it opens (lanes.ts).
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import { ranks } from '../../mail/priority.ts'
import type { Claimants } from './claimants.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export type Turns = ReturnType<typeof openTurns>

/** What entries of one turn have in common. `priority`: its rank. */
export interface TurnKey {
  readonly domain: DomainName
  readonly account: AccountId | null
  readonly senderDomain: DomainName
  readonly priority: number
}

export interface DueTurn {
  readonly id: number
  readonly domain: DomainName
}

export const dueTurnsSql = `select id, domain from turn
  where account = ? and priority = ? and due_at <= ? order by due_at limit ?`
/** By priority, because the index has it before the time. */
export const nextTurnSql = `select min(at) from (${ranks
  .map(rank => `select min(due_at) as at from turn where account = ? and priority = ${rank}`)
  .join(' union all ')})`

export function openTurns(db: Connection, claimants: Claimants) {
  const known: Statement<number> = db.prepare(
    'select id from turn where domain = ? and account = ? and sender_domain = ? and priority = ?',
  )
  const create: Statement<number> = db.prepare(
    `insert into turn (domain, account, sender_domain, priority, due_at, parked)
      values (?, ?, ?, ?, ?, 0) returning id`,
  )
  const closedUntil: Statement<Instant> = db.prepare('select closed_until from lane where domain = ?')
  const advance = db.prepare('update turn set due_at = ?, parked = ? where id = ? and due_at > ?')
  const due: Statement<DueTurn> = db.prepare(dueTurnsSql)
  const next: Statement<number | null> = db.prepare(nextTurnSql)
  const revisit = db.prepare('update turn set due_at = ?, parked = 0 where id = ?')
  const park = db.prepare('update turn set due_at = ?, parked = 1 where id = ?')
  const remove = db.prepare('delete from turn where id = ?')
  for (const statement of [known, create, closedUntil, next]) statement.pluck()

  function add(tx: Transaction, { domain, account }: Pick<TurnKey, 'domain' | 'account'>, turn: number, at: Instant) {
    const known = tx.turnsDue.get(turn)
    if (known === undefined) tx.turnsDue.set(turn, { domain, account, dueAt: at })
    else if (at < known.dueAt) known.dueAt = at
  }

  function openAt(domain: DomainName): Instant {
    return closedUntil.get(domain) ?? 0
  }

  return {
    /** An entry of the turn can be claimed from then on. */
    add,
    /** The number of the turn, made when it is new: an entry that can be claimed from then on is given it now. */
    enter(tx: Transaction, key: TurnKey, dueAt: Instant): number {
      const { domain, account, senderDomain, priority } = key
      const name = `${domain}\n${account ?? ''}\n${senderDomain}\n${priority}`
      const values = [domain, account ?? '', senderDomain, priority] as const
      const id = tx.turns.get(name) ?? known.get(...values) ?? create.get(...values, Number.MAX_SAFE_INTEGER)!
      tx.turns.set(name, id)
      add(tx, key, id, dueAt)
      return id
    },
    flush(tx: Transaction): void {
      for (const [turn, { domain, account, dueAt }] of tx.turnsDue) {
        const opens = openAt(domain)
        const at = Math.max(dueAt, opens)
        advance.run(at, opens > dueAt ? 1 : 0, turn, at)
        claimants.note(tx, account, at)
      }
      tx.turnsDue.clear()
      tx.turns.clear()
      claimants.flush(tx)
    },
    /** Those of one account and priority that are due; who waits for longest comes first. */
    due: (tx: Transaction, account: string, priority: number, limit: number): DueTurn[] =>
      due.all(account, priority, tx.now, limit),
    /** When the first of an account is due; null: none is left. */
    next: (account: string): Instant | null => next.get(...ranks.map(() => account)) ?? null,
    /** After a visit: when its next claimable entry is due; null when none is left. */
    revisit(turn: number, nextAt: Instant | null): void {
      if (nextAt === null) remove.run(turn)
      else revisit.run(nextAt, turn)
    },
    park: (turn: number, until: Instant): void => void park.run(until, turn),
    /** When its lane is open again; a moment past: it is. */
    openAt,
  }
}
