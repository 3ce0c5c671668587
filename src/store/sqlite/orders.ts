/**
 * An operator's orders to many entries: hold, unhold, retry now, take out for cancelling.
 *
 * Each call changes at most `limit` entries and answers how many; the caller repeats until none is left, so that an
 * order about a million entries does not keep accepted mail waiting for its commit. Each entry gets its event.
 */
import type { EventType } from '../../mail/event.ts'
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { SuspensionId } from '../../mail/suspension.ts'
import type { Lease, QueueFilter } from '../store.ts'
import type { Backlog } from './backlog.ts'
import type { openClaim } from './claim.ts'
import { type Candidate, candidateColumns } from './claim.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import type { Lanes } from './lanes.ts'
import { openOrderSlices } from './order-slices.ts'
import { type ClaimedRows, entryIdOf } from './rows.ts'
import type { SuspensionsTable } from './suspensions.ts'
import { openTraceReader } from './trace.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'
import type { Waiting } from './waiting.ts'

interface OrderedEntry {
  readonly message: number
  readonly n: number
  readonly domain: string
  readonly nextAttemptAt: number
  readonly id: string
  readonly account: string | null
  readonly recipient: string
  readonly senderDomain: string
  readonly priority: number
  readonly site: string | null
  readonly class: string | null
  readonly backlog: number
  readonly turn: number
  readonly scheduled: number
  readonly leased: number
}

const orderColumns = `e.message, e.n, e.domain, e.next_attempt_at as nextAttemptAt, m.id, m.account,
  json_extract(m.facts, '$.envelope.recipients[' || e.n || '].address') as recipient,
  m.sender_domain as senderDomain, m.priority, e.last_site as site, e.last_class as class, e.backlog, e.turn,
  e.paced = 3 as scheduled, e.lease_until is not null as leased`

export interface OrderParts {
  readonly db: Connection
  readonly lanes: Lanes
  readonly turns: Turns
  readonly backlog: Backlog
  readonly waiting: Waiting
  readonly events: Events
  readonly claim: ReturnType<typeof openClaim>
  readonly suspensions: SuspensionsTable
}

