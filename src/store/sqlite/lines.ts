/**
 * Lines: who waits for send slots under the same limits with the same priority, and who may go first.
 *
 * A mailing takes its slots hours ahead. More urgent mail that would have to stand behind it takes the earliest slot of
 * a less urgent entry instead, that entry the next one of its line, whose entry one twice as far back, and so on to the slot
 * at the end: the limits see the same slots, so they stay exact, and who is overtaken stays about where its age puts it.
 * Considered: all of the line one slot back, which is exact and writes all of it for each urgent mail; and at once to the
 * end, where the oldest of a mailing came last. An
 * entry can give its slot when that is not before the slots that the other has under limits of its own: a credential for
 * passwords has a rate, too, and its second mail must not wait for the account's mailing because of that. Whoever is moved
 * may overtake in turn (normal mail goes before bulk), so a score of entries move in each of two lines at most. Of every few that could be overtaken
 * one keeps its slot for good, so that the less urgent never stop. Considered: a slot late, when its mail is due; then a
 * limit can only be kept by looking again and again at all that waits for it.
 * O(log n) for each line of the account; nothing is looked at while there are slots for all.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import { leastRank, turnsBeforeLess } from '../../mail/priority.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import { expandKeys } from './rows.ts'
import type { ShortKey } from './slots.ts'
import type { Transaction } from './transaction.ts'

export type Lines = ReturnType<typeof openLines>

/** What those in a line have in common. `priority`: its rank; `limits`: as with the message. */
export interface LineKey {
  readonly account: AccountId
  readonly senderDomain: DomainName
  readonly limits: string
  readonly priority: number
}

interface LineRow extends LineKey {
  readonly id: number
  readonly overtaken: number
}

interface InLine {
  readonly message: number
  readonly n: number
  readonly at: Instant
  readonly backlog: number
}

interface Overtakable {
  readonly entry: InLine
  readonly line: LineRow
}

/** Of an account, most urgent mail looks at no more: one with more sender domains under limits is found by some of them. */
const linesLookedAt = 100

export const firstOfLineSql = `select message, n, next_attempt_at as at, backlog from entry
  where paced = 2 and line = ? order by next_attempt_at limit 1`
export const firstInLineFromSql = `select message, n, next_attempt_at as at, backlog from entry
  where paced = 2 and line = ? and next_attempt_at >= ? order by next_attempt_at limit 1`

export const nextInLineSql = `select message, n, next_attempt_at as at, backlog from entry
  where paced = 2 and line = ? and next_attempt_at > ? and next_attempt_at < ? order by next_attempt_at limit 1`

/** Steps back, each twice as long as the one before: beyond, a line reaches further than anybody waits. */
const steps = 20

export function openLines(db: Connection, backlog: Backlog) {
  const known: Statement<number> = db.prepare(
    'select id from line where account = ? and priority = ? and sender_domain = ? and limits = ?',
  )
  const create: Statement<number> = db.prepare(
    'insert into line (account, priority, sender_domain, limits, overtaken) values (?, ?, ?, ?, 0) returning id',
  )
  for (const statement of [known, create]) statement.pluck()
  const lessUrgent: Statement<LineRow> = db.prepare(
    `select id, account, priority, sender_domain as senderDomain, limits, overtaken from line
      where account = ? and priority > ? order by priority desc limit ${linesLookedAt}`,
  )
  const firstOf: Statement<InLine> = db.prepare(firstOfLineSql)
  const firstFrom: Statement<InLine> = db.prepare(firstInLineFromSql)
  const nextIn: Statement<InLine> = db.prepare(nextInLineSql)
  const count = db.prepare('update line set overtaken = overtaken + 1 where id = ?')
  const keep = db.prepare('update entry set line = null where message = ? and n = ?')
  const move = db.prepare('update entry set next_attempt_at = ? where message = ? and n = ?')
  const remove = db.prepare('delete from line where id = ?')

  function find(tx: Transaction, { account, priority, senderDomain, limits }: LineKey): number {
    const values = [account, priority, senderDomain, limits] as const
    const name = values.join('\n')
    const id = tx.lines.get(name) ?? known.get(...values) ?? create.get(...values)!
    tx.lines.set(name, id)
    return id
  }

  /** Who is due first, not before `from`. Null: nobody; a line that nobody stands in is gone. */
  function firstIn(tx: Transaction, line: LineRow, from: Instant): InLine | null {
    const entry = firstOf.get(line.id)
    if (entry) return entry.at >= from ? entry : (firstFrom.get(line.id, from) ?? null)
    const { account, priority, senderDomain, limits } = line
    tx.lines.delete([account, priority, senderDomain, limits].join('\n'))
    remove.run(line.id)
    return null
  }

  /** The entry that is due first, of those whose slots satisfy what is `short` and come before `slotAt`. */
  function earliest(
    tx: Transaction,
    account: AccountId,
    rank: number,
    short: readonly ShortKey[],
    slotAt: Instant,
  ): Overtakable | null {
    let found: Overtakable | null = null
    for (const line of lessUrgent.all(account, rank)) {
      const from = fromWhen(short, expandKeys(line.limits, account, line.senderDomain))
      if (from >= slotAt) continue
      const entry = firstIn(tx, line, from)
      if (entry !== null && entry.at < (found?.entry.at ?? slotAt)) found = { entry, line }
    }
    return found
  }

  /** What stands in the slot of `found` moves back by one; who comes last moves to `slotAt`, or overtakes in turn. */
  function moveBack(tx: Transaction, { entry, line }: Overtakable, short: readonly ShortKey[], slotAt: Instant): void {
    count.run(line.id)
    const moving = behind(line, entry, slotAt)
    const last = overtake(tx, line.account, line.priority, short, slotAt)
    for (const [index, { message, n, at, backlog: id }] of moving.entries()) {
      const to = moving[index + 1]?.at ?? last
      move.run(to, message, n)
      backlog.leave(tx, id, at)
      backlog.enter(tx, id, to)
    }
  }

  /** `first`, and who stands behind it in the line by one place, and by about two, four, eight … */
  function behind({ id }: LineRow, first: InLine, slotAt: Instant): InLine[] {
    const found = [first]
    let stepMs = 0
    while (found.length <= steps) {
      const next = nextIn.get(id, Math.max(first.at + stepMs - 1, found.at(-1)!.at), slotAt)
      if (next === undefined) break
      found.push(next)
      stepMs = 2 * (next.at - first.at)
    }
    return found
  }

  function overtake(
    tx: Transaction,
    account: AccountId,
    rank: number,
    short: readonly ShortKey[],
    slotAt: Instant,
  ): Instant {
    if (rank >= leastRank) return slotAt
    const found = earliest(tx, account, rank, short, slotAt)
    if (found === null) return slotAt
    if (found.line.overtaken % (turnsBeforeLess + 1) === turnsBeforeLess) {
      count.run(found.line.id)
      keep.run(found.entry.message, found.entry.n)
      return overtake(tx, account, rank, short, slotAt)
    }
    moveBack(tx, found, short, slotAt)
    return Math.max(found.entry.at, tx.now)
  }

  return {
    /** The number of a line, made when it is new: an entry that waits for its slot is given it in the same transaction. */
    find,
    /** Who would have to wait for `slotAt`, the latest of its slots that are not now: answers the one it has after overtaking. */
    overtake,
  }
}

/** The moment from which on a slot under `own` limits does for all that is short. */
function fromWhen(short: readonly ShortKey[], own: readonly string[]): Instant {
  let from = 0
  for (const { key, at } of short) if (at > from && !own.includes(key)) from = at
  return from
}
