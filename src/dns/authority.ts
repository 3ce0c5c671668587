/**
 * What the authoritative servers of a name say about it, each of them asked itself.
 *
 * Questions go out without recursion; only an answer with the AA bit counts (RFC 1034 §4.3.1), whatever else comes is a
 * fault of that server. A CNAME that leaves the zone is followed to the servers of its target. The number of servers,
 * the questions of one call, the sockets open at once and the time are bounded, because zones are written by strangers.
 * Never fails: trouble is an answer.
 */
import type { Clock } from '../base/clock.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import { askServer, NoReply, type NoReplyCause } from './ask-server.ts'
import { findNameServers, type NameServer, type NameServers, type UnusableServer } from './name-servers.ts'
import { absence, followChain, isReferral, readData, soaTtl } from './read-reply.ts'
import type { Answer, Lookups } from './resolver.ts'
import { Turnstile } from './turnstile.ts'
import { canonicalName, isAskable, type RecordType, type WireReply } from './wire.ts'

/** `lame`: it does not serve the zone that it is named for (RFC 1912 §2.8). `servfail`: any other error code. */
export type ServerFault = 'lame' | 'servfail' | 'timeout' | 'unreachable' | 'malformed' | UnusableServer['fault']

/** Why there is no authoritative answer at all. */
export type AuthorityFault = 'not-asked' | 'no-name-servers' | 'private-addresses' | 'none-answers'

export type Said =
  /** `alias`: the CNAME at the name, where the zone itself has what is behind it. */
  | { readonly kind: 'answer'; readonly answer: Answer<unknown>; readonly alias: DomainName | null }
  /** A CNAME to a name that others are asked about; they are witnesses of their own, under that name. */
  | { readonly kind: 'alias'; readonly alias: DomainName; readonly target: DomainName; readonly ttl: number }
  | { readonly kind: 'fault'; readonly fault: ServerFault }

export interface Witness {
  readonly server: HostName
  readonly address: string
  /** What it was asked for: the name, or one that a CNAME leads to. */
  readonly name: DomainName
  readonly said: Said
}

export interface Testimony {
  readonly witnesses: readonly Witness[]
  /** Null: at least one server of the name gave an answer that counts. */
  readonly fault: AuthorityFault | null
}

export interface Authority {
  /** `signal` ends it early; who has not answered by then has not answered. */
  ask(name: DomainName, type: RecordType, fresh: Lookups, signal: AbortSignal): Promise<Testimony>
  /** Ends everything under way. */
  close(): void
}

export interface AuthorityOptions {
  /** For the addresses of name servers; may answer from a cache. */
  readonly resolver: Lookups
  readonly clock: Clock
  readonly allowPrivate: boolean
  readonly port: number
  /** Of each try at one server. */
  readonly triesMs?: readonly number[]
}

/** A lost datagram costs a second and a half; a server on the other side of the world, or a slow one, gets its time. */
const defaultTriesMs = [1500, 4000]
/** Apart from the resolver's sockets, so that checks can't hold up the lookups of mail. */
const maxOpenQuestions = 64
/** Of one call, along all CNAMEs: nobody should make us ask for ever, or ask others for him. */
const maxQuestions = 40
const longestChain = 8

