/**
 * The report itself: JSON (RFC 8460 §4.4) of the counts of one domain and day. Pure.
 */
import type { DomainName } from '../mail/ids.ts'
import type { TlsCount, TlsFailureDetail, TlsPolicyFound, UtcDay } from '../mail/tls-report.ts'

export interface ReportedDay {
  readonly day: UtcDay
  readonly domain: DomainName
  readonly reportId: string
  readonly organizationName: string
  readonly contact: string
  readonly counts: readonly TlsCount[]
}

export function reportBody({ day, reportId, organizationName, contact, counts }: ReportedDay): object {
  const policies = Map.groupBy(counts, ({ policy }) => JSON.stringify(policy))
  return {
    'organization-name': organizationName,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': contact,
    'report-id': reportId,
    policies: [...policies.values()].map(policyPart),
  }
}

function policyPart(counts: readonly TlsCount[]) {
  const failures = counts.flatMap(({ failure, sessions }) => (failure === null ? [] : [detailPart(failure, sessions)]))
  const total = counts.reduce((sum, { sessions }) => sum + sessions, 0)
  const failed = failures.reduce((sum, part) => sum + part['failed-session-count'], 0)
  return {
    policy: policyFields(counts[0]!.policy),
    summary: { 'total-successful-session-count': total - failed, 'total-failure-session-count': failed },
    ...(failures.length === 0 ? {} : { 'failure-details': failures }),
  }
}

function policyFields({ policyType, policyDomain, policyStrings, mxHostPatterns }: TlsPolicyFound) {
  return {
    'policy-type': policyType,
    ...(policyStrings.length === 0 ? {} : { 'policy-string': policyStrings }),
    'policy-domain': policyDomain,
    ...(mxHostPatterns.length === 0 ? {} : { 'mx-host': mxHostPatterns }),
  }
}

/** What isn't known is left out. */
function detailPart(failure: TlsFailureDetail, sessions: number) {
  const { resultType, receivingMx, receivingIp, sendingIp, additional } = failure
  return {
    'result-type': resultType,
    ...(sendingIp === null ? {} : { 'sending-mta-ip': sendingIp }),
    ...(receivingMx === null ? {} : { 'receiving-mx-hostname': receivingMx }),
    ...(receivingIp === null ? {} : { 'receiving-ip': receivingIp }),
    'failed-session-count': sessions,
    ...(additional === null ? {} : { 'failure-reason-code': additional }),
  }
}

/** RFC 8460 §5.1: submitter, domain, first and last second of the day, a suffix that tells days apart anyway. */
export function reportFile(day: UtcDay, domain: DomainName, submitter: DomainName): string {
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000
  return `${submitter}!${domain}!${begin}!${begin + 86_399}.json.gz`
}
