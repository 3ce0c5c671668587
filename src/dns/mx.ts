/**
 * Where mail for a domain goes: its MX hosts with their addresses (RFC 5321 §5.1).
 *
 * Written over our own Resolver: mx-connect's lookup asks A and AAAA of every host however many there are, takes only
 * the A records of a domain without MX, doesn't shuffle equal preferences, reports the first trouble instead of the
 * decisive one, and can't tell NXDOMAIN from NODATA, which are different replies to the sender (5.1.2 and 5.4.4). Its
 * judgement of addresses is used (`refused-address.ts`). Fails by answering a LookupFailure, never by throwing.
 */
import { isIP } from 'node:net'
import type { DomainName, HostName } from '../mail/ids.ts'
import { refusedAddress } from './refused-address.ts'
import { type Answer, DnsTrouble, type MxRecord, type Resolver } from './resolver.ts'

export interface MxHost {
  readonly host: HostName
  readonly preference: number
  /** IPv6 and IPv4, in the order to try. Never empty. */
  readonly addresses: readonly string[]
  /** Absent: that of all MX hosts. */
  readonly port?: number
}

export interface LookupFailure {
  /** `null-mx`: RFC 7505. `no-domain`: NXDOMAIN. `no-host`: no MX and no address. `dns-trouble`: nobody could say. */
  readonly kind: 'null-mx' | 'no-domain' | 'no-host' | 'dns-trouble' | 'private-address'
  /** Fit for a log line. */
  readonly detail: string
}

export interface LookupOptions {
  readonly ipv6: boolean
  readonly maxHosts: number
  readonly maxAddressesPerHost: number
  readonly allowPrivateAddresses: boolean
  /** 0 ≤ x < 1; orders hosts of equal preference. */
  readonly random?: () => number
}

/** `exchanges`: the names of all its MX hosts, also those that are not tried; its own where it has no MX. */
export type FoundHosts =
  | { readonly hosts: readonly MxHost[]; readonly exchanges: readonly HostName[] }
  | { readonly failure: LookupFailure }

type Found = { readonly addresses: readonly string[] } | { readonly failure: LookupFailure }

/** A label may hold any octet (RFC 2181 §11): line breaks and escapes would reach logs, reports and terminals. */
const hostName = /^[a-z0-9._-]+$/
/** No honest domain has more; the rest would only cost lookups. */
const maxExchanges = 20

/** Hosts in the order to try. An address literal (`[192.0.2.1]`, `[IPv6:2001:db8::1]`) is its own host. */
export async function findHosts(resolver: Resolver, domain: DomainName, options: LookupOptions): Promise<FoundHosts> {
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(domain)?.[1]
  if (literal !== undefined) return soleHost(await findAddresses(resolver, literal, options), domain)
  const answer = await asked(() => resolver.mx(domain))
  if ('failure' in answer) return answer
  if (answer.status === 'nxdomain') return failed('no-domain', `${domain} does not exist`)
  if (answer.status === 'nodata') return soleHost(await findAddresses(resolver, domain, options), domain)
  // RFC 7505 §3: a null MX beside others is a mistake of the publisher; the others count.
  const exchanges = answer.records.filter(record => record.exchange !== '')
  if (exchanges.length === 0) return failed('null-mx', `${domain} accepts no mail (null MX)`)
  const named = exchanges.filter(({ exchange }) => hostName.test(exchange))
  if (named.length === 0) return failed('no-host', `no MX of ${domain} is a host name`)
  const found = await resolveExchanges(resolver, inOrder(named, options.random ?? Math.random), options)
  return 'failure' in found ? found : { ...found, exchanges: named.map(({ exchange }) => exchange) }
}

