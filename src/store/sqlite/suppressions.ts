/**
 * Suppressions: one row for each account and address; '' stands for all accounts.
 *
 * What a machine concluded never takes the place of what a person said, and a bounce not that of a complaint. Each change
 * is told to the data planes, whose memory of addresses (store/suppressed.ts) follows it, and as an event.
 */
import type { Account } from '../../mail/account.ts'
import { domainOf } from '../../mail/address.ts'
import type { EventType } from '../../mail/event.ts'
import type { AccountId, Instant, Mailbox } from '../../mail/ids.ts'
import {
  type AutomaticSuppression,
  type Suppression,
  type SuppressionKey,
  type SuppressionReason,
  suppressedAddress,
} from '../../mail/suppression.ts'
import { type ErasedSuppressions, erasedAddress, NotFound, type PutSuppression } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import { eventRow } from './rows.ts'
import { type StoredSuppression, suppressionColumns, suppressionOf } from './suppressions-reader.ts'
import type { Transaction } from './transaction.ts'

export type Suppress = ReturnType<typeof openSuppressions>['suppress']

/** A stronger one takes the place of a weaker. */
const strength: Readonly<Record<SuppressionReason, number>> = {
  'hard-bounce': 0,
  complaint: 1,
  unsubscribed: 2,
  manual: 2,
}

