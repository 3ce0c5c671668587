/**
 * Acceptance: content, message and entries become rows; each entry takes its send slot and, when free now, its lease.
 *
 * A leased entry touches no index of waiting entries, no turn, no line and no backlog: a fresh message that is delivered at once costs
 * four inserts here and a few deletes in settle.ts.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Backlog } from './backlog.ts'
import type { Connection } from './connection.ts'
import type { Events } from './events.ts'
import type { Lines } from './lines.ts'
import type { AcceptRow, NewEntryRow } from './rows.ts'
import type { Sequences } from './sequences.ts'
import type { ShortKey, Slots } from './slots.ts'
import type { TotalsTable } from './totals.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

/** Which recipients were leased, by number, and when the first of the others is due. */
export interface AcceptedRow {
  readonly leased: readonly number[]
  readonly nextDueAt: Instant | null
}

export interface AcceptParts {
  readonly db: Connection
  readonly sequences: Sequences
  readonly turns: Turns
  readonly lines: Lines
  readonly backlog: Backlog
  readonly slots: Slots
  readonly totals: TotalsTable
  readonly events: Events
}

export function openAccept({ db, sequences, turns, lines, backlog, slots, totals, events }: AcceptParts) {
  const insertMessage = db.prepare(
    `insert into message (seq, id, account, sender_domain, received_at, limits, states, facts, priority)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertContent = db.prepare('insert into content (message, bytes, path) values (?, ?, ?)')
  const columns = 'message, n, domain, received_at, next_attempt_at, expires_at, paced, notice, attempts, in_doubt'
  const insertLeased = db.prepare(
    `insert into entry (${columns}, lease_until, lease_owner) values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)`,
  )
  const insertWaiting = db.prepare(
    `insert into entry (${columns}, backlog, turn, line) values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)`,
  )

  /** Answers whether it was leased, and its moment. */
  function addEntry(
    tx: Transaction,
    seq: number,
    row: AcceptRow,
    entry: NewEntryRow,
  ): { leased: boolean; at: Instant } {
    const [n, domain, wantedAt, expiresAt, notice, leasable] = entry
    if (row.releaseAt > tx.now) return schedule(tx, seq, row, entry)
    const slotAt = row.limits.length === 0 ? 0 : takeSlot(tx, row)
    const at = Math.max(wantedAt, slotAt)
    const lease = leasable && at <= tx.now ? row.lease : null
    const paced = slotAt > tx.now ? 2 : 1
    if (lease) insertLeased.run(seq, n, domain, row.receivedAt, at, expiresAt, paced, notice, lease.until, lease.owner)
    else {
      const places = wait(tx, row, domain, at, paced)
      insertWaiting.run(seq, n, domain, row.receivedAt, at, expiresAt, paced, notice, ...places)
    }
    return { leased: lease !== null, at }
  }

  /** Its slot is taken when it is due; a delay is counted from then on. */
  function schedule(tx: Transaction, seq: number, row: AcceptRow, [n, domain, , expiresAt, notice]: NewEntryRow) {
    const at = row.releaseAt
    const places = wait(tx, row, domain, at, 3)
    insertWaiting.run(seq, n, domain, row.receivedAt, at, expiresAt, 3, notice === 1 ? 3 : notice, ...places)
    return { leased: false, at }
  }

  function takeSlot(tx: Transaction, { account, priority, limits }: AcceptRow): Instant {
    const short: ShortKey[] = []
    const slotAt = slots.reserve(tx, limits, short)
    if (slotAt <= tx.now || account === null) return slotAt
    return lines.overtake(tx, account, priority, short, slotAt)
  }

  function wait(
    tx: Transaction,
    { account, senderDomain, priority, limitKeys }: AcceptRow,
    domain: string,
    at: Instant,
    paced: number,
  ): [backlog: number, turn: number, line: number | null] {
    const key = { domain, account, senderDomain, priority }
    const id = backlog.find(tx, { ...key, scheduled: paced === 3, site: null, class: null, held: false })
    backlog.enter(tx, id, at)
    const inLine = paced === 2 && account !== null && limitKeys !== null
    const line = inLine ? lines.find(tx, { account, senderDomain, limits: limitKeys, priority }) : null
    return [id, turns.enter(tx, key, at), line]
  }

  return function accept(tx: Transaction, row: AcceptRow): AcceptedRow {
    // A client's clock may stand a moment behind the one that stamped the message.
    tx.now = Math.max(tx.now, row.receivedAt)
    const seq = sequences.nextMessage()
    insertMessage.run(
      seq,
      row.id,
      row.account,
      row.senderDomain,
      row.receivedAt,
      row.limitKeys,
      row.states,
      row.facts,
      row.priority,
    )
    insertContent.run(seq, row.bytes, row.path)
    const leased: number[] = []
    let nextDueAt: Instant | null = null
    for (const entry of row.entries) {
      const added = addEntry(tx, seq, row, entry)
      if (added.leased) leased.push(entry[0])
      else nextDueAt = Math.min(nextDueAt ?? added.at, added.at)
    }
    totals.add(tx, row.account, 'accepted', row.entries.length)
    events.write(row.events, new Map([[row.id, seq]]))
    if (row.announced) tx.tellQueue()
    return { leased, nextDueAt }
  }
}
