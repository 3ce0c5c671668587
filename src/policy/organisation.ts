/**
 * The organisation that a domain belongs to: the name below the public suffix (RFC 7489 §3.2). Receivers count all of its
 * subdomains together. Pure; some microseconds.
 */
import { getDomain } from 'tldts'
import type { DomainName } from '../mail/ids.ts'

/** The name itself where there is none above it. */
export function organisationOf(name: DomainName): DomainName {
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}
