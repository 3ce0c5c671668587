/**
 * Suspensions as the writer keeps them: which are in force is known here without a look at the table.
 *
 * Deferrals that match become held in settle's transaction, which knows their class; fresh and claimed mail is given back
 * by the data plane. What ended is kept until its last entry is released (orders.ts), so that a stop in between loses none.
 */
import type { EventType } from '../../mail/event.ts'
import type { Instant } from '../../mail/ids.ts'
import { type Suspension, type SuspensionFacts, type SuspensionId, suspends } from '../../mail/suspension.ts'
import type { StandingSuspension } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import { eventRow } from './rows.ts'
import type { Transaction } from './transaction.ts'

export type SuspensionsTable = ReturnType<typeof openSuspensions>

interface StoredSuspension {
  readonly data: string
  readonly caught: number
  readonly endedAt: number | null
}

interface HeldEntry {
  readonly id: string
  readonly account: string | null
  readonly recipient: string
  readonly domain: string
}

export function openSuspensions(db: Connection, events: Events) {
  const insert = db.prepare('insert into suspension (id, data) values (?, ?)')
  const setCaught = db.prepare('update suspension set caught = 1 where id = ?')
  const setEnded = db.prepare('update suspension set ended_at = ? where id = ? and ended_at is null')
  const remove = db.prepare('delete from suspension where id = ? and ended_at is not null')
  const hold = db.prepare(
    'update entry set held_reason = ?, suspension = ? where message = ? and n = ? and held_reason is null',
  )
  const entryOf: Statement<HeldEntry> = db.prepare(`
    select m.id, m.account, e.domain,
      json_extract(m.facts, '$.envelope.recipients[' || e.n || '].address') as recipient
    from entry e join message m on m.seq = e.message where e.message = ? and e.n = ?`)
  const read = openSuspensionsReader(db)
  let known: readonly Suspension[] | null = null
  /** It changed them, and may still be rolled back: what it sees is not remembered. */
  let changedIn: Transaction | null = null

  function inForce(tx: Transaction): readonly Suspension[] {
    if (known !== null && changedIn === null) return known
    const found = read.suspensions().filter(({ endedAt }) => endedAt === null)
    if (changedIn === tx) return found
    changedIn = null
    known = found
    return known
  }

  function changed(tx: Transaction, type: EventType, at: Instant, suspension: Suspension): void {
    changedIn = tx
    tx.changes.push({ kind: 'suspension' })
    const { account = null, senderDomain } = suspension.filter
    const domain = senderDomain === undefined ? {} : { domain: senderDomain }
    events.write([eventRow({ type, at, account, ...domain, data: suspension })])
  }

  return {
    inForce,

    /** Null nearly always: then it costs a comparison. */
    matching(tx: Transaction, facts: SuspensionFacts): Suspension | null {
      const all = inForce(tx)
      if (all.length === 0) return null
      return all.find(suspension => suspends(suspension, facts, tx.now)) ?? null
    },

    /** The caller puts the entry where held ones wait. */
    hold(tx: Transaction, message: number, n: number, { id: suspension, reason }: Suspension): void {
      if (hold.run(reason, suspension, message, n).changes === 0) return
      const { id, account, recipient, domain } = entryOf.get(message, n)!
      const data = JSON.stringify({ reason, suspension })
      events.write([['message.held', tx.now, account, id, n, recipient, domain, data]])
    },

    caught: (id: SuspensionId) => void setCaught.run(id),
    /** Only when it has ended. */
    remove: (id: SuspensionId) => void remove.run(id),

    commands: {
      addSuspension(tx: Transaction, suspension: Suspension): void {
        insert.run(suspension.id, JSON.stringify(suspension))
        changed(tx, 'queue.suspended', suspension.createdAt, suspension)
      },

      endSuspension(tx: Transaction, id: SuspensionId, now: Instant): Suspension | null {
        const found = inForce(tx).find(one => one.id === id)
        if (found === undefined || setEnded.run(now, id).changes === 0) return null
        const { filter, reason, createdAt, until } = found
        const ended = { id, filter, reason, createdAt, until }
        changed(tx, 'queue.resumed', now, ended)
        return ended
      },
    },
  }
}

export function openSuspensionsReader(db: Connection) {
  const all: Statement<StoredSuspension> = db.prepare(
    'select data, caught, ended_at as endedAt from suspension order by id',
  )
  const counts: Statement<readonly [SuspensionId, number]> = db.prepare(
    'select suspension, count(*) from entry where suspension is not null group by suspension',
  )
  counts.raw()
  return {
    suspensions: (): StandingSuspension[] =>
      all
        .all()
        .map(({ data, caught, endedAt }) => ({ ...(JSON.parse(data) as Suspension), caught: caught === 1, endedAt })),
    countSuspended: (): ReadonlyMap<SuspensionId, number> => new Map(counts.all()),
  }
}
