/**
 * Puts an entry back among those that wait, with whatever it says now: into its backlog and, unless it is held, into
 * its turn.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Backlog, BacklogKey } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

export type Waiting = ReturnType<typeof openWaiting>

export function openWaiting(db: Connection, turns: Turns, backlog: Backlog) {
  const entry: Statement<Omit<BacklogKey, 'held' | 'scheduled'> & { held: number; scheduled: number; at: Instant }> =
    db.prepare(`
    select e.domain, m.account, m.sender_domain as senderDomain, m.priority, e.paced = 3 as scheduled, e.last_site as site, e.last_class as class,
      e.held_reason is not null as held, e.next_attempt_at as at
    from entry e join message m on m.seq = e.message where e.message = ? and e.n = ?`)
  const place = db.prepare('update entry set backlog = ?, turn = ? where message = ? and n = ?')

  return {
    put(tx: Transaction, message: number, n: number): void {
      const { held, scheduled, at, ...key } = entry.get(message, n)!
      const id = backlog.find(tx, { ...key, scheduled: scheduled === 1, held: held === 1 })
      backlog.enter(tx, id, at)
      place.run(id, held === 1 ? 0 : turns.enter(tx, key, at), message, n)
    },
  }
}
