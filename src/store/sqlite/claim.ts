/**
 * Claims: entries under a lease, for an attempt, for the end of their time, or to be cancelled.
 *
 * A claim walks lanes that are due and takes a few entries of each through `entry_due`, an even share of each account
 * whose turn it is (turns.ts) and what a short one leaves over of the others; it never sees the entries of a domain that
 * is postponed or waits for its slots. Its work is bounded by `limit` lanes and `perDomain` entries of each, whatever is
 * queued. An entry that still needs a send slot (a retry) takes it here and, when the slot is later,
 * moves there instead of being claimed.
 */
import type { Instant } from '../../mail/ids.ts'
import type { ClaimRequest, Lease } from '../store.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Lanes } from './lanes.ts'
import { type ClaimedRows, type EntryRow, entryColumns, expandKeys } from './rows.ts'
import type { Slots } from './slots.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

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

export interface ClaimParts {
  readonly db: Connection
  readonly lanes: Lanes
  readonly turns: Turns
  readonly backlog: Backlog
  readonly slots: Slots
}

export function openClaim({ db, lanes, turns, backlog, slots }: ClaimParts) {
  const due: Statement<Candidate> = db.prepare(dueSql)
  const nextOfTurn: Statement<number | null> = db.prepare(nextOfTurnSql)
  const expired: Statement<Candidate> = db.prepare(expiredSql)
  const delayed: Statement<EntryRow> = db.prepare(delayedSql)
  const lend = db.prepare(
    'update entry set lease_until = ?, lease_owner = ?, paced = 1, waits_for = null where message = ? and n = ?',
  )
  const move = db.prepare('update entry set next_attempt_at = ?, paced = 2 where message = ? and n = ?')
  const notified = db.prepare('update entry set notice = 2 where message = ? and n = ?')
  const facts: Statement<string> = db.prepare('select facts from message where seq = ?')
  const limits: Statement<{ limits: string | null; account: string | null; senderDomain: string }> = db.prepare(
    'select limits, account, sender_domain as senderDomain from message where seq = ?',
  )
  for (const statement of [due, expired, delayed]) statement.raw()
  for (const statement of [nextOfTurn, facts]) statement.pluck()

  function leave(tx: Transaction, candidate: Candidate): void {
    backlog.leave(tx, backlogOf(candidate), candidate[4])
  }

  function lendAll(tx: Transaction, candidates: readonly Candidate[], lease: Lease): void {
    for (const candidate of candidates) {
      const [message, n] = candidate
      lend.run(lease.until, lease.owner, message, n)
      leave(tx, candidate)
    }
  }

  /** True when the entry may be attempted now. */
  function hasSlot(tx: Transaction, candidate: Candidate): boolean {
    if (candidate.at(-1) !== 0) return true
    const [message, n] = candidate
    const owner = limits.get(message)!
    const slotAt = slots.reserveInForce(tx, expandKeys(owner.limits, owner.account, owner.senderDomain))
    if (slotAt <= tx.now) return true
    move.run(slotAt, message, n)
    leave(tx, candidate)
    backlog.enter(tx, backlogOf(candidate), slotAt)
    return false
  }

  function takeLane(tx: Transaction, domain: string, lease: Lease, limit: number): Candidate[] {
    const visited = turns.due(tx, domain, limit)
    const taken = takeShares(tx, visited, lease, limit)
    for (const turn of visited) turns.revisit(turn, notBefore(tx.now, nextOfTurn.get(turn) ?? null))
    lanes.revisit(domain, notBefore(tx.now, turns.next(domain)))
    return taken
  }

  /** Looks at no more than `limit` entries, at one of each turn at least (there are no more turns than that). */
  function takeShares(tx: Transaction, visited: readonly number[], lease: Lease, limit: number): Candidate[] {
    const taken: Candidate[] = []
    let left = limit
    for (let round = visited; round.length > 0 && left > 0; ) {
      const withMore: number[] = []
      for (const [index, turn] of round.entries()) {
        const share = Math.ceil(left / (round.length - index))
        const found = due.all(turn, tx.now, share)
        const free = found.filter(candidate => hasSlot(tx, candidate))
        lendAll(tx, free, lease)
        taken.push(...free)
        left -= found.length
        if (found.length === share) withMore.push(turn)
      }
      round = withMore
    }
    return taken
  }

  function withMessages(entries: readonly (EntryRow | Candidate)[]): ClaimedRows {
    const messages = new Map<number, string>()
    for (const [message] of entries) if (!messages.has(message)) messages.set(message, facts.get(message)!)
    return { entries: entries as readonly EntryRow[], messages }
  }

  return {
    claim(tx: Transaction, { now, lease, limit, perDomain }: ClaimRequest): ClaimedRows {
      tx.now = now
      const claimed: Candidate[] = []
      for (const domain of lanes.due(tx, limit)) {
        if (claimed.length >= limit) break
        claimed.push(...takeLane(tx, domain, lease, Math.min(perDomain, limit - claimed.length)))
      }
      return withMessages(claimed)
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

/** What is due already goes to the back of those that are. */
function notBefore(now: Instant, at: Instant | null): Instant | null {
  return at === null ? null : Math.max(at, now)
}

function backlogOf(candidate: Candidate): number {
  return candidate.at(-2) as number
}

function withNotice(row: EntryRow): EntryRow {
  return row.with(6, 2) as unknown as EntryRow
}
