/**
 * Suppressions as they are looked up, listed and counted.
 */
import type { AccountId, Instant, Mailbox } from '../../mail/ids.ts'
import {
  type Suppression,
  type SuppressionEvidence,
  type SuppressionKey,
  type SuppressionReason,
  suppressedAddress,
} from '../../mail/suppression.ts'
import type { Page, SuppressionCount, SuppressionFilter } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'

export const suppressionColumns =
  'account, address, reason, created_at as createdAt, expires_at as expiresAt, note, evidence'

export interface StoredSuppression {
  readonly account: string
  readonly address: string
  readonly reason: SuppressionReason
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly note: string
  readonly evidence: string | null
}

interface StoredCount {
  readonly account: string
  readonly reason: SuppressionReason
  readonly count: number
}

export function openSuppressionsReader(db: Connection) {
  const find: Statement<StoredSuppression> = db.prepare(`
    select ${suppressionColumns} from suppression
    where account = ? and address = ? and (expires_at is null or expires_at > ?)`)
  const addresses: Statement<{ account: string; address: string }> = db.prepare(
    'select account, address from suppression where (account, address) > (?, ?) order by account, address limit ?',
  )
  const counts: Statement<StoredCount> = db.prepare(
    'select account, reason, count from suppression_count where count > 0 order by account, reason',
  )
  return {
    suppression(account: AccountId | null, address: Mailbox, now: Instant): Suppression | null {
      const stored = find.get(account ?? '', suppressedAddress(address), now)
      return stored === undefined ? null : suppressionOf(stored)
    },

    listSuppressions(filter: SuppressionFilter, { limit, after = ' ' }: Page, now: Instant): Suppression[] {
      const { conditions, values } = conditionsOf(filter)
      const sql = `select ${suppressionColumns} from suppression
        where (account, address) > (?, ?) and (expires_at is null or expires_at > ?)${conditions}
        order by account, address limit ?`
      return db
        .prepare<Value[], StoredSuppression>(sql)
        .all(...placeOf(after), now, ...values, limit)
        .map(suppressionOf)
    },

    suppressedAddresses({ limit, after = ' ' }: Page): SuppressionKey[] {
      return addresses
        .all(...placeOf(after), limit)
        .map(({ account, address }) => ({ account: account === '' ? null : account, address }))
    },

    countSuppressions: (): SuppressionCount[] =>
      counts.all().map(({ account, ...count }) => ({ account: account === '' ? null : account, ...count })),
  }
}

/** What `suppressionCursor` wrote. */
function placeOf(cursor: string): [account: string, address: string] {
  const space = cursor.indexOf(' ')
  return [cursor.slice(0, Math.max(space, 0)), cursor.slice(space + 1)]
}

function conditionsOf(filter: SuppressionFilter): { conditions: string; values: Value[] } {
  const found: [condition: string, value: Value][] = []
  const add = (condition: string, value: Value | undefined) => {
    if (value !== undefined) found.push([condition, value])
  }
  add('account = ?', filter.account === null ? '' : filter.account)
  add('address = ?', filter.address === undefined ? undefined : suppressedAddress(filter.address))
  add('reason = ?', filter.reason)
  add('class = ?', filter.class)
  add('domain = ?', filter.domain)
  // The reply within the JSON: lower() of SQLite knows ASCII only, which is what replies are made of.
  add("instr(lower(json_extract(evidence, '$.reply')), ?) > 0", filter.text?.toLowerCase())
  add('created_at >= ?', filter.since)
  add('created_at < ?', filter.until)
  return {
    conditions: found.map(([condition]) => ` and ${condition}`).join(''),
    values: found.map(([, value]) => value),
  }
}

export function suppressionOf({ account, evidence, ...stored }: StoredSuppression): Suppression {
  return {
    ...stored,
    account: account === '' ? null : account,
    evidence: evidence === null ? null : (JSON.parse(evidence) as SuppressionEvidence),
  }
}
