/**
 * Plays the operator who publishes the keys behind the customers' CNAMEs, as they change.
 *
 * A trouble is logged: the zone then stays as it was.
 */
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import { dkimZone, zoneRecords } from '../domains/dkim-zone.ts'
import { dkimZoneName } from '../domains/fixed-selectors.ts'
import type { DomainName } from '../mail/ids.ts'
import type { Store } from '../store/store.ts'
import type { ZoneBook } from './zone-book.ts'

export interface DkimZoneParts {
  readonly book: ZoneBook
  readonly store: Pick<Store, 'onChange' | 'domain' | 'listDomains'>
  readonly config: Pick<Config, 'relayDomain'>
  readonly log: Log
}

/** Answers how to end it. */
export function followDkimZone({ book, store, config, log }: DkimZoneParts): () => void {
  const warn = (error: unknown) => log.warn({ error: String(error) }, "the sandbox's zone could not follow DKIM keys")
  const published = new Map<DomainName, readonly DomainName[]>()

  function publish(domain: DomainName, records: readonly { readonly name: DomainName; readonly value: string }[]) {
    const names = records.map(({ name }) => name)
    for (const name of published.get(domain) ?? []) if (!names.includes(name)) book.set(name, {})
    for (const { name, value } of records) if (book.entry(name)?.TXT?.[0] !== value) book.set(name, { TXT: [value] })
    published.set(domain, names)
  }

  async function publishAll(): Promise<void> {
    const { records } = await dkimZone(store, config)
    const present = new Set(records.map(({ name }) => name))
    const below = `.${dkimZoneName(config)}`
    for (const name of Object.keys(book.zone())) if (name.endsWith(below) && !present.has(name)) book.set(name, {})
    for (const [domain, own] of Map.groupBy(records, record => record.domain)) publish(domain, own)
  }

  async function follow(name: DomainName): Promise<void> {
    const domain = await store.domain(name, { archived: true })
    publish(name, domain ? zoneRecords(domain, config) : [])
  }

  publishAll().catch(warn)
  return store.onChange(change => {
    if (change.kind === 'domain') follow(change.name).catch(warn)
  })
}
