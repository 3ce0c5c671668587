/**
 * Which servers are authoritative for a name: those of the zone it lies in (RFC 1034 §4.2), with their addresses.
 *
 * The zone is found by asking for NS from the name upwards. Addresses come from strangers' zones, so they are judged
 * like those of MX hosts (`refused-address.ts`): otherwise anybody could have our questions sent into our own network.
 * Fails by answering null when nobody names a server; a server that can't be asked is told with its fault.
 */
import type { DomainName, HostName } from '../mail/ids.ts'
import { refusedAddress } from './refused-address.ts'
import { DnsTrouble, type Lookups } from './resolver.ts'

export interface NameServer {
  readonly server: HostName
  readonly address: string
}

export interface UnusableServer {
  readonly server: HostName
  /** Empty: it has none. */
  readonly address: string
  readonly fault: 'no-address' | 'refused-address'
}

export interface NameServers {
  readonly zone: DomainName
  readonly servers: readonly NameServer[]
  readonly unusable: readonly UnusableServer[]
}

export interface FindOptions {
  /** For the zone, which may just have moved to other servers. */
  readonly fresh: Lookups
  /** For the servers' addresses: thousands of domains share a few. */
  readonly cached: Lookups
  readonly allowPrivate: boolean
}

/** As many as the root has (RFC 1035 §4.2.1: what fits into 512 octets); nobody needs more. */
const maxHosts = 13
/** Each may cost a time-out. */
const maxServers = 16
/** Enough to see what is wrong; a thousand of each host would stand in every check. */
const maxUnusableOfHost = 2
/** As in `mx.ts`: what else stands in a label would reach logs and terminals. */
const hostName = /^[a-z0-9._-]+$/

export async function findNameServers(name: DomainName, options: FindOptions): Promise<NameServers | null> {
  const found = await findZone(name, options.fresh)
  if (found === null) return null
  const hosts = found.hosts.filter(host => hostName.test(host)).toSorted()
  const looked = await Promise.all(hosts.slice(0, maxHosts).map(host => look(host, options)))
  const servers = looked.flatMap(({ server, usable }) => usable.map((address, rank) => ({ server, address, rank })))
  // When there are too many, one address of every host comes before a second one of any.
  const kept = servers.toSorted((a, b) => a.rank - b.rank).slice(0, maxServers)
  return {
    zone: found.zone,
    servers: kept.map(({ server, address }) => ({ server, address })),
    unusable: looked.flatMap(({ unusable }) => unusable.slice(0, maxUnusableOfHost)),
  }
}

/** A top level domain is nobody's zone who could publish a record for us: the walk ends below it. */
async function findZone(name: DomainName, fresh: Lookups) {
  for (let zone = name; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
    const hosts = await recordsOf(fresh.ns(zone))
    // A resolver follows a CNAME and answers with the servers of its target; a zone's name has none (RFC 1912 §2.4).
    if (hosts.length > 0 && (await recordsOf(fresh.cname(zone))).length === 0) return { zone, hosts }
  }
  return null
}

async function look(server: HostName, { cached, allowPrivate }: FindOptions) {
  const v4 = await recordsOf(cached.a(server))
  // A server with both is asked once: a relay without IPv6 would report every other server as unreachable.
  const addresses = v4.length > 0 ? v4 : await recordsOf(cached.aaaa(server))
  const isRefused = (address: string) => refusedAddress(address, allowPrivate) !== null
  const refused = addresses.filter(isRefused)
  const unusable: UnusableServer[] =
    addresses.length === 0
      ? [{ server, address: '', fault: 'no-address' }]
      : refused.map(address => ({ server, address, fault: 'refused-address' }))
  return { server, usable: addresses.filter(address => !isRefused(address)), unusable }
}

/** Trouble at one name is no answer about the next. */
async function recordsOf<T>(lookup: Promise<{ readonly records: readonly T[] }>): Promise<readonly T[]> {
  try {
    return (await lookup).records
  } catch (error) {
    if (error instanceof DnsTrouble) return []
    throw error
  }
}
