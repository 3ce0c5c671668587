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
import { askServer, type DnsServer, nameOf } from './ask-server.ts'
import { absence, followChain, isReferral, longestChain, readData, soaTtl } from './read-reply.ts'
import { type Answer, DnsTrouble, type Lookups, type Resolver } from './resolver.ts'
import { reverseName } from './reverse-name.ts'
import { Turnstile } from './turnstile.ts'
import { canonicalName, isAskable, type RecordType, type WireReply } from './wire.ts'

export interface SystemResolverOptions {
  /** `127.0.0.1`, `127.0.0.1:5353`, `[::1]:5353`; empty: the system's. */
  readonly servers: readonly string[]
  /** One try at one server. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Its servers' word on DNSSEC is taken (`validating.ts`). Default: no. */
  readonly validating?: boolean
}

const rounds = 2
/** Each open question holds a socket; 1,024 descriptors are a common limit for the whole process. */
const maxOpenQuestions = 256
const absent: Answer<never> = { status: 'nxdomain', records: [], ttl: 0 }

export function systemResolver({ servers, timeoutMs, clock, validating = false }: SystemResolverOptions): Resolver {
  const all = configuredServers(servers)
  const closing = new AbortController()
  const turnstile = new Turnstile(maxOpenQuestions)

  async function lookup<T>(
    asked: readonly DnsServer[],
    name: DomainName,
    type: RecordType,
    read: (data: unknown) => T,
  ) {
    let owner = canonicalName(name)
    let ttl = Number.POSITIVE_INFINITY
    let authentic = validating
    for (let step = 0; step < longestChain; step++) {
      if (!isAskable(owner)) return absent
      const reply = await ask(asked, owner, type)
      const chain = followChain(reply, owner, type)
      ttl = Math.min(ttl, chain.ttl)
      authentic &&= reply.authentic
      const vouched = validating ? vouchFor(authentic, name, chain.end) : {}
      if (chain.records.length > 0)
        return { status: 'found', records: chain.records.map(({ data }) => read(data)), ttl, ...vouched } as const
      const negativeTtl = soaTtl(reply)
      // A chain whose end the server did not look up: no answer there, and no SOA to vouch for its absence.
      if (chain.end !== owner && negativeTtl === null) owner = chain.end
      else return { ...absence(reply, Math.min(ttl, negativeTtl ?? 0)), ...vouched }
    }
    throw new DnsTrouble(name, `more than ${longestChain} CNAMEs in a row`)
  }

  async function ask(asked: readonly DnsServer[], name: DomainName, type: RecordType): Promise<WireReply> {
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
      const reply = await askServer(server, name, type, {
        timeoutMs,
        clock,
        signal: closing.signal,
        authentic: validating,
      })
      return troubleWith(reply, server) ?? reply
    } catch (error) {
      return (error as Error).message
    }
  }

  const lookupsAt = (asked: readonly DnsServer[]): Lookups => ({
    txt: name => lookup(asked, name, 'TXT', readData.TXT),
    mx: name => lookup(asked, name, 'MX', readData.MX),
    a: name => lookup(asked, name, 'A', readData.A),
    aaaa: name => lookup(asked, name, 'AAAA', readData.AAAA),
    cname: name => lookup(asked, name, 'CNAME', readData.CNAME),
    ns: name => lookup(asked, name, 'NS', readData.NS),
    ptr: address => lookup(asked, reverseName(address) ?? address, 'PTR', readData.PTR),
    tlsa: name => lookup(asked, name, 'TLSA', readData.TLSA),
  })

  return {
    ...lookupsAt(all),
    each: all.map(server => ({ server: nameOf(server), lookups: lookupsAt([server]) })),
    validating,
    close: () => closing.abort(),
  }
}

/** Empty: the system's. */
export function configuredServers(servers: readonly string[]): readonly DnsServer[] {
  return (servers.length > 0 ? servers : getServers()).map(parseServer)
}

function vouchFor(secure: boolean, name: DomainName, end: DomainName): Pick<Answer<never>, 'secure' | 'end'> {
  return end === canonicalName(name) ? { secure } : { secure, end }
}

export function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  const address = bracketed ?? plain
  return address === undefined ? { address: text, port: 53 } : { address, port: Number(port ?? 53) }
}

function troubleWith(reply: WireReply, server: DnsServer): string | null {
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return `${reply.rcode} from ${server.address}`
  return isReferral(reply) ? `${server.address} refers to other servers instead of asking them` : null
}
