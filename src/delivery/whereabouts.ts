/**
 * Where mail waits for a site: which of these entries are in memory, and of which recipient domains nothing is claimed.
 *
 * Asked by people who want to know why something waits, never on the way of a message: it looks through all that waits
 * here. Never fails.
 */
import type { DomainName, EntryId } from '../mail/ids.ts'
import type { Crowd } from './crowd.ts'
import type { SlowedSender, SlowedSenders } from './slowed-senders.ts'
import type { Site, SiteState } from './throttle.ts'

export interface Sought {
  readonly entries: readonly EntryId[]
  /** Recipient domains. */
  readonly domains: readonly DomainName[]
  /** Sites by their names. */
  readonly sites: readonly string[]
  /** Sender domains, and the site or provider that wants less from them. */
  readonly slowed: readonly (readonly [domain: DomainName, where: string])[]
}

/** Of one worker, or of several together; plain data. */
export interface Whereabouts {
  /** In memory, until it is their turn there. */
  readonly entries: readonly (readonly [entry: EntryId, site: string])[]
  /** Recipient domains that stay in the queue, because the site is closed or enough waits for it. */
  readonly lanes: readonly (readonly [domain: DomainName, site: string])[]
  /** All that are named above or were sought. */
  readonly sites: readonly SiteState[]
  readonly slowed: readonly (SlowedSender & { readonly where: string })[]
}

interface Waiting {
  readonly sites: Iterable<Site>
  readonly senders: Pick<SlowedSenders, 'at' | 'named'>
}

export const nowhere: Whereabouts = { entries: [], lanes: [], sites: [], slowed: [] }

export function whereabouts({ sites, senders }: Waiting, sought: Sought): Whereabouts {
  const [domains, names] = [new Set(sought.domains), new Set(sought.sites)]
  const byKey = new Map([...sites].map(site => [site.key, site] as const))
  const lanes = [...byKey.values()].flatMap(site => site.parkedAmong(domains).map(domain => [domain, site] as const))
  const entries = waitingAmong(new Set(sought.entries), byKey)
  const named = [...byKey.values()].filter(({ name }) => names.has(name))
  const found = new Set([...[...lanes, ...entries].map(([, site]) => site), ...named])
  return {
    entries: entries.map(([entry, { name }]) => [entry, name]),
    lanes: lanes.map(([domain, { name }]) => [domain, name]),
    sites: [...found].map(site => ({ ...site.state, senders: senders.at(site) })),
    slowed: sought.slowed.flatMap(([domain, where]) => {
      const slowed = senders.named(where, domain)
      return slowed === null ? [] : [{ ...slowed, where }]
    }),
  }
}

function waitingAmong(entries: ReadonlySet<EntryId>, byKey: ReadonlyMap<string, Site>): (readonly [EntryId, Site])[] {
  const found: (readonly [EntryId, Site])[] = []
  if (entries.size === 0) return found
  const holders = new Set<Site | Crowd>([...byKey.values()].flatMap(site => [site, site.limits.crowd ?? site]))
  for (const holder of holders)
    for (const { leased, route } of holder.groups())
      for (const { entry } of leased) if (entries.has(entry.id)) found.push([entry.id, byKey.get(route.key)!])
  return found
}
