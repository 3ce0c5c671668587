/**
 * Finds the zone a name is in and the name servers it is delegated to, which tell who runs the panel to edit it in.
 *
 * A sender domain below a registered domain mostly has no zone of its own: the search goes up to the registered domain
 * and no further (its parent is a registry). What was seen stays on record while nobody can say.
 */
import { getDomain } from 'tldts'
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import type { DomainName } from '../mail/ids.ts'
import type { Delegation } from '../mail/sender-domain.ts'
import type { DomainStore } from '../store/store.ts'

export interface DelegationParts {
  readonly store: DomainStore
  readonly resolver: Resolver
}

/** Null: no name server is named anywhere on the way. Fails with DnsTrouble. */
export async function findDelegation(resolver: Resolver, name: DomainName): Promise<Delegation | null> {
  for (const zone of zonesAbove(name)) {
    const { records } = await resolver.ns(zone)
    if (records.length > 0) return { zone, nameServers: records.toSorted() }
  }
  return null
}

/** Writes down where the domain is delegated to, when that is another place than before. Fails with StoreUnavailable. */
export async function noteDelegation({ store, resolver }: DelegationParts, name: DomainName): Promise<void> {
  const domain = await store.domain(name)
  if (!domain) return
  const delegation = await findDelegation(resolver, name).catch(error => {
    if (error instanceof DnsTrouble) return null
    throw error
  })
  if (delegation !== null && !isSame(delegation, domain.delegation)) await store.updateDomain(name, { delegation }, [])
}

function zonesAbove(name: DomainName): DomainName[] {
  const registered = getDomain(name, { allowPrivateDomains: true }) ?? name
  const zones = [name]
  for (let zone = name; zone !== registered && zone.endsWith(`.${registered}`); zones.push(zone))
    zone = zone.slice(zone.indexOf('.') + 1)
  return zones
}

function isSame(a: Delegation, b: Delegation | undefined): boolean {
  return a.zone === b?.zone && a.nameServers.join() === b.nameServers.join()
}