export function openSuppressions(db: Connection, events: Events) {
  const find: Statement<StoredSuppression> = db.prepare(
    `select ${suppressionColumns} from suppression where account = ? and address = ?`,
  )
  const insert = db.prepare(`insert into suppression
    (account, address, domain, reason, class, created_at, expires_at, note, evidence) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const remove = db.prepare('delete from suppression where account = ? and address = ?')
  const expired: Statement<StoredSuppression> = db.prepare(
    `select ${suppressionColumns} from suppression where expires_at <= ? order by expires_at limit ?`,
  )
  const accountOf: Statement<string> = db.prepare('select data from account where id = ?')
  accountOf.pluck()
  const countBounce: Statement<number> = db.prepare(`
    insert into hard_bounce (account, address, count, until) values (?, ?, 1, ?)
    on conflict (account, address) do update set
      count = case when until <= ? then 1 else count + 1 end,
      until = case when until <= ? then excluded.until else until end
    returning count`)
  countBounce.pluck()
  const forgetBounces = db.prepare('delete from hard_bounce where account = ? and address = ?')
  const purgeBounces = db.prepare('delete from hard_bounce where until <= ?')

  const forgetBouncesOf = db.prepare('delete from hard_bounce where address = ?')
  const removeBounced = db.prepare("delete from suppression where address = ? and reason = 'hard-bounce'")
  const countOf: Statement<number> = db.prepare('select count(*) from suppression where address = ?')
  countOf.pluck()
  const eventsOf: Statement<{ seq: number; data: string }> = db.prepare(
    "select seq, data from event where recipient = ? and type in ('suppression.added', 'suppression.removed')",
  )
  const eraseEvent = db.prepare('update event set recipient = ?, data = ? where seq = ?')
  const removeAllOf = ['suppression', 'suppression_count', 'hard_bounce'].map(table =>
    db.prepare(`delete from ${table} where account = ?`),
  )

  function existing({ account, address }: SuppressionKey): Suppression | null {
    const stored = find.get(account ?? '', suppressedAddress(address))
    return stored === undefined ? null : suppressionOf(stored)
  }

  function write(suppression: Suppression): void {
    const { account, address, reason, evidence, createdAt, expiresAt, note } = suppression
    remove.run(account ?? '', address)
    const told = evidence === null ? null : JSON.stringify(evidence)
    insert.run(
      ...[account ?? '', address, domainOf(address), reason, evidence?.class ?? null],
      ...[createdAt, expiresAt, note, told],
    )
  }

  function tell(type: EventType, at: Instant, suppression: Suppression): void {
    const { account, address: recipient } = suppression
    events.write([eventRow({ type, at, account, recipient, data: suppression })])
  }

  function isWanted({ account, byDefault }: AutomaticSuppression): boolean {
    const data = accountOf.get(account)
    return data !== undefined && ((JSON.parse(data) as Account).autoSuppress ?? byDefault)
  }

  function isOftenEnough({ account, address, after, countWithinMs, createdAt }: AutomaticSuppression): boolean {
    if (after <= 1) return true
    const key = suppressedAddress(address)
    const count = countBounce.get(account, key, createdAt + countWithinMs, createdAt, createdAt) ?? 0
    if (count >= after) forgetBounces.run(account, key)
    return count >= after
  }

  return {
    putSuppressions(tx: Transaction, suppressions: readonly Suppression[], quiet: boolean): PutSuppression[] {
      const known = new Set<AccountId | null>([null])
      const results = suppressions.map((given): PutSuppression => {
        const suppression = { ...given, address: suppressedAddress(given.address) }
        const { account, createdAt } = suppression
        if (!known.has(account) && accountOf.get(account!) === undefined)
          throw new NotFound(`there is no account ${account}`)
        known.add(account)
        const before = existing(suppression)
        write(suppression)
        if (!quiet) tell('suppression.added', createdAt, suppression)
        return isInForce(before, createdAt) ? 'replaced' : 'created'
      })
      tellPlanes(tx, suppressions)
      return results
    },

    suppress(tx: Transaction, automatic: AutomaticSuppression): boolean {
      if (!isWanted(automatic)) return false
      const before = existing(automatic)
      const stands = isInForce(before, automatic.createdAt)
      if (stands && strength[before.reason] >= strength[automatic.reason]) return false
      if (!isOftenEnough(automatic)) return false
      const { entry, byDefault, after, countWithinMs, ...given } = automatic
      const suppression = { ...given, address: suppressedAddress(given.address) }
      write(suppression)
      tell('suppression.added', suppression.createdAt, suppression)
      const { account, address } = suppression
      tx.changes.push({ kind: 'suppression', account, addresses: [address], concluded: suppression })
      return true
    },

    /** The data planes keep what is removed in their memory of what may be suppressed, and ask. */
    removeSuppressions(_tx: Transaction, keys: readonly SuppressionKey[], at: Instant): number {
      let removed = 0
      for (const key of keys) {
        const suppression = existing(key)
        if (suppression === null) continue
        remove.run(key.account ?? '', suppression.address)
        if (isInForce(suppression, at)) removed++
        tell('suppression.removed', at, suppression)
      }
      return removed
    },

    /** With their account, which nothing can be told of any more. */
    deleteSuppressionsOf(account: AccountId): void {
      for (const statement of removeAllOf) statement.run(account)
    },

    eraseSuppressions(_tx: Transaction, mailbox: Mailbox): ErasedSuppressions {
      const address = suppressedAddress(mailbox)
      forgetBouncesOf.run(address)
      const removed = removeBounced.run(address).changes
      const events = eventsOf.all(address)
      for (const { seq, data } of events) {
        const suppression = JSON.parse(data) as Suppression
        // A note may say who it was.
        const erased = { ...suppression, address: erasedAddress, evidence: null, note: '' }
        eraseEvent.run(erasedAddress, JSON.stringify(erased), seq)
      }
      return { removed, kept: countOf.get(address) ?? 0, events: events.length }
    },

    purgeSuppressions(tx: Transaction, now: Instant, limit: number): number {
      purgeBounces.run(now)
      const over = expired.all(now, limit).map(suppressionOf)
      for (const suppression of over) {
        remove.run(suppression.account ?? '', suppression.address)
        tell('suppression.removed', now, suppression)
      }
      if (over.length > 0) tx.changes.push({ kind: 'suppression', account: null, addresses: [], ended: over })
      return over.length
    },
  }
}

function isInForce(suppression: Suppression | null, now: Instant): suppression is Suppression {
  return suppression !== null && (suppression.expiresAt === null || suppression.expiresAt > now)
}

function tellPlanes(tx: Transaction, suppressions: readonly SuppressionKey[]): void {
  for (const [account, group] of Map.groupBy(suppressions, one => one.account)) {
    const addresses = group.map(({ address }): Mailbox => suppressedAddress(address))
    tx.changes.push({ kind: 'suppression', account, addresses })
  }
}
