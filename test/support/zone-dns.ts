/**
 * A recursive DNS server on loopback over a zone literal, with the faults of real servers: a test's zone becomes real messages.
 */
import type { Packet, ResourceRecord } from 'dns-packet'
import type { Zone, ZoneEntry } from '../../src/dns/zone.ts'
import { type DnsServer, startDnsServer } from '../dns/dns-server.ts'

export interface Faults {
  /** Names that are answered with SERVFAIL. */
  readonly servfail?: readonly string[]
  /** Names that are refused, as by a server that does not know the zone. */
  readonly refused?: readonly string[]
  /** Names that are never answered. */
  readonly silent?: readonly string[]
  /** Names whose answers don't fit a datagram: the whole comes over TCP only. */
  readonly truncated?: readonly string[]
}

export interface ZoneDns extends DnsServer {
  /** Answers from this zone from now on. */
  serve(zone: Zone, faults?: Faults): void
}

const rcodes = { servfail: 2, nxdomain: 3, refused: 5 }
const recursionAvailable = 0x80
const truncation = 0x200
const ttl = 300

export async function startZoneDns(): Promise<ZoneDns> {
  let served: Zone = {}
  let faults: Faults = {}

  const server = await startDnsServer(({ name, type }, by) => {
    const asked = name.toLowerCase()
    if (faults.silent?.includes(asked)) return null
    if (by === 'udp' && faults.truncated?.includes(asked))
      return { flags: recursionAvailable | truncation, answers: [] }
    return answer(asked, type)
  })

  function answer(asked: string, type: string): Packet {
    const answers: ResourceRecord[] = []
    for (let [owner, step] = [asked, 0]; ; step++) {
      if (faults.servfail?.includes(owner) || step > 10) return { flags: recursionAvailable | rcodes.servfail }
      if (faults.refused?.includes(owner)) return { flags: recursionAvailable | rcodes.refused }
      const entry = served[owner]
      const records = entry ? dataOf(entry, type) : []
      answers.push(...records.map(data => ({ name: owner, type, ttl, data }) as ResourceRecord))
      if (records.length === 0 && entry?.CNAME !== undefined && type !== 'CNAME') {
        answers.push({ name: owner, type: 'CNAME', ttl, data: entry.CNAME })
        owner = entry.CNAME
        continue
      }
      const isThere = entry !== undefined || Object.keys(served).some(other => other.endsWith(`.${owner}`))
      const flags = recursionAvailable | (isThere ? 0 : rcodes.nxdomain)
      return records.length > 0 ? { flags, answers } : { flags, answers, authorities: [startOfAuthority] }
    }
  }

  return {
    ...server,
    serve(zone, given = {}) {
      served = zone
      faults = given
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const startOfAuthority: ResourceRecord = {
  name: 'example',
  type: 'SOA',
  ttl,
  data: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: ttl },
}

function dataOf(entry: ZoneEntry, type: string): unknown[] {
  switch (type) {
    case 'TXT':
      return (entry.TXT ?? []).map(text =>
        typeof text === 'string' ? split(text) : text.map(part => Buffer.from(part)),
      )
    case 'MX':
      return (entry.MX ?? []).map(([preference, exchange]) => ({ preference, exchange: exchange || '.' }))
    case 'CNAME':
      return entry.CNAME === undefined ? [] : [entry.CNAME]
    case 'A':
    case 'AAAA':
    case 'NS':
    case 'PTR':
      return [...(entry[type] ?? [])]
    default:
      return []
  }
}

/** A character-string holds at most 255 octets (RFC 1035 §3.3.14). */
function split(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const parts = Math.max(1, Math.ceil(bytes.length / 255))
  return Array.from({ length: parts }, (_, part) => bytes.subarray(part * 255, (part + 1) * 255))
}
