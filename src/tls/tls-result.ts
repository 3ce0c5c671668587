/**
 * What became of the TLS of one connection, or of one look for a policy: the facts of TLS reports (RFC 8460).
 *
 * Noted once per opened connection, never per message, by whoever opened it; nothing waits for it. Whoever counts them
 * asks nobody and never throws.
 */
import type { DomainName, HostName } from '../mail/ids.ts'

/** RFC 8460 §4.3: about the session (§4.3.1), DANE and MTA-STS (§4.3.2), anything else (§4.3.3). */
export type TlsFailureType =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid'
  | 'validation-failure'

export interface TlsResult {
  /** The recipient domain: its `_smtp._tls` record says who wants to know. */
  readonly domain: DomainName
  /** RFC 8460 §4.4: the recipient domain for `sts` and `no-policy-found`, the TLSA base domain for `tlsa`. */
  readonly policyDomain: DomainName
  readonly policyType: 'sts' | 'tlsa' | 'no-policy-found'
  /** The policy's lines, or its TLSA records as text; empty: none. */
  readonly policyStrings: readonly string[]
  /** `mx` of an MTA-STS policy; empty otherwise. */
  readonly mxHostPatterns: readonly string[]
  /** Null where no host was reached, as for a policy that can't be fetched. */
  readonly receivingMx: HostName | null
  readonly receivingIp: string | null
  /** Null: the system chose it. */
  readonly sendingIp: string | null
  readonly result: 'success' | TlsFailureType
  /** What was seen, fit for a report to strangers: `CERT_HAS_EXPIRED`; null: nothing to add. */
  readonly additional: string | null
}

export interface TlsResults {
  note(result: TlsResult): void
}

/** For whoever counts nothing. */
export const noTlsResults: TlsResults = { note() {} }
