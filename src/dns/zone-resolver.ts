/**
 * A resolver over a zone literal that can be changed while it runs: DNS for tests and the sandbox.
 *
 * Answers as a recursive resolver does: CNAMEs are followed (RFC 1034 §3.6.2), absence is NXDOMAIN or NODATA, and a
 * name made to fail throws DnsTrouble like a SERVFAIL.
 */
import type { DomainName } from '../mail/ids.ts'
import { type Answer, DnsTrouble, type MxRecord, type Resolver } from './resolver.ts'
import { reverseName } from './reverse-name.ts'
import { defaultTtl, type Zone, type ZoneEntry } from './zone.ts'

export interface ZoneResolver extends Resolver {
  /** Replaces all records of a name; it no longer fails. */
  set(name: DomainName, entry: ZoneEntry): void
  /** Takes a name out of the zone; it no longer fails. */
  remove(name: DomainName): void
  /** Every lookup of the name throws DnsTrouble until `set` or `remove`. */
  fail(name: DomainName): void
}

/** As long as real resolvers follow: BIND stops at 16. */
const longestChain = 16

export function zoneResolver(zone: Zone): ZoneResolver {
  const entries = new Map(Object.entries(zone).map(([name, entry]) => [canonical(name), entry]))
  const failing = new Set<DomainName>()

  function lookup<T>(name: DomainName, read: (entry: ZoneEntry) => readonly T[] | undefined): Answer<T> {
    let owner = canonical(name)
    let ttl = Number.POSITIVE_INFINITY
    let secure = true
    for (let step = 0; step < longestChain; step++) {
      if (failing.has(owner)) throw new DnsTrouble(name, `SERVFAIL for ${owner}`)
      const entry = entries.get(owner)
      if (!entry) return { status: hasNamesBelow(owner) ? 'nodata' : 'nxdomain', records: [], ttl: defaultTtl }
      ttl = Math.min(ttl, entry.ttl ?? defaultTtl)
      secure &&= entry.secure === true
      const vouched = secure ? { secure, ...(step > 0 && { end: owner }) } : {}
      const records = read(entry) ?? []
      if (records.length > 0) return { status: 'found', records, ttl, ...vouched }
      if (entry.CNAME === undefined) return { status: 'nodata', records: [], ttl, ...vouched }
      owner = canonical(entry.CNAME)
    }
    throw new DnsTrouble(name, `more than ${longestChain} CNAMEs in a row`)
  }

  function hasNamesBelow(owner: DomainName): boolean {
    return [...entries.keys()].some(name => name.endsWith(`.${owner}`))
  }

  return {
    txt: async name => lookup(name, entry => entry.TXT?.map(text => (typeof text === 'string' ? text : text.join('')))),
    mx: async name => lookup(name, entry => entry.MX?.map(asMxRecord)),
    a: async name => lookup(name, entry => entry.A),
    aaaa: async name => lookup(name, entry => entry.AAAA),
    cname: async name => lookup(name, entry => (entry.CNAME === undefined ? [] : [canonical(entry.CNAME)])),
    ns: async name => lookup(name, entry => entry.NS?.map(canonical)),
    ptr: async address => lookup(reverseName(address) ?? address, entry => entry.PTR?.map(canonical)),
    tlsa: async name => lookup(name, entry => entry.TLSA),
    validating: true,
    set(name, entry) {
      failing.delete(canonical(name))
      entries.set(canonical(name), entry)
    },
    remove(name) {
      failing.delete(canonical(name))
      entries.delete(canonical(name))
    },
    fail: name => void failing.add(canonical(name)),
    close() {},
  }
}

function asMxRecord([preference, exchange]: readonly [number, string]): MxRecord {
  return { preference, exchange: canonical(exchange) }
}

function canonical(name: string): DomainName {
  return name.toLowerCase().replace(/\.$/, '')
}
