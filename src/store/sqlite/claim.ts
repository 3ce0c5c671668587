/**
 * Claims: entries under a lease, for an attempt, for the end of their time, or to be cancelled.
 *
 * A claim takes due entries by account, priority and turn (shares.ts), through `entry_due`; it never sees the entries of a
 * lane that is closed or those that wait for their slots. Its work is bounded by `limit`, whatever is queued. An entry
 * that still needs a send slot (a retry, a scheduled one) takes it here and, when the slot is later, moves there instead
 * of being claimed.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { ClaimRequest, Lease } from '../store.ts'
import type { Backlog } from './backlog.ts'
import type { Claimants } from './claimants.ts'
import type { Connection, Statement } from './connection.ts'
import type { Lines } from './lines.ts'
import { type ClaimedRows, type EntryRow, entryColumns, expandKeys } from './rows.ts'
import { openShares } from './shares.ts'
import type { ShortKey, Slots } from './slots.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'
import type { Waiting } from './waiting.ts'

/** `paced` stands last, the backlog before it. */
export type Candidate = readonly [...EntryRow, backlog: number, paced: number]
export const candidateColumns = `${entryColumns}, e.backlog, e.paced`

export const dueSql = `select ${candidateColumns} from entry e
  where e.turn = ? and e.lease_until is null and e.held_reason is null and e.next_attempt_at <= ?
  order by e.next_attempt_at limit ?`
export const nextOfTurnSql = `select min(next_attempt_at) from entry
  where turn = ? and lease_until is null and held_reason is null`
export const expiredSql = `select ${candidateColumns} from entry e
  where e.lease_until is null and e.expires_at <= ? order by e.expires_at limit ?`
export const delayedSql = `select ${entryColumns} from entry e
  where e.notice = 1 and e.lease_until is null and e.received_at < ? order by e.received_at limit ?`

interface Owner {
  readonly limits: string | null
  readonly account: AccountId | null
  readonly senderDomain: DomainName
  readonly priority: number
}

export interface ClaimParts {
  readonly db: Connection
  readonly claimants: Claimants
  readonly turns: Turns
  readonly lines: Lines
  readonly backlog: Backlog
  readonly waiting: Waiting
  readonly slots: Slots
}

export function openClaim({ db, claimants, turns, lines, backlog, waiting, slots }: ClaimParts) {
  const due: Statement<Candidate> = db.prepare(dueSql)
  const nextOfTurn: Statement<number | null> = db.prepare(nextOfTurnSql)
  const expired: Statement<Candidate> = db.prepare(expiredSql)
  const delayed: Statement<EntryRow> = db.prepare(delayedSql)
  const lend = db.prepare(
    'update entry set lease_until = ?, lease_owner = ?, paced = 1, waits_for = null where message = ? and n = ?',
  )
  // Its delay is counted from its release on.
  const lendReleased = db.prepare(`
    update entry set lease_until = ?, lease_owner = ?, paced = 1, waits_for = null, received_at = next_attempt_at,
      notice = case notice when 3 then 1 else notice end where message = ? and n = ?`)
  const move = db.prepare(`
    update entry set next_attempt_at = ?, paced = 2, line = ?, received_at = case paced when 3 then next_attempt_at
      else received_at end, notice = case notice when 3 then 1 else notice end where message = ? and n = ?`)
  const notified = db.prepare('update entry set notice = 2 where message = ? and n = ?')
  const facts: Statement<string> = db.prepare('select facts from message where seq = ?')
  const ownerOf: Statement<Owner> = db.prepare(
    'select limits, account, sender_domain as senderDomain, priority from message where seq = ?',
  )
  for (const statement of [due, expired, delayed]) statement.raw()
  for (const statement of [nextOfTurn, facts]) statement.pluck()

  function leave(tx: Transaction, candidate: Candidate): void {
    backlog.leave(tx, backlogOf(candidate), candidate[4])
  }

  function lendAll(tx: Transaction, candidates: readonly Candidate[], lease: Lease): void {
    for (const candidate of candidates) {
      const [message, n] = candidate
      const statement = candidate.at(-1) === 3 ? lendReleased : lend
      statement.run(lease.until, lease.owner, message, n)
      leave(tx, candidate)
    }
  }

  /** True when the entry may be attempted now. */
  function hasSlot(tx: Transaction, candidate: Candidate): boolean {
    const paced = candidate.at(-1)
    if (paced === 1 || paced === 2) return true
    const [message, n] = candidate
    const sender = ownerOf.get(message)!
    if (sender.limits === null) return true
    const slotAt = takeSlot(tx, sender)
    if (slotAt <= tx.now) return true
    leave(tx, candidate)
    move.run(slotAt, lineOf(tx, sender), message, n)
    waiting.put(tx, message, n)
    return false
  }

  function takeSlot(tx: Transaction, { limits, account, senderDomain, priority }: Owner): Instant {
    const short: ShortKey[] = []
    const slotAt = slots.reserveInForce(tx, expandKeys(limits, account, senderDomain), short)
    return slotAt <= tx.now || account === null ? slotAt : lines.overtake(tx, account, priority, short, slotAt)
  }

  function lineOf(tx: Transaction, { limits, account, senderDomain, priority }: Owner): number | null {
    return limits === null || account === null ? null : lines.find(tx, { account, senderDomain, limits, priority })
  }

  function withMessages(entries: readonly (EntryRow | Candidate)[]): ClaimedRows {
    const messages = new Map<number, string>()
    for (const [message] of entries) if (!messages.has(message)) messages.set(message, facts.get(message)!)
    return { entries: entries as readonly EntryRow[], messages }
  }

  const shares = openShares<Candidate>({
    claimants,
    turns,
    dueOf: (tx, turn, limit) => due.all(turn, tx.now, limit),
    take(tx, found, { lease }) {
      const free = found.filter(candidate => hasSlot(tx, candidate))
      lendAll(tx, free, lease)
      return free
    },
    nextOf: turn => nextOfTurn.get(turn) ?? null,
  })

  return {
    claim(tx: Transaction, request: ClaimRequest): ClaimedRows {
      tx.now = request.now
      return withMessages(shares.take(tx, request))
    },

    /** Held ones too: a hold does not make mail immortal. */
    claimExpired(tx: Transaction, { now, lease, limit }: Omit<ClaimRequest, 'perDomain'>): ClaimedRows {
      tx.now = now
      const found = expired.all(now, limit)
      lendAll(tx, found, lease)
      return withMessages(found)
    },

    /** Leases what the caller selected. */
    lend(tx: Transaction, entries: readonly Candidate[], lease: Lease): ClaimedRows {
      lendAll(tx, entries, lease)
      return withMessages(entries)
    },

    takeDelayed(_tx: Transaction, { receivedBefore, limit }: { receivedBefore: Instant; limit: number }): ClaimedRows {
      const found = delayed.all(receivedBefore, limit)
      for (const [message, n] of found) notified.run(message, n)
      return withMessages(found.map(withNotice))
    },
  }
}

function backlogOf(candidate: Candidate): number {
  return candidate.at(-2) as number
}

function withNotice(row: EntryRow): EntryRow {
  return row.with(6, 2) as unknown as EntryRow
}
