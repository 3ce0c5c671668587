/**
 * The resolver that asks the configured recursive servers, or the system's, with DNS messages of its own.
 *
 * node:dns was tried first: c-ares tells NXDOMAIN from NODATA, but gives a TTL for A and AAAA only, none for TXT and MX,
 * and never the SOA that says how long an absence holds (RFC 2308 §5), so its answers could not be cached truthfully.
 * A lookup asks each server twice, in order; any trouble is DnsTrouble with what each server did.
 */
import { getServers } from 'node:dns'
import type { Clock } from '../base/clock.ts'
import type { DomainName } from '../mail/ids.ts'
import { askServer, type DnsServer } from './ask-server.ts'
import { type Answer, DnsTrouble, type MxRecord, type Resolver } from './resolver.ts'
import { reverseName } from './reverse-name.ts'
import { Turnstile } from './turnstile.ts'
import { canonicalName, isAskable, type RecordType, type WireRecord, type WireReply } from './wire.ts'

export interface SystemResolverOptions {
  /** `127.0.0.1`, `127.0.0.1:5353`, `[::1]:5353`; empty: the system's. */
  readonly servers: readonly string[]
  /** One try at one server. */
  readonly timeoutMs: number
  readonly clock: Clock
}

const rounds = 2
/** Chains are followed as far as BIND does. */
const longestChain = 16
/** Each open question holds a socket; 1,024 descriptors are a common limit for the whole process. */
const maxOpenQuestions = 256
const absent: Answer<never> = { status: 'nxdomain', records: [], ttl: 0 }

export function systemResolver({ servers, timeoutMs, clock }: SystemResolverOptions): Resolver {
  const asked = (servers.length > 0 ? servers : getServers()).map(parseServer)
  const closing = new AbortController()
  const turnstile = new Turnstile(maxOpenQuestions)

  async function lookup<T>(name: DomainName, type: RecordType, read: (data: unknown) => T): Promise<Answer<T>> {
    let owner = canonicalName(name)
    let ttl = Number.POSITIVE_INFINITY
    for (let step = 0; step < longestChain; step++) {
      if (!isAskable(owner)) return absent
      const reply = await ask(owner, type)
      const chain = followChain(reply, owner, type)
      ttl = Math.min(ttl, chain.ttl)
      if (chain.records.length > 0)
        return { status: 'found', records: chain.records.map(({ data }) => read(data)), ttl }
      const negativeTtl = soaTtl(reply)
      // A chain whose end the server did not look up: no answer there, and no SOA to vouch for its absence.
      if (chain.owner !== owner && negativeTtl === null) owner = chain.owner
      else return absence(reply, Math.min(ttl, negativeTtl ?? 0))
    }
    throw new DnsTrouble(name, `more than ${longestChain} CNAMEs in a row`)
  }

  async function ask(name: DomainName, type: RecordType): Promise<WireReply> {
    const troubles: string[] = []
    for (let round = 0; round < rounds && !closing.signal.aborted; round++) {
      for (const server of asked) {
        const reply = await turnstile.pass(() => tryServer(server, name, type))
        if (typeof reply !== 'string') return reply
        troubles.push(reply)
      }
    }
    if (asked.length === 0) throw new DnsTrouble(name, 'no DNS server is configured')
    throw new DnsTrouble(name, [...new Set(troubles)].join('; ') || 'the resolver is closed')
  }

  /** A usable reply, or the trouble with it. */
  async function tryServer(server: DnsServer, name: DomainName, type: RecordType): Promise<WireReply | string> {
    try {
      const reply = await askServer(server, name, type, { timeoutMs, clock, signal: closing.signal })
      return troubleWith(reply, server) ?? reply
    } catch (error) {
      return (error as Error).message
    }
  }

  return {
    txt: name => lookup(name, 'TXT', readText),
    mx: name => lookup(name, 'MX', readMx),
    a: name => lookup(name, 'A', String),
    aaaa: name => lookup(name, 'AAAA', String),
    cname: name => lookup(name, 'CNAME', readName),
    ns: name => lookup(name, 'NS', readName),
    ptr: address => lookup(reverseName(address) ?? address, 'PTR', readName),
    close: () => closing.abort(),
  }
}

export function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  const address = bracketed ?? plain
  return address === undefined ? { address: text, port: 53 } : { address, port: Number(port ?? 53) }
}

function troubleWith(reply: WireReply, server: DnsServer): string | null {
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return `${reply.rcode} from ${server.address}`
  const refers =
    reply.answers.length === 0 && soaTtl(reply) === null && reply.authorities.some(({ type }) => type === 'NS')
  // RFC 2308 §2.2: a referral says nothing about the name.
  return refers ? `${server.address} refers to other servers instead of asking them` : null
}

/** The records of the type at the end of the CNAME chain that begins at the owner, with the smallest TTL on the way. */
function followChain(reply: WireReply, owner: DomainName, type: RecordType) {
  let end = owner
  let ttl = Number.POSITIVE_INFINITY
  for (let step = 0; step < longestChain; step++) {
    const here = reply.answers.filter(record => record.name === end)
    const records = here.filter(record => record.type === type)
    for (const record of records) ttl = Math.min(ttl, record.ttl)
    if (records.length > 0) return { owner: end, records, ttl }
    const alias = here.find(record => record.type === 'CNAME')
    if (!alias) break
    ttl = Math.min(ttl, alias.ttl)
    end = readName(alias.data)
  }
  return { owner: end, records: [] as readonly WireRecord[], ttl }
}

function absence(reply: WireReply, ttl: number): Answer<never> {
  return { status: reply.rcode === 'NXDOMAIN' ? 'nxdomain' : 'nodata', records: [], ttl }
}

/** RFC 2308 §5: the smaller of the SOA's TTL and its MINIMUM. */
function soaTtl(reply: WireReply): number | null {
  const soa = reply.authorities.find(record => record.type === 'SOA')
  return soa ? Math.min(soa.ttl, (soa.data as { minimum: number }).minimum) : null
}

function readText(data: unknown): string {
  return Buffer.concat([data as Buffer | Buffer[]].flat()).toString()
}

function readMx(data: unknown): MxRecord {
  const { preference = 0, exchange } = data as { preference?: number; exchange: string }
  return { preference, exchange: canonicalName(exchange) }
}

function readName(data: unknown): DomainName {
  return canonicalName(data as string)
}
