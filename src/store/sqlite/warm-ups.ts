/**
 * Warm-ups: places under a day's cap, given out in the transaction that counts them, so that no restart and no second
 * worker sends one mail more. Whoever asks brings it to today first (`policy/warm-up.ts`); what changed by that is an
 * event and is answered, to be told in the log. Fails with NotFound, and with Conflict while another goes on.
 */
import type { EventType } from '../../mail/event.ts'
import type { CalendarDay, Instant } from '../../mail/ids.ts'
import type { WarmUp, WarmUpChange } from '../../mail/warm-up.ts'
import { capOf, type DayCounts, pausedByHand, placesFor, resumed, review } from '../../policy/warm-up.ts'
import { Conflict, NotFound, type Page, type Places, type WarmUpDay, type WarmUpName } from '../store.ts'
import type { Backlog } from './backlog.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import type { Transaction } from './transaction.ts'
import type { VolumeTable } from './volume.ts'
import type { Waiting } from './waiting.ts'

const nothingYet: DayCounts = { delivered: 0, deferred: 0, bounced: 0, complained: 0 }

export interface WarmUpParts {
  readonly db: Connection
  readonly events: Events
  readonly volume: VolumeTable
  readonly backlog: Backlog
  readonly waiting: Waiting
}

export function openWarmUps({ db, events, volume, backlog, waiting }: WarmUpParts) {
  const insert = db.prepare('insert or replace into warm_up (kind, name, data) values (?, ?, ?)')
  const update = db.prepare('update warm_up set data = ? where kind = ? and name = ?')
  const remove = db.prepare('delete from warm_up where kind = ? and name = ?')
  const counts: Statement<DayCounts> = db.prepare(`
    select coalesce(sum(delivered), 0) as delivered, coalesce(sum(deferred), 0) as deferred,
      coalesce(sum(bounced), 0) as bounced, coalesce(sum(complained), 0) as complained
    from volume where scope = ? and name = ? and day = ?`)
  const open: Statement<string> = db.prepare("select data from warm_up where json_extract(data, '$.state') <> 'done'")
  open.pluck()
  const sleepers: Statement<{ message: number; n: number; backlog: number; at: Instant }> = db.prepare(`
    select message, n, backlog, next_attempt_at as at from entry
    where waits_for = ? and lease_until is null and held_reason is null limit ?`)
  const wake = db.prepare('update entry set next_attempt_at = ?, waits_for = null where message = ? and n = ?')
  const { warmUp: read } = openWarmUpsReader(db)

  function existing(of: WarmUpName): WarmUp {
    const warmUp = read(of)
    if (!warmUp) throw new NotFound(`there is no warm-up of ${of.kind} ${of.name}`)
    return warmUp
  }

  function write(warmUp: WarmUp): void {
    update.run(JSON.stringify(warmUp), warmUp.kind, warmUp.name)
  }

  /** Its threads look at it again. */
  function tell(tx: Transaction, { kind, name }: WarmUpName): void {
    tx.changes.push({ kind: 'warm-up', of: { kind, name } })
  }

  function record(tx: Transaction, { type, warmUp }: WarmUpChange, { at }: WarmUpDay): void {
    const { kind, name, account, day, pause, plan } = warmUp
    const trouble = pause?.trouble ?? null
    const data = JSON.stringify({ kind, name, plan, day, cap: capOf(warmUp), trouble })
    const event: EventType = `warm_up.${type}`
    events.write([[event, at, account, null, null, null, kind === 'domain' ? name : null, data]])
    tell(tx, warmUp)
  }

  /** Counts of this transaction are part of it. */
  function toToday(
    tx: Transaction,
    before: WarmUp,
    day: WarmUpDay,
  ): { warmUp: WarmUp; changes: readonly WarmUpChange[] } {
    volume.flush(tx)
    const of = before.day === null ? nothingYet : counts.get(before.kind, before.name, before.day)!
    const reviewed = review(before, of, day.today, day.rules)
    if (reviewed.warmUp !== before) write(reviewed.warmUp)
    for (const change of reviewed.changes) record(tx, change, day)
    return reviewed
  }

  return {
    createWarmUp(tx: Transaction, warmUp: WarmUp): void {
      const before = read(warmUp)
      if (before !== null && before.state !== 'done')
        throw new Conflict(`${warmUp.kind} ${warmUp.name} has a warm-up that goes on`, before.account)
      insert.run(warmUp.kind, warmUp.name, JSON.stringify(warmUp))
      tell(tx, warmUp)
    },

    pauseWarmUp(tx: Transaction, of: WarmUpName, day: WarmUpDay): WarmUp {
      const { warmUp } = toToday(tx, existing(of), day)
      if (warmUp.state === 'done') throw new Conflict(`the warm-up of ${of.kind} ${of.name} is done`, warmUp.account)
      const paused = pausedByHand(warmUp, day.today)
      write(paused)
      record(tx, { type: 'paused', warmUp: paused }, day)
      return paused
    },

    resumeWarmUp(tx: Transaction, of: WarmUpName, day: WarmUpDay): WarmUp {
      const { warmUp } = toToday(tx, existing(of), day)
      if (warmUp.pause === null) return warmUp
      const going = resumed(warmUp)
      write(going)
      record(tx, { type: 'resumed', warmUp: going }, day)
      return going
    },

    deleteWarmUp(tx: Transaction, of: WarmUpName): void {
      existing(of)
      remove.run(of.kind, of.name)
      tell(tx, of)
    },

    takePlaces(tx: Transaction, of: WarmUpName, wanted: number, day: WarmUpDay): Places {
      const before = read(of)
      if (before === null) return { granted: wanted, changes: [] }
      const { warmUp, changes } = toToday(tx, before, day)
      const granted = placesFor(warmUp, wanted)
      if (granted > 0 && warmUp.state !== 'done') write({ ...warmUp, taken: warmUp.taken + granted })
      return { granted, changes }
    },

    givePlaces(_tx: Transaction, of: WarmUpName, count: number, day: CalendarDay): void {
      const warmUp = read(of)
      if (warmUp?.day === day) write({ ...warmUp, taken: Math.max(0, warmUp.taken - count) })
    },

    wakeWaiting(tx: Transaction, waitsFor: string, limit: number): number {
      const found = sleepers.all(waitsFor, limit)
      for (const { message, n, backlog: id, at } of found) {
        backlog.leave(tx, id, at)
        wake.run(tx.now, message, n)
        waiting.put(tx, message, n)
      }
      if (found.length > 0) tx.tellQueue()
      return found.length
    },

    reviewWarmUps(tx: Transaction, day: WarmUpDay): readonly WarmUpChange[] {
      return open.all().flatMap(data => toToday(tx, JSON.parse(data) as WarmUp, day).changes)
    },
  }
}

export function openWarmUpsReader(db: Connection) {
  const find: Statement<string> = db.prepare('select data from warm_up where kind = ? and name = ?')
  const list: Statement<string> = db.prepare(
    "select data from warm_up where kind || '/' || name > ? order by kind, name limit ?",
  )
  for (const statement of [find, list]) statement.pluck()
  return {
    warmUp({ kind, name }: WarmUpName): WarmUp | null {
      const data = find.get(kind, name)
      return data === undefined ? null : (JSON.parse(data) as WarmUp)
    },
    listWarmUps: ({ after = '', limit }: Page): WarmUp[] =>
      list.all(after, limit).map(data => JSON.parse(data) as WarmUp),
  }
}
