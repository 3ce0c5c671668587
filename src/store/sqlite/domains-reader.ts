/**
 * Sender domains as they are read: each with its keys and latest checks.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { Check, DkimKey, SenderDomain } from '../../mail/sender-domain.ts'
import type { Page } from '../store.ts'
import type { Connection, Statement, Value } from './connection.ts'

/** Without keys and checks, which have tables of their own. */
type StoredDomain = Omit<SenderDomain, 'keys' | 'checks'>

export function openDomainsReader(db: Connection) {
  const find: Statement<string> = db.prepare('select data from domain where name = ?')
  const keysOf: Statement<string> = db.prepare('select data from dkim_key where domain = ? order by selector')
  const checksOf: Statement<string> = db.prepare(
    'select data from latest_check where domain = ? order by purpose, name',
  )
  const due: Statement<string> = db.prepare(
    'select name from domain where archived_at is null and next_check_at <= ? order by next_check_at limit ?',
  )
  const history: Statement<string> = db.prepare(`
    select data from check_history where domain = ? and (checked_at, purpose, name) < (?, ?, ?)
    order by checked_at desc, purpose desc, name desc limit ?`)
  const predecessor: Statement<string> = db.prepare(`
    select data from check_history where domain = ? and checked_at < ? and purpose = ? and name = ?
    order by checked_at desc limit 1`)
  for (const statement of [find, keysOf, checksOf, due, history, predecessor]) statement.pluck()

  function withParts(data: string): SenderDomain {
    const domain = JSON.parse(data) as StoredDomain
    return {
      ...domain,
      keys: keysOf.all(domain.name).map(key => JSON.parse(key) as DkimKey),
      checks: checksOf.all(domain.name).map(check => JSON.parse(check) as Check),
    }
  }

  return {
    domain(name: DomainName, options?: { readonly archived?: boolean }): SenderDomain | null {
      const data = find.get(name)
      const domain = data === undefined ? null : withParts(data)
      return domain && (options?.archived || domain.archivedAt === null) ? domain : null
    },

    listDomains(filter: { readonly account?: AccountId; readonly archived?: boolean }, page: Page): SenderDomain[] {
      const conditions = ['name > ?', filter.archived ? 'archived_at is not null' : 'archived_at is null']
      const values: Value[] = [page.after ?? '']
      if (filter.account !== undefined) {
        conditions.push('account = ?')
        values.push(filter.account)
      }
      return db
        .prepare<Value[], string>(`select data from domain where ${conditions.join(' and ')} order by name limit ?`)
        .pluck()
        .all(...values, page.limit)
        .map(withParts)
    },

    /** Newest first; a page's `after` is `checkedAt/purpose/name` of the last row before it. */
    checkHistory(domain: DomainName, page: Page): Check[] {
      const [at, purpose = '', name = ''] = page.after?.split('/') ?? []
      const before = at === undefined ? Number.MAX_SAFE_INTEGER : Number(at)
      return history.all(domain, before, purpose, name, page.limit).map(data => JSON.parse(data) as Check)
    },

    checkBefore(
      domain: DomainName,
      { purpose, name, checkedAt }: Pick<Check, 'purpose' | 'name' | 'checkedAt'>,
    ): Check | null {
      const data = predecessor.get(domain, checkedAt, purpose, name)
      return data === undefined ? null : (JSON.parse(data) as Check)
    },

    dueForCheck: (now: Instant, limit: number): DomainName[] => due.all(now, limit),
  }
}