export function openAuthority(options: AuthorityOptions): Authority {
  const { resolver, clock, allowPrivate, port, triesMs = defaultTriesMs } = options
  const closing = new AbortController()
  const turnstile = new Turnstile(maxOpenQuestions)

  async function ask(name: DomainName, type: RecordType, fresh: Lookups, signal: AbortSignal): Promise<Testimony> {
    const ending = AbortSignal.any([signal, closing.signal])
    const witnesses: Witness[] = []
    let names = [canonicalName(name)].filter(isAskable)
    const known = new Set(names)
    let fault: AuthorityFault | null = names.length === 0 ? 'no-name-servers' : null
    for (let step = 0; step < longestChain && names.length > 0; step++) {
      const each = Math.floor((maxQuestions - witnesses.length) / names.length)
      const heard = await Promise.all(names.map(next => askAll(next, type, fresh, each, ending)))
      witnesses.push(...heard.flatMap(({ said }) => said))
      if (step === 0) fault = heard[0]!.fault
      const targets = heard.flatMap(({ said }) => said.flatMap(targetOf))
      names = [...new Set(targets)].filter(target => !known.has(target) && isAskable(target))
      for (const target of names) known.add(target)
    }
    return { witnesses, fault }
  }

  /** All servers of one name, at the same time. */
  async function askAll(name: DomainName, type: RecordType, fresh: Lookups, left: number, signal: AbortSignal) {
    const options = { fresh, cached: resolver, allowPrivate }
    const named = left > 0 ? await orEnded(findNameServers(name, options), signal) : null
    if (named === null) return { said: [], fault: 'no-name-servers' as const }
    const asked = named.servers.slice(0, left).map(async ({ server, address }) => {
      return { server, address, name, said: await askOne({ server, address }, named.zone, name, type, signal) }
    })
    const said: readonly Witness[] = [
      ...(await Promise.all(asked)),
      ...named.unusable.map(({ server, address, fault }) => ({ server, address, name, said: faulty(fault) })),
    ]
    return { said, fault: faultOf(named, said) }
  }

  async function askOne(
    { address }: NameServer,
    zone: DomainName,
    name: DomainName,
    type: RecordType,
    signal: AbortSignal,
  ): Promise<Said> {
    let said: Said = faulty('timeout')
    let edns = true
    for (const timeoutMs of triesMs) {
      if (signal.aborted) return said
      const asking = { timeoutMs, clock, signal, recursion: false, edns }
      const heard = await turnstile.pass(() => tryServer({ address, port }, name, type, asking))
      if ('fault' in heard) said = faulty(heard.fault)
      else if (edns && (heard.rcode === 'FORMERR' || heard.rcode === 'NOTIMP')) {
        said = faulty('servfail')
        edns = false
        continue
      } else said = read(heard, zone, name, type)
      // A lost datagram and a passing failure are worth a second try; what a server is sure of is not.
      if (said.kind !== 'fault' || (said.fault !== 'timeout' && said.fault !== 'servfail')) return said
    }
    return said
  }

  return { ask, close: () => closing.abort() }
}

/** Null when the signal comes first: a resolver has more patience than a check. */
function orEnded<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const ended = Promise.withResolvers<null>()
  const end = () => ended.resolve(null)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  return Promise.race([work, ended.promise]).finally(() => signal.removeEventListener('abort', end))
}

async function tryServer(...question: Parameters<typeof askServer>): Promise<WireReply | { fault: ServerFault }> {
  try {
    return await askServer(...question)
  } catch (error) {
    if (error instanceof NoReply) return { fault: faults[error.why] }
    throw error
  }
}

const faults = {
  timeout: 'timeout',
  unreachable: 'unreachable',
  malformed: 'malformed',
  'not-waited': 'timeout',
} as const satisfies Record<NoReplyCause, ServerFault>

function read(reply: WireReply, zone: DomainName, name: DomainName, type: RecordType): Said {
  // RFC 8914 §4.21 and common practice: REFUSED and NOTAUTH say "this zone is not mine".
  if (reply.rcode === 'REFUSED' || reply.rcode === 'NOTAUTH') return faulty('lame')
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return faulty('servfail')
  if (!reply.authoritative || isReferral(reply)) return faulty('lame')
  // What a server says about names outside of its zone is hearsay (RFC 2181 §5.4.1).
  const isInside = (end: DomainName) => end === zone || end.endsWith(`.${zone}`)
  const chain = followChain(reply, name, type, isInside)
  const alias = chain.end === name ? null : readData.CNAME(aliasAt(reply, name)?.data)
  if (chain.records.length > 0) {
    const records = chain.records.map(({ data }) => readData[type](data))
    return { kind: 'answer', answer: { status: 'found', records, ttl: chain.ttl }, alias }
  }
  const negativeTtl = soaTtl(reply)
  if (alias !== null && (!isInside(chain.end) || negativeTtl === null))
    return { kind: 'alias', alias, target: chain.end, ttl: chain.ttl }
  return { kind: 'answer', answer: absence(reply, Math.min(chain.ttl, negativeTtl ?? 0)), alias }
}

function aliasAt(reply: WireReply, name: DomainName) {
  return reply.answers.find(record => record.name === name && record.type === 'CNAME')
}

function targetOf({ said }: Witness): DomainName[] {
  return said.kind === 'alias' ? [said.target] : []
}

function faulty(fault: ServerFault): Said {
  return { kind: 'fault', fault }
}

function faultOf({ servers }: NameServers, said: readonly Witness[]): AuthorityFault | null {
  if (said.some(({ said: { kind } }) => kind !== 'fault')) return null
  const areRefused =
    servers.length === 0 && said.some(({ said: s }) => s.kind === 'fault' && s.fault === 'refused-address')
  return areRefused ? 'private-addresses' : 'none-answers'
}
