/**
 * DNS as the rest of Kitte sees it: answers with their TTL, and "no such thing" kept apart from "nobody knows".
 *
 * Owner names are lower case A-labels without trailing dot. A lookup answers `Answer`, also for absence; it fails only
 * with `DnsTrouble` (time-out, SERVFAIL, refused, malformed): the caller must treat that as temporary (RFC 5321 §5.1).
 */
import type { DomainName, HostName } from '../mail/ids.ts'

export interface MxRecord {
  readonly preference: number
  /** Empty string: null MX (RFC 7505). */
  readonly exchange: HostName
}

/** RFC 6698 §2.1. */
export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Buffer
}

export interface Answer<T> {
  /** `nxdomain`: the name does not exist (RFC 8020). `nodata`: it exists without this type (RFC 2308). */
  readonly status: 'found' | 'nodata' | 'nxdomain'
  readonly records: readonly T[]
  /** Seconds; the smallest of the answer, 0 when unknown. */
  readonly ttl: number
  /** DNSSEC vouches for it, absence included, all along its CNAMEs. Absent: nobody asked, or nobody who is trusted said so. */
  readonly secure?: boolean
  /** Where its CNAMEs led, when there were any. */
  readonly end?: DomainName
}

export interface Lookups {
  /** Character-strings of each record joined (RFC 7208 §3.3). */
  txt(name: DomainName): Promise<Answer<string>>
  mx(name: DomainName): Promise<Answer<MxRecord>>
  a(name: DomainName): Promise<Answer<string>>
  aaaa(name: DomainName): Promise<Answer<string>>
  cname(name: DomainName): Promise<Answer<DomainName>>
  ns(name: DomainName): Promise<Answer<DomainName>>
  ptr(address: string): Promise<Answer<DomainName>>
  tlsa(name: DomainName): Promise<Answer<TlsaRecord>>
}

export interface Resolver extends Lookups {
  /** The same past every cache of ours, for checks that must see what is published now. Absent: there is no cache. */
  readonly direct?: Resolver
  /** The configured servers one by one, past every cache of ours. Absent: there is only one, without a name. */
  readonly each?: readonly { readonly server: string; readonly lookups: Lookups }[]
  /** Its servers' word that something was validated by DNSSEC is taken (`dns.validating`). Absent: it is not. */
  readonly validating?: boolean
  /** Ends everything under way. */
  close(): void
}

/** Nobody could say; `detail` is fit for a log line: `SERVFAIL from 127.0.0.1`. */
export class DnsTrouble extends Error {
  readonly code = 'dns-trouble'
  readonly owner: DomainName
  constructor(name: DomainName, detail: string, options?: ErrorOptions) {
    super(`DNS lookup of ${name} failed: ${detail}`, options)
    this.owner = name
  }
}
