/**
 * MTA-STS policies of recipient domains, one row each. Small: as many as there are such domains among the recipients.
 */
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { StsPolicy } from '../../mail/sts-policy.ts'
import type { Page } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

interface StoredPolicy {
  readonly data: string
  readonly expiresAt: number
  readonly usedAt: number
}

export function openStsPolicies(db: Connection) {
  const put = db.prepare('insert or replace into sts_policy (domain, data, expires_at, used_at) values (?, ?, ?, ?)')
  const use = db.prepare('update sts_policy set used_at = ? where domain = ?')
  const forget = db.prepare('delete from sts_policy where expires_at < ?')
  return {
    putStsPolicy(_tx: Transaction, { expiresAt, usedAt, ...policy }: StsPolicy): void {
      put.run(policy.domain, JSON.stringify(policy), expiresAt, usedAt)
    },
    useStsPolicy(_tx: Transaction, domain: DomainName, at: Instant): void {
      use.run(at, domain)
    },
    forgetStsPolicies(_tx: Transaction, before: Instant): number {
      return forget.run(before).changes
    },
  }
}

export function openStsPoliciesReader(db: Connection) {
  const columns = 'data, expires_at as expiresAt, used_at as usedAt'
  const find: Statement<StoredPolicy> = db.prepare(`select ${columns} from sts_policy where domain = ?`)
  const list: Statement<StoredPolicy> = db.prepare(
    `select ${columns} from sts_policy where domain > ? order by domain limit ?`,
  )
  return {
    stsPolicy(domain: DomainName): StsPolicy | null {
      const stored = find.get(domain)
      return stored === undefined ? null : policyOf(stored)
    },
    listStsPolicies: ({ limit, after = '' }: Page): StsPolicy[] => list.all(after, limit).map(policyOf),
  }
}

function policyOf({ data, expiresAt, usedAt }: StoredPolicy): StsPolicy {
  return { ...(JSON.parse(data) as Omit<StsPolicy, 'expiresAt' | 'usedAt'>), expiresAt, usedAt }
}
