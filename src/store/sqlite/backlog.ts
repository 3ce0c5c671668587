/**
 * Backlogs: one row for all waiting entries that have recipient domain, account, sender domain, priority, schedule, last
 * site, last class and hold in common, and one for each stretch of time in which some of them are next due.
 *
 * The queue is counted in these rows, whatever is queued. Leased entries are not in them: a fresh message that is
 * delivered at once never touches one, and what is leased is few. A batch of a thousand deferrals to one dead site costs
 * one lookup and one row. Whether an entry is due depends on the time: only the stretch that the present moment lies in
 * has to be looked at, and only when it holds moments of both sides (queue-tally.ts).
 * Counts are true to the entry (test/store/invariants.test.ts); bounds of moments may be wider than what is left.
 */
import type { Instant } from '../../mail/ids.ts'
import type { Connection, Statement } from './connection.ts'
import type { Transaction } from './transaction.ts'

export type Backlog = ReturnType<typeof openBacklog>

export interface BacklogKey {
  readonly domain: string
  readonly account: string | null
  readonly senderDomain: string
  /** Its rank. */
  readonly priority: number
  /** Not to be tried before a moment that the sender named. */
  readonly scheduled: boolean
  readonly site: string | null
  readonly class: string | null
  readonly held: boolean
}

/** 4 minutes: what lies in the present ones may have to be counted one by one, and days of retries are some hundred rows. */
const slotMs = 2 ** 18

export function slotOf(at: Instant): number {
  return Math.floor(at / slotMs)
}

export function startOf(slot: number): Instant {
  return slot * slotMs
}

export function openBacklog(db: Connection) {
  const find: Statement<number> = db.prepare(
    `select id from backlog where domain = ? and account = ? and sender_domain = ? and priority = ? and scheduled = ?
      and site = ? and class = ? and held = ?`,
  )
  const create: Statement<number> = db.prepare(
    `insert into backlog (domain, account, sender_domain, priority, scheduled, site, class, held)
      values (?, ?, ?, ?, ?, ?, ?, ?) returning id`,
  )
  for (const statement of [find, create]) statement.pluck()
  const change = db.prepare(`
    insert into backlog_slot (backlog, slot, count, earliest, latest) values (?, ?, ?, ?, ?)
    on conflict (backlog, slot) do update set count = count + excluded.count,
      earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)`)
  const removeEmpty = db.prepare('delete from backlog_slot where backlog = ? and slot = ? and count = 0')
  const removeUnused = db.prepare(
    'delete from backlog where id = ? and not exists (select 1 from backlog_slot where backlog = id)',
  )

  function idOf(tx: Transaction, key: BacklogKey): number {
    const { domain, account, senderDomain, priority, scheduled, site, held } = key
    const flag = (set: boolean) => (set ? 1 : 0)
    const common = [domain, account ?? '', senderDomain, priority, flag(scheduled)] as const
    const values = [...common, site ?? '', key.class ?? '', flag(held)] as const
    const name = values.join('\n')
    const known = tx.backlogs.get(name)
    if (known !== undefined) return known
    const id = find.get(...values) ?? create.get(...values)!
    tx.backlogs.set(name, id)
    return id
  }

  function delta(tx: Transaction, backlog: number, at: Instant) {
    const slot = slotOf(at)
    const name = `${backlog} ${slot}`
    const known = tx.backlogSlots.get(name)
    if (known) return known
    const fresh = { backlog, slot, count: 0, earliest: at, latest: at }
    tx.backlogSlots.set(name, fresh)
    return fresh
  }

  function enter(tx: Transaction, backlog: number, at: Instant): void {
    const slot = delta(tx, backlog, at)
    slot.count += 1
    slot.earliest = Math.min(slot.earliest, at)
    slot.latest = Math.max(slot.latest, at)
  }

  return {
    /** Made when it is new: an entry that names it enters it in the same transaction. */
    find: idOf,
    enter,
    leave(tx: Transaction, backlog: number, at: Instant): void {
      delta(tx, backlog, at).count -= 1
    },
    flush(tx: Transaction): void {
      const slots = [...tx.backlogSlots.values()]
      for (const { backlog, slot, count, earliest, latest } of slots) change.run(backlog, slot, count, earliest, latest)
      // Only then: what left one slot may have come to another.
      for (const { backlog, slot, count } of slots) {
        if (count > 0) continue
        if (removeEmpty.run(backlog, slot).changes > 0) removeUnused.run(backlog)
      }
      tx.backlogSlots.clear()
      tx.backlogs.clear()
    },
  }
}
