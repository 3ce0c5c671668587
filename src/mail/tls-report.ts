/**
 * What TLS reports are made of (RFC 8460): sessions counted per recipient domain, UTC day, policy and result; and what
 * became of the report of a domain and day.
 */
import type { DomainName, HostName, Instant, MessageId } from './ids.ts'

/** `2026-01-15`, in UTC (RFC 8460 §4.1). */
export type UtcDay = string

/** RFC 8460 §4.4: the policy that applied. */
export interface TlsPolicyFound {
  readonly policyType: 'sts' | 'tlsa' | 'no-policy-found'
  readonly policyDomain: DomainName
  readonly policyStrings: readonly string[]
  readonly mxHostPatterns: readonly string[]
}

/** RFC 8460 §4.3 and §4.4: how sessions failed, and where. */
export interface TlsFailureDetail {
  readonly resultType: string
  readonly receivingMx: HostName | null
  readonly receivingIp: string | null
  readonly sendingIp: string | null
  readonly additional: string | null
}

export interface TlsCount {
  readonly day: UtcDay
  /** The recipient domain. */
  readonly domain: DomainName
  readonly policy: TlsPolicyFound
  /** Null: these succeeded. */
  readonly failure: TlsFailureDetail | null
  readonly sessions: number
}

/** Where a report goes to, and how far it has come. */
export interface TlsReportDestination {
  /** As the domain's record names it: `mailto:…` or `https:…`. */
  readonly uri: string
  readonly state: 'waiting' | 'sent' | 'failed'
  readonly attempts: number
  /** Of the last attempt. */
  readonly at: Instant | null
  /** The mail it went out with. */
  readonly message?: MessageId
  /** HTTP status of the answer. */
  readonly status?: number
  /** Why the last attempt failed, one line. */
  readonly problem?: string
}

export interface TlsReport {
  readonly day: UtcDay
  readonly domain: DomainName
  readonly reportId: string
  /** So many times its destinations were looked for, or some of them tried. */
  readonly attempts: number
  /** When it is sent, or tried again; null: over. */
  readonly nextAttemptAt: Instant | null
  /** Empty before the record was read, and where the domain wants no reports any more. */
  readonly destinations: readonly TlsReportDestination[]
}

/** A domain's day at a glance. */
export interface TlsDay {
  readonly day: UtcDay
  readonly domain: DomainName
  readonly successful: number
  readonly failed: number
  /** Null: the day is not over, or its report not planned yet. */
  readonly report: TlsReport | null
}

export function utcDayOf(at: Instant): UtcDay {
  return new Date(at).toISOString().slice(0, 10)
}
