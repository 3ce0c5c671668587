/**
 * DNS as one server sees it: what it said about one name, and for every other name what the resolver says.
 *
 * So a record is judged by the same code, by meaning, whoever was asked about it.
 */
import type { Answer, Lookups, Resolver } from '../dns/resolver.ts'
import { addressOfReverseName, reverseName } from '../dns/reverse-name.ts'
import type { DomainName } from '../mail/ids.ts'

/** Types a record of ours is looked for by, and the lookup of each. */
const lookupOf = { TXT: 'txt', MX: 'mx', CNAME: 'cname', A: 'a', AAAA: 'aaaa', PTR: 'ptr' } as const

export interface Heard {
  readonly name: DomainName
  readonly type: keyof typeof lookupOf
  readonly answer: Answer<unknown>
  /** The CNAME at the name. */
  readonly alias: DomainName | null
}

/** Of a reverse name the address is asked for; where an alias leads (RFC 2317 §4) the name itself. */
export function lookUp(lookups: Lookups, type: Heard['type'], name: DomainName): Promise<Answer<unknown>> {
  return lookups[lookupOf[type]](type === 'PTR' ? (addressOfReverseName(name) ?? name) : name)
}

export function seenBy(resolver: Resolver, heard: Heard): Resolver {
  const { name, type, answer, alias } = heard
  /** Other types of the name: behind its CNAME, as this server has it. */
  const elsewhere =
    <T>(lookup: (name: DomainName) => Promise<Answer<T>>) =>
    (asked: DomainName) =>
      lookup(asked === name && alias !== null ? alias : asked)
  const seen: Resolver = {
    txt: elsewhere(resolver.txt),
    mx: elsewhere(resolver.mx),
    a: elsewhere(resolver.a),
    aaaa: elsewhere(resolver.aaaa),
    ns: elsewhere(resolver.ns),
    cname: async asked => (asked === name ? aliasAnswer(answer, alias) : resolver.cname(asked)),
    ptr: resolver.ptr,
    tlsa: resolver.tlsa,
    close() {},
  }
  const inner = resolver[lookupOf[type]] as (asked: DomainName) => Promise<Answer<never>>
  const isIt = (asked: string) => (type === 'PTR' ? (reverseName(asked) ?? asked) : asked) === name
  const said = async (asked: string) => (isIt(asked) ? (answer as Answer<never>) : inner(asked))
  return { ...seen, [lookupOf[type]]: said }
}

function aliasAnswer({ status, ttl }: Answer<unknown>, alias: DomainName | null): Answer<DomainName> {
  if (alias !== null) return { status: 'found', records: [alias], ttl }
  return { status: status === 'nxdomain' ? 'nxdomain' : 'nodata', records: [], ttl }
}
