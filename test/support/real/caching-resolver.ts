/**
 * A caching recursive resolver on loopback over authoritative servers: it remembers answers for their TTL, and absence
 * for as long as the SOA says (RFC 2308 §5), on a clock that a test turns by hand.
 */
import { encode, type Packet, type ResourceRecord, TRUNCATED_RESPONSE } from 'dns-packet'
import { systemClock } from '../../../src/base/clock.ts'
import { askServer } from '../../../src/dns/ask-server.ts'
import type { RecordType, WireRecord, WireReply } from '../../../src/dns/wire.ts'
import { startDnsServer } from '../../dns/dns-server.ts'
import { patienceMs } from '../patience.ts'

export interface CachingResolver extends AsyncDisposable {
  readonly port: number
  /** Lets that many seconds pass for everything remembered. */
  age(seconds: number): void
  forget(): void
}

interface Remembered {
  readonly reply: WireReply
  readonly at: number
}

const servfail = 2
const nxdomain = 3
const fitting = 1200

/** `serverOf`: the address of the server to ask for a name; null: no such name. */
export async function startCachingResolver(
  port: number,
  serverOf: (name: string) => string | null,
): Promise<CachingResolver> {
  const remembered = new Map<string, Remembered>()
  const signal = new AbortController().signal
  let now = 0

  async function reply(name: string, type: string): Promise<Packet> {
    const address = serverOf(name)
    if (address === null) return { flags: nxdomain }
    const key = `${type} ${name}`
    const known = remembered.get(key)
    if (known && known.at + ttlOf(known.reply) > now) return packetOf(known.reply, now - known.at)
    const asking = { timeoutMs: patienceMs, clock: systemClock, signal, recursion: false }
    const fresh = await askServer({ address, port }, name, type as RecordType, asking)
    remembered.set(key, { reply: fresh, at: now })
    const end = fresh.answers.at(-1)
    if (end?.type !== 'CNAME' || type === 'CNAME') return packetOf(fresh, 0)
    const rest = await reply(String(end.data).toLowerCase(), type)
    return { ...rest, answers: [...fresh.answers.map(record => asResource(record, 0)), ...(rest.answers ?? [])] }
  }

  const dns = await startDnsServer(async ({ name, type }, by) => {
    const packet = await reply(name.toLowerCase(), type)
    const isLong = encode({ type: 'response', ...packet }).length > fitting
    return by === 'udp' && isLong ? { flags: TRUNCATED_RESPONSE } : packet
  })
  return {
    port: dns.port,
    age(seconds) {
      now += seconds
    },
    forget: () => remembered.clear(),
    [Symbol.asyncDispose]: () => dns[Symbol.asyncDispose](),
  }
}

function ttlOf({ answers, authorities }: WireReply): number {
  return Math.min(...[...answers, ...authorities].map(({ ttl }) => ttl))
}

function packetOf({ rcode, answers, authorities }: WireReply, age: number): Packet {
  return {
    flags: rcode === 'NOERROR' ? 0 : rcode === 'NXDOMAIN' ? nxdomain : servfail,
    answers: answers.map(record => asResource(record, age)),
    // The SOA of an absence; the names of other servers are no answer.
    authorities: authorities.filter(({ type }) => type === 'SOA').map(record => asResource(record, age)),
  }
}

function asResource({ type, name, ttl, data }: WireRecord, age: number): ResourceRecord {
  return { type, name, ttl: Math.max(0, ttl - age), data }
}
