/**
 * The zone that the aliases of sender domains lead to: the keys of all domains that publish CNAMEs.
 *
 * Kitte is no name server for the internet, so the operator publishes it: as `$INCLUDE` in the zone of the relay's domain, or
 * record by record. It holds a key as long as mail signed with it can be under way, those of deleted domains too while they
 * can be restored. Fails with StoreUnavailable.
 */
import type { Config } from '../base/config.ts'
import type { DomainName } from '../mail/ids.ts'
import type { DkimKey, SenderDomain } from '../mail/sender-domain.ts'
import { dkimRecord } from '../signing/key-ring.ts'
import type { DomainStore } from '../store/store.ts'
import { aliasTarget, dkimZoneName } from './fixed-selectors.ts'
import { quotedStrings } from './record-forms.ts'

export interface DkimZone {
  readonly origin: DomainName
  /** Seconds. */
  readonly ttl: number
  /** Ordered by name. */
  readonly records: readonly DkimZoneRecord[]
}

export interface DkimZoneRecord extends Pick<DkimKey, 'domain' | 'selector' | 'state'> {
  /** Full owner name. */
  readonly name: DomainName
  readonly type: 'TXT'
  /** One unsplit string. */
  readonly value: string
}

/** Short, so that a rotation is seen soon; the wait before a key signs allows for longer ones (key-states.ts). */
const ttl = 300
const pageSize = 500

export async function dkimZone(
  store: Pick<DomainStore, 'listDomains'>,
  config: Pick<Config, 'relayDomain'>,
): Promise<DkimZone> {
  const records: DkimZoneRecord[] = []
  for (const archived of [false, true])
    for await (const domain of everyDomain(store, archived)) records.push(...zoneRecords(domain, config))
  records.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { origin: dkimZoneName(config), ttl, records }
}

export function zoneRecords(domain: SenderDomain, config: Pick<Config, 'relayDomain'>): DkimZoneRecord[] {
  return domain.keys
    .filter(({ form, state }) => form === 'cname' && state !== 'retired')
    .map(key => ({
      name: aliasTarget(domain, key.selector, config),
      type: 'TXT',
      value: dkimRecord(key).value,
      ...{ domain: domain.name, selector: key.selector, state: key.state },
    }))
}

/** A master file without SOA and NS, which are the including zone's (RFC 1035 §5.1). */
export function masterFile({ origin, ttl: seconds, records }: DkimZone): string {
  const lines = records.map(({ name, value, domain, selector }) => {
    const label = name.slice(0, -origin.length - 1)
    return `${label} IN TXT ${quotedStrings(value)} ; ${selector}._domainkey.${domain}`
  })
  return [`$ORIGIN ${origin}.`, `$TTL ${seconds}`, ...lines, ''].join('\n')
}

async function* everyDomain(store: Pick<DomainStore, 'listDomains'>, archived: boolean) {
  let after: string | undefined
  for (;;) {
    const domains = await store.listDomains(
      { archived },
      { limit: pageSize, ...(after === undefined ? {} : { after }) },
    )
    yield* domains
    if (domains.length < pageSize) return
    after = domains.at(-1)!.name
  }
}
