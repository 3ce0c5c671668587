/**
 * What a reply says about a name: the CNAME chain in it, the records at its end, how long an absence holds.
 *
 * Pure. Standards: RFC 1034 §3.6.2 (CNAME), RFC 2308 (absence).
 */
import type { DomainName } from '../mail/ids.ts'
import type { Answer, MxRecord, TlsaRecord } from './resolver.ts'
import { canonicalName, type RecordType, type WireRecord, type WireReply } from './wire.ts'

/** Chains are followed as far as BIND does. */
export const longestChain = 16

export interface Chain {
  /** Where the chain ends: the owner itself without a CNAME. */
  readonly end: DomainName
  readonly records: readonly WireRecord[]
  /** Seconds; the smallest on the way. Infinite for an empty chain. */
  readonly ttl: number
}

/** `within`: names whose records count; a chain that leaves them ends at the first one outside. */
export function followChain(
  reply: WireReply,
  owner: DomainName,
  type: RecordType,
  within: (name: DomainName) => boolean = () => true,
): Chain {
  let end = owner
  let ttl = Number.POSITIVE_INFINITY
  for (let step = 0; step < longestChain && within(end); step++) {
    const here = reply.answers.filter(record => record.name === end)
    const records = here.filter(record => record.type === type)
    for (const record of records) ttl = Math.min(ttl, record.ttl)
    if (records.length > 0) return { end, records, ttl }
    const alias = here.find(record => record.type === 'CNAME')
    if (!alias) break
    ttl = Math.min(ttl, alias.ttl)
    end = readName(alias.data)
  }
  return { end, records: [], ttl }
}

export function absence(reply: WireReply, ttl: number): Answer<never> {
  return { status: reply.rcode === 'NXDOMAIN' ? 'nxdomain' : 'nodata', records: [], ttl }
}

/** RFC 2308 §5: the smaller of the SOA's TTL and its MINIMUM. */
export function soaTtl(reply: WireReply): number | null {
  const soa = reply.authorities.find(record => record.type === 'SOA')
  return soa ? Math.min(soa.ttl, (soa.data as { minimum: number }).minimum) : null
}

/** RFC 2308 §2.2: a reply that only names other servers says nothing about the name. */
export function isReferral(reply: WireReply): boolean {
  return reply.answers.length === 0 && soaTtl(reply) === null && reply.authorities.some(({ type }) => type === 'NS')
}

/** Each type as the Resolver has it. */
export const readData = {
  TXT: readText,
  MX: readMx,
  A: String,
  AAAA: String,
  CNAME: readName,
  NS: readName,
  PTR: readName,
  TLSA: readTlsa,
} as const satisfies Record<RecordType, (data: unknown) => unknown>

function readText(data: unknown): string {
  return Buffer.concat([data as Buffer | Buffer[]].flat()).toString()
}

function readMx(data: unknown): MxRecord {
  const { preference = 0, exchange } = data as { preference?: number; exchange: string }
  return { preference, exchange: canonicalName(exchange) }
}

function readTlsa(data: unknown): TlsaRecord {
  const { usage, selector, matchingType, certificate } = data as Omit<TlsaRecord, 'data'> & { certificate: Buffer }
  return { usage, selector, matchingType, data: certificate }
}

function readName(data: unknown): DomainName {
  return canonicalName(data as string)
}
