/**
 * Settling: outcomes of attempts, their events and the reports owed for them, in one transaction.
 *
 * An outcome counts once: what is no longer queued, or was not leased, is passed over together with its events, so a
 * batch may be handed in again after a failure whose end nobody saw. A report goes with its outcomes: it is queued when
 * one of them counts. A delivery is a fact whoever holds the lease.
 */
import type { EntryId, Instant, MessageId } from '../../mail/ids.ts'
import type { AutomaticSuppression } from '../../mail/suppression.ts'
import type { SuspensionFacts } from '../../mail/suspension.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import { type AcceptRow, type EventRow, entryIdOf, type OutcomeRow } from './rows.ts'
import type { Suppress } from './suppressions.ts'
import type { SuspensionsTable } from './suspensions.ts'
import type { TotalsTable } from './totals.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'
import type { VolumeTable } from './volume.ts'

export interface SettleRow {
  readonly outcomes: readonly OutcomeRow[]
  readonly reports: readonly ReportRow[]
  readonly events: readonly EventRow[]
  readonly suppressions?: readonly AutomaticSuppression[]
}

/** `about`: as in BatchReport. */
export interface ReportRow {
  readonly row: AcceptRow
  readonly about: readonly EntryId[]
}

export interface SettleParts {
  readonly db: Connection
  readonly turns: Turns
  readonly backlog: Backlog
  readonly totals: TotalsTable
  readonly events: Events
  readonly volume: VolumeTable
  readonly accept: (tx: Transaction, row: AcceptRow) => unknown
  readonly suppress: Suppress
  readonly suspensions: SuspensionsTable
}

interface OpenMessage {
  readonly seq: number
  readonly account: string | null
  readonly senderDomain: string
  readonly priority: number
  readonly limits: string | null
  readonly states: string
  /** `states` letter by letter once one of them changed. */
  letters?: string[]
}

const letterOf = { delivered: 'd', bounced: 'b', cancelled: 'c' } as const

export function openSettle(parts: SettleParts) {
  const { db, turns, backlog, totals, events, volume, accept, suppress, suspensions } = parts
  const messageById: Statement<OpenMessage> = db.prepare(
    'select seq, account, sender_domain as senderDomain, priority, limits, states from message where id = ?',
  )
  const deliverWaiting: Statement<{ backlog: number; at: Instant }> = db.prepare(
    'delete from entry where message = ? and n = ? and lease_until is null returning backlog, next_attempt_at as at',
  )
  const end = db.prepare('delete from entry where message = ? and n = ? and lease_until is not null')
  const leased: Statement<{ domain: string; held: number }> = db.prepare(
    'select domain, held_reason is not null as held from entry where message = ? and n = ? and lease_until is not null',
  )
  const defer = db.prepare(`
    update entry set attempts = attempts + 1, next_attempt_at = ?, paced = ?, lease_until = null, lease_owner = null,
      last_class = ?, last_reply = ?, last_host = ?, last_site = ?, in_doubt = max(in_doubt, ?),
      backlog = ?, turn = ? where message = ? and n = ?`)
  const writeStates = db.prepare('update message set states = ? where seq = ?')
  const removeContent: Statement<{ path: string | null }> = db.prepare(
    'delete from content where message = ? returning path',
  )

  function settleOne(tx: Transaction, message: OpenMessage, outcome: OutcomeRow): boolean {
    if (outcome.action === 'deferred') return deferOne(tx, message, outcome)
    if (!endOne(tx, message.seq, outcome)) return false
    message.letters ??= message.states.split('')
    message.letters[outcome.n] = letterOf[outcome.action]
    totals.add(tx, message.account, outcome.action, 1)
    return true
  }

  function endOne(tx: Transaction, seq: number, { n, action }: OutcomeRow): boolean {
    if (end.run(seq, n).changes === 1) return true
    const waited = action === 'delivered' ? deliverWaiting.get(seq, n) : undefined
    if (waited) backlog.leave(tx, waited.backlog, waited.at)
    return waited !== undefined
  }

  function deferOne(tx: Transaction, message: OpenMessage, outcome: OutcomeRow): boolean {
    const { seq, account, senderDomain, priority, limits } = message
    const { n, nextAttemptAt, reply, host, site, inDoubt } = outcome
    const entry = leased.get(seq, n)
    if (!entry) return false
    const { domain } = entry
    const key = { domain, account, senderDomain, priority }
    const held = entry.held === 1 || suspend(tx, seq, n, { ...key, site, class: outcome.class })
    const id = backlog.find(tx, { ...key, scheduled: false, site, class: outcome.class, held })
    const paced = limits === null ? 1 : 0
    const turn = held ? 0 : turns.enter(tx, key, nextAttemptAt)
    defer.run(nextAttemptAt, paced, outcome.class, reply, host, site, inDoubt, id, turn, seq, n)
    backlog.enter(tx, id, nextAttemptAt)
    return true
  }

  function suspend(tx: Transaction, seq: number, n: number, facts: SuspensionFacts): boolean {
    const suspension = suspensions.matching(tx, facts)
    if (suspension !== null) suspensions.hold(tx, seq, n, suspension)
    return suspension !== null
  }

  function closeMessage(tx: Transaction, { seq, letters }: OpenMessage): void {
    if (!letters) return
    writeStates.run(letters.join(''), seq)
    if (letters.includes('q')) return
    const path = removeContent.get(seq)?.path
    if (path) tx.removedFiles.push(path)
  }

  function writeReport(tx: Transaction, report: AcceptRow): void {
    if (messageById.get(report.id)) return
    accept(tx, report)
    tx.tellQueue()
  }

  return function settle(tx: Transaction, row: SettleRow): readonly EntryId[] {
    const { outcomes, reports, events: rows, suppressions = [] } = row
    const open = new Map<MessageId, OpenMessage | undefined>()
    const passedOver = new Set<EntryId>()
    for (const outcome of outcomes) {
      if (!open.has(outcome.message)) open.set(outcome.message, messageById.get(outcome.message))
      const message = open.get(outcome.message)
      if (!message || !settleOne(tx, message, outcome)) passedOver.add(entryIdOf(outcome.message, outcome.n))
      else if (outcome.volume !== null && outcome.action !== 'cancelled')
        volume.count(tx, message, outcome.action, outcome.volume)
    }
    for (const message of open.values()) if (message) closeMessage(tx, message)
    for (const { row, about } of reports) {
      if (about.length === 0 || about.some(entry => !passedOver.has(entry))) writeReport(tx, row)
    }
    events.write(passedOver.size === 0 ? rows : rows.filter(row => !isOf(passedOver, row)), seqs(open))
    for (const one of suppressions) if (one.entry === null || !passedOver.has(one.entry)) suppress(tx, one)
    return [...passedOver]
  }
}

function isOf(entries: ReadonlySet<EntryId>, [, , , message, n]: EventRow): boolean {
  return message !== null && n !== null && entries.has(entryIdOf(message, n))
}

function seqs(open: ReadonlyMap<MessageId, OpenMessage | undefined>): ReadonlyMap<MessageId, number> {
  const known = new Map<MessageId, number>()
  for (const [id, message] of open) if (message) known.set(id, message.seq)
  return known
}
