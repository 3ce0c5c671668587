/**
 * Puts an entry back among those that wait, with whatever it says now: into its backlog and, unless it is held, into
 * its lane and its account's turn.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Backlog, BacklogKey } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Lanes } from './lanes.ts'
import type { Transaction } from './transaction.ts'

export type Waiting = ReturnType<typeof openWaiting>

export function openWaiting(db: Connection, lanes: Lanes, backlog: Backlog) {
  const entry: Statement<Omit<BacklogKey, 'held'> & { held: number; at: Instant }> = db.prepare(`
    select e.domain, m.account, m.sender_domain as senderDomain, e.last_site as site, e.last_class as class,
      e.held_reason is not null as held, e.next_attempt_at as at
    from entry e join message m on m.seq = e.message where e.message = ? and e.n = ?`)
  const place = db.prepare('update entry set backlog = ?, turn = ? where message = ? and n = ?')

  return {
    put(tx: Transaction, message: number, n: number): void {
      const { held, at, ...key } = entry.get(message, n)!
      const id = backlog.find(tx, { ...key, held: held === 1 })
      backlog.enter(tx, id, at)
      place.run(id, held === 1 ? 0 : lanes.enter(tx, key.domain, key.account, at), message, n)
    },
  }
}
