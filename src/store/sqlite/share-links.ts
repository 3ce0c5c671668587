/**
 * Share links: made, found by the hash of their token, revoked; those long over are forgotten.
 *
 * Fails with NotFound.
 */
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { ShareLink } from '../../mail/share-link.ts'
import { NotFound, type Page } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

interface Row {
  readonly data: string
  readonly revoked_at: Instant | null
}

const columns = 'data, revoked_at'

export function openShareLinks(db: Connection) {
  const insert = db.prepare(
    'insert into share_link (id, domain, token_hash, expires_at, revoked_at, data) values (?, ?, ?, ?, ?, ?)',
  )
  const find: Statement<Row> = db.prepare(`select ${columns} from share_link where domain = ? and id = ?`)
  const revoke = db.prepare('update share_link set revoked_at = coalesce(revoked_at, ?) where domain = ? and id = ?')
  const forget = db.prepare('delete from share_link where expires_at < ? or revoked_at < ?')
  return {
    createShareLink(_tx: Transaction, { revokedAt, ...link }: ShareLink): void {
      insert.run(link.id, link.domain, link.tokenHash, link.expiresAt, revokedAt, JSON.stringify(link))
    },

    /** A second time changes nothing. */
    revokeShareLink(_tx: Transaction, domain: DomainName, id: string, at: Instant): ShareLink {
      revoke.run(at, domain, id)
      const row = find.get(domain, id)
      if (row === undefined) throw new NotFound(`${domain} has no share link ${id.slice(0, 64)}`)
      return read(row)
    },

    forgetShareLinks(_tx: Transaction, before: Instant): number {
      return forget.run(before, before).changes
    },
  }
}

export function openShareLinksReader(db: Connection) {
  const byHash: Statement<Row> = db.prepare(`select ${columns} from share_link where token_hash = ?`)
  const ofDomain: Statement<Row> = db.prepare(
    `select ${columns} from share_link where domain = ? and id < ? order by id desc limit ?`,
  )
  return {
    shareLinkByHash(tokenHash: string): ShareLink | null {
      const row = byHash.get(tokenHash)
      return row === undefined ? null : read(row)
    },

    /** Newest first. */
    listShareLinks(domain: DomainName, { limit, after }: Page): ShareLink[] {
      // Ids are digits and lower case letters: nothing of theirs comes after a tilde.
      return ofDomain.all(domain, after ?? '~', limit).map(read)
    },
  }
}

function read({ data, revoked_at }: Row): ShareLink {
  return { ...(JSON.parse(data) as Omit<ShareLink, 'revokedAt'>), revokedAt: revoked_at }
}
