/**
 * Sender domains with their keys, latest checks and the history of checks.
 *
 * An archived domain keeps its row until it is purged, restored or registered again. Fails with Conflict naming the
 * holder, and with NotFound.
 */
import type { NewEvent } from '../../mail/event.ts'
import type { DomainName, Instant } from '../../mail/ids.ts'
import type { Check, DkimKey, DomainOptions, KeyState, SenderDomain } from '../../mail/sender-domain.ts'
import { sameLimits } from '../../policy/token-bucket.ts'
import { Conflict, NotFound } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import { openDomainsReader } from './domains-reader.ts'
import type { Events } from './events.ts'
import type { Replan } from './replan.ts'
import { eventRow } from './rows.ts'
import type { Transaction } from './transaction.ts'

type DomainChange = Partial<
  Pick<
    SenderDomain,
    'limits' | 'pool' | 'archivedAt' | 'nextCheckAt' | 'keyFailure' | 'keyWanted' | 'delegation' | keyof DomainOptions
  >
>
type NewEvents = readonly NewEvent[]

/** Of each record: years of an honest one, and an end to those that somebody changes all the time. */
const historyKept = 500

export function openDomains(db: Connection, events: Events, replan: Replan) {
  const insert = db.prepare(
    'insert into domain (name, account, archived_at, next_check_at, data) values (?, ?, ?, ?, ?)',
  )
  const update = db.prepare('update domain set archived_at = ?, next_check_at = ?, data = ? where name = ?')
  const remove = [
    'domain where name',
    'dkim_key where domain',
    'latest_check where domain',
    'check_history where domain',
    'share_link where domain',
    'domain_claim where domain',
  ].map(from => db.prepare(`delete from ${from} = ?`))
  const insertKey = db.prepare('insert or replace into dkim_key (domain, selector, data) values (?, ?, ?)')
  const findKey: Statement<string> = db.prepare('select data from dkim_key where domain = ? and selector = ?')
  const findCheck: Statement<string> = db.prepare(
    'select data from latest_check where domain = ? and purpose = ? and name = ?',
  )
  const insertCheck = db.prepare(
    'insert or replace into latest_check (domain, purpose, name, data) values (?, ?, ?, ?)',
  )
  const insertHistory = db.prepare(
    'insert into check_history (domain, checked_at, purpose, name, data) values (?, ?, ?, ?, ?)',
  )
  const forgetHistory = db.prepare(`
    delete from check_history where domain = ? and purpose = ? and name = ? and checked_at <=
      (select checked_at from check_history where domain = ? and purpose = ? and name = ?
      order by checked_at desc limit 1 offset ${historyKept})`)
  const archivedBefore: Statement<string> = db.prepare('select name from domain where archived_at < ?')
  const limits: Statement<string> = db.prepare('select account from domain where name = ? and archived_at is null')
  for (const statement of [findKey, findCheck, archivedBefore, limits]) statement.pluck()
  const { domain: read } = openDomainsReader(db)

  function existing(name: DomainName): SenderDomain {
    const domain = read(name, { archived: true })
    if (!domain) throw new NotFound(`${name} is not registered`)
    return domain
  }

  function write({ keys: _, checks: __, ...domain }: SenderDomain): void {
    update.run(domain.archivedAt, domain.nextCheckAt, JSON.stringify(domain), domain.name)
  }

  function tell(tx: Transaction, name: DomainName, told: NewEvents): void {
    events.write(told.map(eventRow))
    tx.changes.push({ kind: 'domain', name })
  }

  function removeDomain(tx: Transaction, name: DomainName): void {
    for (const statement of remove) statement.run(name)
    tx.changes.push({ kind: 'domain', name })
  }

  function writeCheck(domain: DomainName, check: Check): void {
    const { purpose, name, checkedAt } = check
    const found = findCheck.get(domain, purpose, name)
    const before = found === undefined ? null : (JSON.parse(found) as Check)
    const data = JSON.stringify(check)
    insertCheck.run(domain, purpose, name, data)
    if (before !== null && !isChange(before, check)) return
    insertHistory.run(domain, checkedAt, purpose, name, data)
    forgetHistory.run(domain, purpose, name, domain, purpose, name)
  }

  return {
    removeDomain,

    createDomain(tx: Transaction, domain: SenderDomain, told: NewEvents): void {
      const { keys, checks, ...data } = domain
      const holder = limits.get(domain.name)
      if (holder !== undefined) throw new Conflict(`${domain.name} is registered by account ${holder}`, holder)
      for (const statement of remove) statement.run(domain.name)
      insert.run(domain.name, domain.account, domain.archivedAt, domain.nextCheckAt, JSON.stringify(data))
      for (const key of keys) insertKey.run(key.domain, key.selector, JSON.stringify(key))
      for (const check of checks) writeCheck(domain.name, check)
      tell(tx, domain.name, told)
    },

    updateDomain(tx: Transaction, name: DomainName, change: DomainChange, told: NewEvents): SenderDomain {
      const before = existing(name)
      const after = { ...before, ...change }
      write(after)
      if (!sameLimits(before.limits, after.limits)) replan(tx, `domain:${name}`)
      tell(tx, name, told)
      return after
    },

    addKey(tx: Transaction, key: DkimKey, told: NewEvents): void {
      existing(key.domain)
      const before = findKey.get(key.domain, key.selector)
      if (before !== undefined && (JSON.parse(before) as DkimKey).state !== 'retired')
        throw new Conflict(`${key.domain} has a key ${key.selector} already`, null)
      insertKey.run(key.domain, key.selector, JSON.stringify(key))
      tell(tx, key.domain, told)
    },

    setKeyState(
      tx: Transaction,
      domain: DomainName,
      selector: string,
      state: KeyState,
      at: Instant,
      told: NewEvents,
    ): void {
      const data = findKey.get(domain, selector)
      if (data === undefined) throw new NotFound(`${domain} has no key ${selector}`)
      const key = JSON.parse(data) as DkimKey
      // Whoever decided on an older state of affairs must not wake a key of a former holder.
      if (key.state === 'retired' && state !== 'retired')
        throw new Conflict(`the key ${selector} of ${domain} is retired`, null)
      insertKey.run(domain, selector, JSON.stringify({ ...key, state, stateSince: at }))
      tell(tx, domain, told)
    },

    recordChecks(
      tx: Transaction,
      name: DomainName,
      checks: readonly Check[],
      nextCheckAt: Instant,
      told: NewEvents,
    ): void {
      write({ ...existing(name), nextCheckAt })
      for (const check of checks) writeCheck(name, check)
      tell(tx, name, told)
    },

    purgeArchivedDomains(tx: Transaction, before: Instant): number {
      const names = archivedBefore.all(before)
      for (const name of names) removeDomain(tx, name)
      return names.length
    },
  }
}

/** What was found counts as a set: DNS answers several records in any order. */
function isChange(before: Check, after: Check): boolean {
  if (before.state !== after.state || before.reason !== after.reason) return true
  return before.found.toSorted().join('\n') !== after.found.toSorted().join('\n')
}
