/**
 * Counts per day, added up within a transaction and written once for each sender domain, receiver and source address.
 *
 * The write that brings a domain near what a receiver calls a bulk sender, or beyond, tells it: once, for a receiver
 * remembers it for good and so do the days that are kept. Receivers count all subdomains of an organisation together, so
 * their sum has a row of its own, which a domain that is its own organisation doesn't pay for.
 */
import { LRUCache } from 'lru-cache'
import type { AccountId, CalendarDay, DomainName } from '../../mail/ids.ts'
import type { Volume, VolumeNote, VolumeScope } from '../../mail/volume.ts'
import { organisationOf } from '../../policy/organisation.ts'
import { bulkFrom, nearShare } from '../../policy/receivers.ts'
import type { Connection, Statement } from './connection.ts'
import type { Events } from './events.ts'
import type { Transaction, VolumeDelta } from './transaction.ts'

export type VolumeTable = ReturnType<typeof openVolume>

type Counted = 'delivered' | 'deferred' | 'bounced'

/** Asked for each outcome: those of the last thousands are kept. */
const manyDomains = 10_000
const columns = 'scope, name, day, receiver, delivered, deferred, bounced, complained, tls, one_click'
const selected = columns.replace('one_click', 'one_click as oneClick')

export function openVolume(db: Connection, events: Events) {
  const add: Statement<number> = db.prepare(`
    insert into volume (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (scope, name, day, receiver) do update set delivered = delivered + excluded.delivered,
      deferred = deferred + excluded.deferred, bounced = bounced + excluded.bounced,
      complained = complained + excluded.complained, tls = tls + excluded.tls, one_click = one_click + excluded.one_click
    returning delivered`)
  const mostBefore: Statement<number> = db.prepare(`
    select coalesce(max(sent), 0) from (select sum(delivered) as sent from volume
      where scope in ('domain', 'organisation') and name = ? and receiver = ? and day < ? group by day)`)
  const sentAs: Statement<number> = db.prepare(
    'select delivered from volume where scope = ? and name = ? and day = ? and receiver = ?',
  )
  const purge = db.prepare(`
    delete from volume where (scope, name, day, receiver) in
      (select scope, name, day, receiver from volume where day < ? order by day limit ?)`)
  for (const statement of [add, mostBefore, sentAs]) statement.pluck()

  const organisations = new LRUCache<DomainName, DomainName>({ max: manyDomains })

  function aboveOf(name: DomainName): DomainName {
    const known = organisations.get(name)
    if (known !== undefined) return known
    const organisation = organisationOf(name)
    organisations.set(name, organisation)
    return organisation
  }

  function delta(
    tx: Transaction,
    scope: VolumeScope,
    name: string,
    key: Pick<Volume, 'day' | 'receiver'>,
    account: AccountId | null,
  ) {
    const { day, receiver } = key
    const of = `${scope} ${day} ${receiver} ${name}`
    const known = tx.volumes.get(of)
    if (known) return known
    const counts = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }
    const fresh: VolumeDelta = { scope, name, day, receiver, account, ...counts }
    tx.volumes.set(of, fresh)
    return fresh
  }

  function count(of: VolumeDelta, action: Counted, { tls, oneClick }: VolumeNote): void {
    of[action] += 1
    if (action !== 'delivered') return
    if (tls) of.tls += 1
    if (oneClick) of.oneClick += 1
  }

  /** `sent`: on that day, this write included. An organisation sends what its subdomains do, and what its own name does. */
  function tellBulk(tx: Transaction, one: VolumeDelta, sent: number): void {
    const { scope, name, receiver, day, account, delivered } = one
    const limit = bulkFrom(receiver)
    if (limit === null) return
    const other = sentAs.get(scope === 'domain' ? 'organisation' : 'domain', name, day, receiver)
    const after = sent + (other ?? 0)
    const before = after - delivered
    const near = limit * nearShare
    const crossed = before < limit && after >= limit ? limit : before < near && after >= near ? near : null
    if (crossed === null || mostBefore.get(name, receiver, day)! >= crossed) return
    const type = crossed === limit ? 'domain.bulk_sender' : 'domain.bulk_sender_near'
    const isSum = scope === 'organisation' || other !== undefined
    const data = JSON.stringify({ receiver, day, delivered: after, limit, organisation: isSum })
    events.write([[type, tx.now, account, null, null, null, name, data]])
  }

  return {
    count(
      tx: Transaction,
      message: { readonly account: AccountId | null; readonly senderDomain: DomainName },
      action: Counted,
      note: VolumeNote,
    ): void {
      const { senderDomain, account } = message
      count(delta(tx, 'domain', senderDomain, note.key, account), action, note)
      const organisation = aboveOf(senderDomain)
      if (organisation !== senderDomain) count(delta(tx, 'organisation', organisation, note.key, account), action, note)
      const { source, day } = note.key
      if (source !== null) count(delta(tx, 'source', source, { day, receiver: '' }, null), action, note)
    },

    addVolume(tx: Transaction, volumes: readonly Volume[]): void {
      for (const { scope, name, day, receiver, ...counts } of volumes) {
        const of = delta(tx, scope, name, { day, receiver }, null)
        for (const field of Object.keys(counts) as (keyof typeof counts)[]) of[field] += counts[field]
      }
    },

    purgeVolume: (_tx: Transaction, before: CalendarDay, limit: number): number => purge.run(before, limit).changes,

    flush(tx: Transaction): void {
      for (const one of tx.volumes.values()) {
        const { scope, name, day, receiver, delivered, deferred, bounced, complained, tls, oneClick } = one
        const after = add.get(scope, name, day, receiver, delivered, deferred, bounced, complained, tls, oneClick)!
        if (scope !== 'source' && delivered > 0) tellBulk(tx, one, after)
      }
      tx.volumes.clear()
    },
  }
}

export function openVolumeReader(db: Connection) {
  const since: Statement<Volume> = db.prepare(
    `select ${selected} from volume where scope = ? and name = ? and day >= ? order by day, receiver`,
  )
  return { volume: (scope: VolumeScope, name: string, day: CalendarDay): Volume[] => since.all(scope, name, day) }
}
