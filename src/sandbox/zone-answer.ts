/**
 * What the sandbox's name server answers: the zone's records, and an MX to the sandbox for every other domain.
 *
 * That MX behaves like a wildcard: any name without an underscore exists and has it, so mail to any address works. Names
 * under `invalid` (RFC 6761 §6.4) and reverse names stay empty, which leaves something to be unknown. Absence is
 * NXDOMAIN or NODATA with a SOA (RFC 2308 §2); CNAMEs are followed as a recursive server does (RFC 1034 §4.3.2).
 */
import type { ResourceRecord } from 'dns-packet'
import type { ZoneEntry } from '../dns/zone.ts'
import type { DomainName } from '../mail/ids.ts'
import type { ZoneBook } from './zone-book.ts'

export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN'
  readonly answers: readonly ResourceRecord[]
  /** The SOA of the zone that lacks the name or type; empty when something was found. */
  readonly authorities: readonly ResourceRecord[]
}

/** The names the server says itself. */
export interface ZoneHosts {
  readonly mx: DomainName
  readonly nameServer: DomainName
}

/** As long as real resolvers follow: BIND stops at 16. */
const longestChain = 16
/** Nothing may be cached: whoever publishes a record here wants to see it at once. */
const ttl = 0
/** A TXT character-string holds at most 255 octets (RFC 1035 §3.3.14). */
const characterStringOctets = 255

export function answerQuestion(book: ZoneBook, hosts: ZoneHosts, name: DomainName, type: string): ZoneAnswer {
  const answers: ResourceRecord[] = []
  let owner = name.toLowerCase()
  for (let step = 0; step < longestChain; step++) {
    const entry = book.entry(owner)
    const found = recordsOf(book, hosts, owner, type)
    answers.push(...found)
    if (found.length > 0 || entry?.CNAME === undefined) break
    answers.push({ name: owner, type: 'CNAME', ttl: entry.ttl ?? ttl, data: entry.CNAME })
    owner = entry.CNAME.toLowerCase()
  }
  const missing = answers.at(-1)?.type !== type && type !== 'ANY'
  const exists = book.exists(owner) || hasSandboxMx(owner)
  return {
    rcode: exists ? 'NOERROR' : 'NXDOMAIN',
    answers,
    authorities: missing || answers.length === 0 ? [startOfAuthority(hosts, apexOf(owner))] : [],
  }
}

function recordsOf(book: ZoneBook, hosts: ZoneHosts, owner: DomainName, type: string): ResourceRecord[] {
  const entry = book.entry(owner) ?? {}
  const apex = apexOf(owner)
  const data = dataOf(entry, type)
  if (data.length > 0) return data.map(value => ({ name: owner, type, ttl: entry.ttl ?? ttl, data: value }))
  if (entry.CNAME !== undefined) return []
  if (type === 'MX' && hasSandboxMx(owner))
    return [{ name: owner, type, ttl, data: { preference: 10, exchange: hosts.mx } }]
  if (type === 'NS' && owner === apex) return [{ name: owner, type, ttl, data: hosts.nameServer }]
  if (type === 'SOA' && owner === apex) return [startOfAuthority(hosts, apex)]
  return []
}

function dataOf(entry: ZoneEntry, type: string): unknown[] {
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'NS':
    case 'PTR':
      return [...(entry[type] ?? [])]
    case 'CNAME':
      return entry.CNAME === undefined ? [] : [entry.CNAME]
    case 'MX':
      return (entry.MX ?? []).map(([preference, exchange]) => ({ preference, exchange: exchange || '.' }))
    case 'TXT':
      return (entry.TXT ?? []).map(text => (typeof text === 'string' ? characterStrings(text) : [...text]))
    default:
      return []
  }
}

function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const parts = Math.max(1, Math.ceil(bytes.length / characterStringOctets))
  return Array.from({ length: parts }, (_, part) =>
    bytes.subarray(part * characterStringOctets, (part + 1) * characterStringOctets),
  )
}

/** Host names of two labels and more that mail could be sent to. */
function hasSandboxMx(name: DomainName): boolean {
  const labels = name.split('.')
  return labels.length >= 2 && !labels.some(label => label.startsWith('_')) && !/^(arpa|invalid)$/.test(labels.at(-1)!)
}

/** Every registrable-looking domain is a zone of its own: its last two labels. */
function apexOf(name: DomainName): DomainName {
  return name.split('.').slice(-2).join('.')
}

function startOfAuthority(hosts: ZoneHosts, apex: DomainName): ResourceRecord {
  const data = {
    mname: hosts.nameServer,
    rname: `hostmaster.${hosts.nameServer}`,
    serial: 1,
    refresh: 3600,
    retry: 600,
  }
  // The minimum is how long absence may be cached (RFC 2308 §4).
  return { name: apex, type: 'SOA', ttl, data: { ...data, expire: 86_400, minimum: ttl } }
}
