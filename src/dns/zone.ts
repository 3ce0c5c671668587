/**
 * A DNS zone as a literal: what tests and the sandbox publish.
 *
 * Names are full owner names, lower case, without trailing dot. A name that is missing does not exist unless another
 * name lies below it (an empty non-terminal exists without records, RFC 8020 §2).
 */
import type { TlsaRecord } from './resolver.ts'

export interface ZoneEntry {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  /** Preference and exchange; exchange `''` is the null MX (RFC 7505). */
  readonly MX?: readonly (readonly [number, string])[]
  /** Each record as one string or as its character-strings. */
  readonly TXT?: readonly (string | readonly string[])[]
  readonly CNAME?: string
  readonly NS?: readonly string[]
  readonly PTR?: readonly string[]
  readonly TLSA?: readonly TlsaRecord[]
  /** As if DNSSEC vouched for it. */
  readonly secure?: boolean
  /** Seconds; default 300. */
  readonly ttl?: number
}

export type Zone = Readonly<Record<string, ZoneEntry>>

/** Short enough that a sandbox shows changes soon, long enough to be cached. */
export const defaultTtl = 300