export function openOrders({ db, lanes, turns, backlog, waiting, events, claim, suspensions }: OrderParts) {
  const hold = db.prepare(
    'update entry set held_reason = ?, suspension = ?, backlog = ?, turn = ? where message = ? and n = ?',
  )
  const holdLeased = db.prepare('update entry set held_reason = ?, suspension = ? where message = ? and n = ?')
  const suspended: Statement<OrderedEntry> = db.prepare(`
    select ${orderColumns}
    from entry e indexed by entry_suspended join message m on m.seq = e.message where e.suspension = ? limit ?`)
  /** Domain → part of the retry under way that opened its lane; with two of them some are opened twice. */
  const openedBy = new Map<DomainName, number>()
  const slice = openOrderSlices(db, openTraceReader(db))
  // Who orders a retry doesn't want it to wait for the slot it had.
  const retry = db.prepare('update entry set next_attempt_at = ?, paced = min(paced, 1) where message = ? and n = ?')
  // What was scheduled has no slot yet: it takes one when it is claimed. Its time to live goes along with its release.
  const release = db.prepare(`
    update entry set next_attempt_at = ?, expires_at = expires_at + ? - next_attempt_at, paced = 0, received_at = ?,
      notice = case notice when 3 then 1 else notice end where message = ? and n = ?`)
  const reschedule = db.prepare(`
    update entry set next_attempt_at = ?, expires_at = expires_at + ? - next_attempt_at where message = ? and n = ?`)

  /** Entries that match, `extra` included. `held`: only such, or only others, have anything left to do. */
  function select(
    tx: Transaction,
    verb: string,
    filter: QueueFilter,
    held: boolean | undefined,
    extra: string,
    limit: number,
  ): OrderedEntry[] {
    const order = { verb, columns: orderColumns, filter, ...(held !== undefined && { held }), extra }
    return slice<OrderedEntry>(order, tx.now, limit)
  }

  /** One update, since each of the row's indexes is touched once then. */
  function setHeld(
    tx: Transaction,
    reason: string | null,
    entry: OrderedEntry,
    suspension: SuspensionId | null = null,
  ): void {
    const { message, n, leased, nextAttemptAt: at } = entry
    if (leased) return void holdLeased.run(reason, suspension, message, n)
    const held = reason !== null
    const id = backlog.find(tx, { ...entry, scheduled: entry.scheduled === 1, held })
    backlog.leave(tx, entry.backlog, at)
    backlog.enter(tx, id, at)
    hold.run(reason, suspension, id, held ? 0 : turns.enter(tx, entry, at), message, n)
  }

  /** Now or before: it is scheduled no more. */
  function setRelease(tx: Transaction, { message, n, backlog: id, nextAttemptAt }: OrderedEntry, at: Instant): void {
    if (at > tx.now) reschedule.run(at, at, message, n)
    else release.run(tx.now, tx.now, tx.now, message, n)
    backlog.leave(tx, id, nextAttemptAt)
    waiting.put(tx, message, n)
  }

  /** Each once for an order: what closed again since was tried, and claims would only bring the rest back untried. */
  function openLanes(tx: Transaction, entries: readonly OrderedEntry[], part: number): void {
    if (part === 0) openedBy.clear()
    const domains = new Set(
      entries.map(({ domain }) => domain).filter(domain => (openedBy.get(domain) ?? part) === part),
    )
    lanes.open(tx, domains)
    for (const domain of domains) openedBy.set(domain, part)
  }

  /** What is in hand and not being sent is given back, held as it is now. */
  function recall(tx: Transaction, entries: readonly OrderedEntry[]): void {
    const leased = entries.filter(entry => entry.leased).map(({ id, n }) => entryIdOf(id, n))
    if (leased.length > 0) tx.changes.push({ kind: 'recall', entries: leased })
  }

  function tell(tx: Transaction, type: EventType, entries: readonly OrderedEntry[], data: unknown): void {
    const text = JSON.stringify(data)
    events.write(
      entries.map(({ id, n, account, recipient, domain }) => [type, tx.now, account, id, n, recipient, domain, text]),
      new Map(entries.map(({ id, message }) => [id, message])),
    )
  }

  return {
    /** A leased entry is given back, held, or ends its attempt first; a deferral then finds it held. */
    hold(tx: Transaction, filter: QueueFilter, reason: string, now: Instant, limit: number): number {
      tx.now = now
      const entries = select(tx, 'hold', filter, false, 'e.held_reason is null', limit)
      for (const entry of entries) setHeld(tx, reason, entry)
      recall(tx, entries)
      tell(tx, 'message.held', entries, { reason })
      return entries.length
    },

    unhold(tx: Transaction, filter: QueueFilter, now: Instant, limit: number): number {
      tx.now = now
      const entries = select(tx, 'release', filter, true, 'e.held_reason is not null and e.suspension is null', limit)
      for (const entry of entries) setHeld(tx, null, entry)
      tell(tx, 'message.released', entries, {})
      if (entries.length > 0) tx.tellQueue()
      return entries.length
    },

    catchSuspended(tx: Transaction, id: SuspensionId, now: Instant, limit: number): number {
      tx.now = now
      const suspension = suspensions.inForce(tx).find(one => one.id === id)
      if (suspension === undefined) return 0
      const { filter, reason } = suspension
      const entries = select(tx, id, filter, false, 'e.held_reason is null', limit)
      for (const entry of entries) setHeld(tx, reason, entry, id)
      recall(tx, entries)
      tell(tx, 'message.held', entries, { reason, suspension: id })
      if (entries.length < limit) suspensions.caught(id)
      return entries.length
    },

    /** What another one fits too is held by that from now on. */
    releaseSuspended(tx: Transaction, id: SuspensionId, now: Instant, limit: number): number {
      tx.now = now
      const entries = suspended.all(id, limit)
      for (const entry of entries) {
        const next = suspensions.matching(tx, entry)
        setHeld(tx, next?.reason ?? null, entry, next?.id ?? null)
      }
      tell(tx, 'message.released', entries, { suspension: id })
      if (entries.length > 0) tx.tellQueue()
      if (entries.length < limit) suspensions.remove(id)
      return entries.length
    },

    /** `part`: of the order, from 0 on. Sites are probed once for all, and a lane that closes again meanwhile stays closed. */
    retryNow(tx: Transaction, filter: QueueFilter, now: Instant, limit: number, part: number): number {
      tx.now = now
      // A held entry keeps its time: it is released by its own order, and a retry that changed it would not show.
      if (filter.state !== undefined && filter.state !== 'waiting') return 0
      const entries = select(tx, 'retry', { ...filter, state: 'waiting' }, false, '1', limit)
      openLanes(tx, entries, part)
      for (const entry of entries)
        if (entry.scheduled) setRelease(tx, entry, tx.now)
        else {
          const { message, n, backlog: id, turn, nextAttemptAt } = entry
          retry.run(tx.now, message, n)
          backlog.leave(tx, id, nextAttemptAt)
          backlog.enter(tx, id, tx.now)
          turns.add(tx, entry, turn, tx.now)
        }
      tell(tx, 'message.retried', entries, {})
      if (entries.length > 0) tx.tellQueue(part === 0)
      return entries.length
    },

    /** Of scheduled entries, under way ones excepted. */
    reschedule(tx: Transaction, filter: QueueFilter, releaseAt: Instant, now: Instant, limit: number): number {
      tx.now = now
      const at = Math.max(releaseAt, now)
      const scheduled = { ...filter, scheduled: true }
      const entries = select(
        tx,
        `reschedule ${at}`,
        scheduled,
        undefined,
        `e.lease_until is null and e.paced = 3 and e.next_attempt_at <> ${at}`,
        limit,
      )
      for (const entry of entries) setRelease(tx, entry, at)
      tell(tx, 'message.rescheduled', entries, { releaseAt: at })
      if (entries.length > 0) tx.tellQueue()
      return entries.length
    },

    claimForCancel(tx: Transaction, filter: QueueFilter, lease: Lease, limit: number): ClaimedRows {
      const order = { verb: 'cancel', columns: candidateColumns, filter, extra: 'e.lease_until is null', raw: true }
      return claim.lend(tx, slice<Candidate>(order, tx.now, limit), lease)
    },
  }
}
