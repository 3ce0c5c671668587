/**
 * Idempotency keys of API requests, each with what is to be remembered of it, sealed by whoever asks.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export function openRequests(db: Connection) {
  const find: Statement<string> = db.prepare('select sealed from request where key = ? and expires_at > ?')
  find.pluck()
  const put = db.prepare('insert or replace into request (key, expires_at, sealed) values (?, ?, ?)')
  const remove = db.prepare('delete from request where key = ?')
  const purge = db.prepare('delete from request where expires_at <= ?')
  return {
    takeRequest(_tx: Transaction, key: string, sealed: string, until: Instant, now: Instant): string | null {
      const found = find.get(key, now)
      if (found !== undefined) return found
      put.run(key, until, sealed)
      return null
    },

    finishRequest(_tx: Transaction, key: string, sealed: string, until: Instant): void {
      put.run(key, until, sealed)
    },

    dropRequest(_tx: Transaction, key: string): void {
      remove.run(key)
    },

    purgeRequests(_tx: Transaction, now: Instant): number {
      return purge.run(now).changes
    },
  }
}
