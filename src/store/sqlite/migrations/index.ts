/**
 * The schema's versions in order; each is applied once, in a transaction that also counts `user_version`.
 *
 * A database newer than the program is refused: an older program would not keep what it doesn't know.
 */
import { StoreUnavailable } from '../../store.ts'
import type { Connection } from '../connection.ts'
import { first } from './001-first.ts'
import { lastSite } from './002-last-site.ts'
import { requestsAndClaims } from './003-requests-and-claims.ts'
import { shareLink } from './004-share-link.ts'
import { webhooks } from './005-webhooks.ts'
import { backlog } from './006-backlog.ts'
import { turn } from './007-turn.ts'
import { order } from './008-order.ts'
import { warmUp } from './009-warm-up.ts'
import { tlsReports } from './010-tls-reports.ts'
import { stsPolicy } from './011-sts-policy.ts'
import { suppressions } from './012-suppressions.ts'
import { queueOrders } from './013-queue-orders.ts'
import { messageStates } from './014-message-states.ts'

/** Add at the end; never change what was released. */
export const versions: readonly string[] = [
  first,
  lastSite,
  requestsAndClaims,
  shareLink,
  webhooks,
  backlog,
  turn,
  order,
  warmUp,
  tlsReports,
  stsPolicy,
  suppressions,
  queueOrders,
  messageStates,
]

export function migrate(connection: Connection, migrations: readonly string[] = versions): void {
  const found = connection.pragma('user_version', { simple: true }) as number
  if (found > migrations.length) {
    throw new StoreUnavailable(
      `the database has schema version ${found}, this program knows up to ${migrations.length}: ` +
        'start the newer program that wrote it, or restore the backup made before it',
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index >= found) applyOne(connection, index + 1, sql)
  }
}

function applyOne(connection: Connection, version: number, sql: string): void {
  const apply = connection.transaction(() => {
    connection.exec(sql)
    connection.pragma(`user_version = ${version}`)
  })
  apply.exclusive()
}