/** Addresses of one host, without asking for MX: also for a sender's own SMTP server. */
export async function findAddresses(resolver: Resolver, host: HostName, options: LookupOptions): Promise<Found> {
  if (isIP(host) !== 0) return usable(host, [host], options)
  const [a, aaaa] = await Promise.all([asked(() => resolver.a(host)), asked(() => resolver.aaaa(host))])
  if (!('failure' in a) && !('failure' in aaaa) && a.status === 'nxdomain' && aaaa.status === 'nxdomain')
    return failed('no-domain', `${host} does not exist`)
  const v6 = 'failure' in aaaa ? [] : aaaa.records
  const v4 = 'failure' in a ? [] : a.records
  const found = alternating(options.ipv6 ? v6 : [], v4)
  if (found.length > 0) return usable(host, found, options)
  if ('failure' in a) return a
  if ('failure' in aaaa && options.ipv6) return aaaa
  return failed(
    'no-host',
    `${host} has ${v6.length > 0 ? 'only IPv6 addresses, and delivery.ipv6 is off' : 'no address'}`,
  )
}

/**
 * RFC 5321 §5.1: by preference. Hosts are resolved in groups, until enough are usable. When none is, trouble outweighs
 * absence: what nobody could say today may be answered tomorrow.
 */
async function resolveExchanges(
  resolver: Resolver,
  exchanges: readonly MxRecord[],
  options: LookupOptions,
): Promise<{ readonly hosts: readonly MxHost[] } | { readonly failure: LookupFailure }> {
  const hosts: MxHost[] = []
  const failures: LookupFailure[] = []
  for (let start = 0; start < exchanges.length && hosts.length < options.maxHosts; start += options.maxHosts) {
    const group = exchanges.slice(start, start + options.maxHosts)
    const found = await Promise.all(group.map(({ exchange }) => findAddresses(resolver, exchange, options)))
    for (const [i, result] of found.entries()) {
      const { exchange: host, preference } = group[i]!
      if ('failure' in result) failures.push(result.failure)
      else if (hosts.length < options.maxHosts) hosts.push({ host, preference, addresses: result.addresses })
    }
  }
  return hosts.length > 0 ? { hosts } : { failure: decisive(failures) }
}

function decisive(failures: readonly LookupFailure[]): LookupFailure {
  const detail = failures.map(failure => failure.detail).join('; ')
  const kinds = new Set(failures.map(failure => failure.kind))
  if (kinds.has('dns-trouble')) return { kind: 'dns-trouble', detail }
  return { kind: kinds.has('private-address') ? 'private-address' : 'no-host', detail }
}

/** Sorted by preference, equal ones shuffled to spread the load (RFC 5321 §5.1). */
function inOrder(records: readonly MxRecord[], random: () => number): MxRecord[] {
  return records
    .map(record => ({ record, lot: random() }))
    .sort((a, b) => a.record.preference - b.record.preference || a.lot - b.lot)
    .slice(0, maxExchanges)
    .map(({ record }) => record)
}

/** One of each family in turn, so that neither is cut off by the bound on addresses. */
function alternating(v6: readonly string[], v4: readonly string[]): string[] {
  const longest = Math.max(v6.length, v4.length)
  return Array.from({ length: longest }, (_, i) => [v6[i], v4[i]])
    .flat()
    .filter(address => address !== undefined)
}

function usable(host: HostName, addresses: readonly string[], options: LookupOptions): Found {
  const judged = addresses.map(address => ({
    address,
    refused: refusedAddress(address, options.allowPrivateAddresses),
  }))
  const allowed = judged.filter(({ refused }) => refused === null).map(({ address }) => address)
  if (allowed.length > 0) return { addresses: allowed.slice(0, options.maxAddressesPerHost) }
  return failed('private-address', `${host} is at ${addresses.join(', ')}: ${judged[0]!.refused}`)
}

function soleHost(found: Found, host: HostName) {
  if ('failure' in found) return found
  return { hosts: [{ host, preference: 0, addresses: found.addresses }], exchanges: [host] }
}

async function asked<T>(lookup: () => Promise<Answer<T>>): Promise<Answer<T> | { readonly failure: LookupFailure }> {
  try {
    return await lookup()
  } catch (error) {
    if (!(error instanceof DnsTrouble)) throw error
    return failed('dns-trouble', error.message)
  }
}

function failed(kind: LookupFailure['kind'], detail: string): { readonly failure: LookupFailure } {
  return { failure: { kind, detail } }
}
