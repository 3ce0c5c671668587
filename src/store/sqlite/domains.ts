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
import { openDomainChecks } from './domain-checks.ts'
import { openDomainKeys } from './domain-keys.ts'
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
  const archivedBefore: Statement<string> = db.prepare('select name from domain where archived_at < ?')
  const limits: Statement<string> = db.prepare('select account from domain where name = ? and archived_at is null')
  for (const statement of [archivedBefore, limits]) statement.pluck()
  const keys = openDomainKeys(db)
  const writeCheck = openDomainChecks(db)
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

  return {
    removeDomain,

    createDomain(tx: Transaction, domain: SenderDomain, told: NewEvents): void {
      const { keys: given, checks, ...data } = domain
      const holder = limits.get(domain.name)
      if (holder !== undefined) throw new Conflict(`${domain.name} is registered by account ${holder}`, holder)
      for (const statement of remove) statement.run(domain.name)
      insert.run(domain.name, domain.account, domain.archivedAt, domain.nextCheckAt, JSON.stringify(data))
      for (const key of given) keys.write(key)
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
      keys.add(key)
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
      keys.setState(domain, selector, state, at)
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
