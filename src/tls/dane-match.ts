/**
 * Whether the certificates a host showed are those its TLSA records name (RFC 6698 §2.1, RFC 7671, RFC 7672 §3).
 *
 * DANE-EE(3): the host's own certificate or key; its names and dates mean nothing (§3.1.1). DANE-TA(2): one that issued
 * it, directly or not; signatures, dates, the right to issue, the name and the limits of each certificate (`path-limits.ts`)
 * are checked along the way (§3.1.2). Node has no DANE of its own; OpenSSL's primitives are used. Pure; never throws.
 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { TlsaRecord } from '../dns/resolver.ts'
import type { HostName, Instant } from '../mail/ids.ts'
import { dnsIdsOf, isFor, wrongName } from './dns-id.ts'
import { type PathProblem, pathProblem } from './path-limits.ts'

/** `null`: it is the one. Else a code as Node's for certificates. */
export type DaneProblem = 'TLSA_MISMATCH' | 'CERT_HAS_EXPIRED' | 'CERT_NOT_YET_VALID' | typeof wrongName | PathProblem

export interface DaneMatch {
  /** As shown: the host's own first, then its issuers. */
  readonly chain: readonly X509Certificate[]
  readonly records: readonly TlsaRecord[]
  readonly names: readonly HostName[]
  readonly now: Instant
}

/** More can't be needed, and each costs a signature check. */
const longestPath = 10

export function daneProblem({ chain, records, names, now }: DaneMatch): DaneProblem {
  const leaf = chain[0]
  if (leaf === undefined) return 'TLSA_MISMATCH'
  if (records.some(record => record.usage === 3 && matches(record, leaf))) return null
  const anchored = anchoredPath(
    chain,
    records.filter(({ usage }) => usage === 2),
  )
  if (anchored === null) return 'TLSA_MISMATCH'
  const found = dateProblem(anchored, now)
  if (found !== null) return found
  return isFor(dnsIdsOf(leaf.subjectAltName), names) ? pathProblem(anchored, names) : wrongName
}

/** From the host's certificate up to one that a record names; null: there is no such way. */
function anchoredPath(chain: readonly X509Certificate[], records: readonly TlsaRecord[]): X509Certificate[] | null {
  if (records.length === 0) return null
  const known = [...chain.slice(1), ...records.flatMap(fullCertificate)]
  const path = [chain[0]!]
  while (path.length <= longestPath) {
    const last = path.at(-1)!
    if (records.some(record => isSignedByNamedKey(record, last))) return path
    const issuer = known.find(candidate => !path.includes(candidate) && hasIssued(candidate, last))
    if (issuer === undefined) return null
    path.push(issuer)
    if (records.some(record => matches(record, issuer))) return path
  }
  return null
}

function hasIssued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return orFalse(() => issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey))
}

/** RFC 7671 §5.2.1: an authority's certificate may stand in DNS in full, and then need not be shown. */
function fullCertificate({ selector, matchingType, data }: TlsaRecord): X509Certificate[] {
  if (selector !== 0 || matchingType !== 0) return []
  try {
    return [new X509Certificate(data)]
  } catch {
    return []
  }
}

/** §5.2.3: so may its bare key. */
function isSignedByNamedKey({ selector, matchingType, data }: TlsaRecord, subject: X509Certificate): boolean {
  if (selector !== 1 || matchingType !== 0) return false
  return orFalse(() => subject.verify(publicKeyOf(data)))
}

function publicKeyOf(der: Buffer): KeyObject {
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

function matches({ selector, matchingType, data }: TlsaRecord, certificate: X509Certificate): boolean {
  return orFalse(() => {
    const whole = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
    if (matchingType === 0) return whole.equals(data)
    return createHash(matchingType === 1 ? 'sha256' : 'sha512')
      .update(whole)
      .digest()
      .equals(data)
  })
}

function dateProblem(path: readonly X509Certificate[], now: Instant): DaneProblem {
  // A date that can't be read is in no order with any other.
  if (!path.every(({ validTo }) => Date.parse(validTo) >= now)) return 'CERT_HAS_EXPIRED'
  return path.every(({ validFrom }) => Date.parse(validFrom) <= now) ? null : 'CERT_NOT_YET_VALID'
}

/** A key of a kind that OpenSSL doesn't know proves nothing. */
function orFalse(question: () => boolean): boolean {
  try {
    return question()
  } catch {
    return false
  }
}
