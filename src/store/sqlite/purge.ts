/**
 * Forgets finished messages and old events, a bounded number at a time.
 *
 * Both are walked from the oldest row and the walk ends at the first that is young enough: rows stand in the order of
 * acceptance, so nothing has to be indexed by time. The newest event always stays, so that no `seq` is used twice;
 * up to which seq events were deleted is kept, so that a webhook that is behind can be told.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { openTrace } from './trace.ts'
import type { Transaction } from './transaction.ts'

interface OldMessage {
  readonly seq: number
  readonly receivedAt: number
  readonly states: string
}

export function openPurge(db: Connection, trace: ReturnType<typeof openTrace>) {
  const messages: Statement<OldMessage> = db.prepare(
    'select seq, received_at as receivedAt, states from message order by seq',
  )
  const events: Statement<{ seq: number; at: number; message: number | null }> = db.prepare(
    'select seq, at, message from event where seq < (select max(seq) from event) order by seq',
  )
  const removeMessage = db.prepare('delete from message where seq = ?')
  const removeEventsOf = db.prepare('delete from event where message = ? and seq < (select max(seq) from event)')
  const removeEvent = db.prepare('delete from event where seq = ?')
  const lastOf: Statement<number> = db.prepare(
    'select coalesce(max(seq), 0) from event where message = ? and seq < (select max(seq) from event)',
  )
  lastOf.pluck()
  const keepThrough = db.prepare('update event_purge set through = ? where through < ?')

  function finishedBefore(before: Instant, limit: number): number[] {
    const found: number[] = []
    for (const { seq, receivedAt, states } of messages.iterate()) {
      if (receivedAt >= before || found.length >= limit) break
      if (!states.includes('q')) found.push(seq)
    }
    return found
  }

  /** Events of messages go with their message. */
  function eventsBefore(before: Instant, limit: number): number[] {
    const found: number[] = []
    for (const { seq, at, message } of events.iterate()) {
      if (at >= before || found.length >= limit) break
      if (message === null) found.push(seq)
    }
    return found
  }

  return function purge(_tx: Transaction, before: Instant, limit: number): number {
    const finished = finishedBefore(before, limit)
    let through = 0
    for (const seq of finished) {
      through = Math.max(through, lastOf.get(seq) ?? 0)
      removeEventsOf.run(seq)
      removeMessage.run(seq)
    }
    const old = eventsBefore(before, limit - finished.length)
    for (const seq of old) removeEvent.run(seq)
    through = Math.max(through, old.at(-1) ?? 0)
    keepThrough.run(through, through)
    trace.purge()
    return finished.length + old.length
  }
}
