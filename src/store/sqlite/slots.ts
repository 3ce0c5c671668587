/**
 * Send slots in the store: buckets as rows, read once and written once per transaction.
 *
 * At acceptance the caller says the limits it knows. A retry takes its slot when it is claimed, under the limits in
 * force then, which are read from the key's owner (`account:<id>`, `domain:<name>`, `credential:<id>`).
 */
import type { Instant } from '../../mail/ids.ts'
import type { SendLimits } from '../../mail/sender-domain.ts'
import { type BucketState, isLimited, peek, reserve } from '../../policy/token-bucket.ts'
import type { LimitUse } from '../store.ts'
import type { Connection, Statement } from './connection.ts'
import type { OpenBucket, Transaction } from './transaction.ts'

export type Slots = ReturnType<typeof openSlots>

/** A limit that has no slot now. */
export interface ShortKey {
  readonly key: string
  readonly at: Instant
}

export function openSlots(db: Connection) {
  const read: Statement<BucketState> = db.prepare('select minute, hour, day from bucket where key = ?')
  const write = db.prepare('insert or replace into bucket (key, minute, hour, day) values (?, ?, ?, ?)')
  const remove = db.prepare('delete from bucket where key = ?')
  const limitsInForce = limitReader(db)

  function bucket(tx: Transaction, key: string): OpenBucket {
    const known = tx.buckets.get(key)
    if (known) return known
    const open = { state: read.get(key) ?? null, limits: null, dirty: false }
    tx.buckets.set(key, open)
    return open
  }

  function take(tx: Transaction, key: string, limits: SendLimits): Instant {
    const open = bucket(tx, key)
    const slot = reserve(open.state, limits, tx.now)
    open.state = slot.state
    open.dirty = true
    return slot.slotAt
  }

  function limitsOf(tx: Transaction, key: string): SendLimits {
    const open = bucket(tx, key)
    open.limits ??= limitsInForce(key)
    return open.limits
  }

  return {
    limitsOf,
    /** A slot under each; the latest counts. Those that are not now are added to `short`. */
    reserve(tx: Transaction, uses: readonly LimitUse[], short: ShortKey[]): Instant {
      let slotAt = tx.now
      for (const { key, limits } of uses) {
        const at = take(tx, key, limits)
        if (at > tx.now) short.push({ key, at })
        if (at > slotAt) slotAt = at
      }
      return slotAt
    },
    /** The same under the limits in force now. */
    reserveInForce(tx: Transaction, keys: readonly string[], short: ShortKey[] = []): Instant {
      let slotAt = tx.now
      for (const key of keys) {
        const limits = limitsOf(tx, key)
        if (!isLimited(limits)) continue
        const at = take(tx, key, limits)
        if (at > tx.now) short.push({ key, at })
        if (at > slotAt) slotAt = at
      }
      return slotAt
    },
    change(tx: Transaction, key: string, next: (state: BucketState | null) => BucketState | null): void {
      const open = bucket(tx, key)
      open.state = next(open.state)
      open.dirty = true
    },
    flush(tx: Transaction): void {
      for (const [key, { state, dirty }] of tx.buckets) {
        if (!dirty) continue
        if (state === null) remove.run(key)
        else write.run(key, state.minute, state.hour, state.day)
      }
      tx.buckets.clear()
    },
  }
}

export function openSlotsReader(db: Connection) {
  const read: Statement<BucketState> = db.prepare('select minute, hour, day from bucket where key = ?')
  return {
    nextSlot(uses: readonly LimitUse[], now: Instant): Instant | null {
      const limited = uses.filter(({ limits }) => isLimited(limits))
      if (limited.length === 0) return null
      return Math.max(...limited.map(({ key, limits }) => peek(read.get(key) ?? null, limits, now)))
    },
  }
}

function limitReader(db: Connection): (key: string) => SendLimits {
  const select = (table: string, column: string): Statement<string> =>
    db.prepare<string[], string>(`select json_extract(data, '$.limits') from ${table} where ${column} = ?`).pluck()
  const owners: Readonly<Record<string, Statement<string>>> = {
    account: select('account', 'id'),
    domain: select('domain', 'name'),
    credential: select('credential', 'id'),
  }
  return key => {
    const colon = key.indexOf(':')
    const limits = owners[key.slice(0, colon)]?.get(key.slice(colon + 1))
    return limits ? (JSON.parse(limits) as SendLimits) : {}
  }
}
