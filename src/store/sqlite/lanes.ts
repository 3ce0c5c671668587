/**
 * Lanes: all that waits for one recipient domain, which nothing is claimed for while it is closed.
 *
 * A closed lane is one row. Its turns (turns.ts) are parked: a few at once, the others when a claim comes across them,
 * so that closing costs the same whatever is queued and a claim meets each of them once. An operator or whoever closed
 * it may open it early.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { Claimants } from './claimants.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

export type Lanes = ReturnType<typeof openLanes>

interface Parked {
  readonly id: number
  readonly account: AccountId
}

/** Turns parked with the closing of a lane: more than most lanes have, at some 5 µs each. */
const parkedAtOnce = 32

export function openLanes(db: Connection, turns: Turns, claimants: Claimants) {
  const close = db.prepare('insert or replace into lane (domain, closed_until) values (?, ?)')
  const remove = db.prepare('delete from lane where domain = ?')
  const removeOpen = db.prepare('delete from lane where closed_until <= ?')
  const count: Statement<number> = db.prepare('select count(*) from lane where closed_until > ?')
  count.pluck()
  const some: Statement<Parked> = db.prepare(
    `select id, account from (select id, account, due_at, parked from turn where domain = ? limit ?)
      where due_at < ? and parked = 0`,
  )
  const unpark: Statement<Parked> = db.prepare(
    'update turn set due_at = min(due_at, ?), parked = 0 where domain = ? and parked = 1 returning id, account',
  )
  const unparkAll = db.prepare('update turn set due_at = min(due_at, ?), parked = 0 where parked = 1')

  /** Some may not be due before long: a visit will tell. Answers whether anything was parked. */
  function open(tx: Transaction, domain: DomainName): boolean {
    remove.run(domain)
    const parked = unpark.all(tx.now, domain)
    for (const { account } of parked) claimants.note(tx, account, tx.now)
    return parked.length > 0
  }

  function closeOne(domain: DomainName, until: Instant): Set<AccountId> {
    close.run(domain, until)
    const parked = some.all(domain, parkedAtOnce, until)
    for (const { id } of parked) turns.park(id, until)
    return new Set(parked.map(({ account }) => account))
  }

  return {
    /**
     * A later call replaces an earlier one; a moment past opens them. That is told to all workers: one that has sent all
     * it had meanwhile would find out only when the lanes had opened by themselves.
     */
    postpone(tx: Transaction, domains: readonly DomainName[], until: Instant): void {
      turns.flush(tx)
      removeOpen.run(tx.now)
      const accounts = new Set<AccountId>()
      for (const domain of domains) {
        const hadParked = open(tx, domain)
        if (until > tx.now) for (const account of closeOne(domain, until)) accounts.add(account)
        else if (hadParked) tx.tellQueue()
      }
      claimants.flush(tx)
      for (const account of accounts) claimants.wait(account, turns.next(account))
    },
    /** Ends a postponement: an operator wants it now. */
    open(tx: Transaction, domains: Iterable<DomainName>): void {
      turns.flush(tx)
      for (const domain of domains) open(tx, domain)
    },
    /** Ends all postponements; answers how many. */
    openAll(tx: Transaction): number {
      turns.flush(tx)
      const closed = count.get(tx.now)!
      removeOpen.run(Number.MAX_SAFE_INTEGER)
      unparkAll.run(tx.now)
      claimants.advanceAll(tx)
      return closed
    },
  }
}
