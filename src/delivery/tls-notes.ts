/**
 * What an opened connection, or one that could not be opened, tells about the TLS of its host: for reports (RFC 8460 §4.3).
 *
 * Told once per connection. What never came to TLS (no connection, a refusing greeting) tells nothing. Pure.
 */
import type { Failure } from '../mail/attempt-result.ts'
import type { DomainName } from '../mail/ids.ts'
import type { Flaw, PolicyReport } from '../tls/plan.ts'
import type { TlsFailureType, TlsResult } from '../tls/tls-result.ts'
import type { Connection, HostSpec, OpenResult } from './transport.ts'

/** Null: nothing to tell. */
export function tlsResultOf(domain: DomainName, spec: HostSpec, opened: OpenResult): TlsResult | null {
  const found = findingOf(spec, opened)
  if (found === null) return null
  return {
    ...(spec.plan?.report ?? withoutPolicy(domain)),
    receivingMx: spec.host,
    receivingIp: spec.plan?.refused ? null : spec.address,
    sendingIp: spec.sourceIp ?? null,
    result: found.type,
    additional: found.additional,
  }
}

type Finding = { readonly type: TlsResult['result']; readonly additional: string | null }

const success: Finding = { type: 'success', additional: null }

function findingOf(spec: HostSpec, opened: OpenResult): Finding | null {
  if (spec.plan?.refused) return flawOf(spec.plan.refused)
  if ('connection' in opened) return ofConnection(spec, opened.connection)
  return 'failure' in opened && opened.tlsFailed ? ofFailure(opened.failure) : null
}

/** A kept one has been told of. */
function ofConnection(spec: HostSpec, { sent, tls, certificateProblem, spec: used }: Connection): Finding | null {
  if (sent > 0) return null
  if (tls === null && used.tls === 'off' && spec.tls !== 'off')
    return {
      type: 'validation-failure',
      additional: 'TLS with this host broke a while ago and was not tried again yet',
    }
  if (tls === null) return { type: 'starttls-not-supported', additional: null }
  const { report = null, flaw = null } = spec.plan ?? {}
  if (report !== null && flaw !== null) return flawOf(flaw)
  // Without a policy nobody asked the certificate to prove anything.
  if (report?.policyType === 'sts' && certificateProblem) return ofCertificate(certificateProblem)
  return success
}

function ofFailure({ kind, detail }: Failure): Finding {
  if (/^[45]\d\d /.test(detail)) return { type: 'starttls-not-supported', additional: detail }
  return kind === 'tls' ? ofCertificate(detail) : { type: 'validation-failure', additional: detail }
}

const types: readonly (readonly [RegExp, TlsFailureType])[] = [
  [/ALTNAME|HOSTNAME/, 'certificate-host-mismatch'],
  [/EXPIRED|NOT_YET_VALID/, 'certificate-expired'],
  [
    /^(?:TLSA_MISMATCH|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/,
    'certificate-not-trusted',
  ],
]

function ofCertificate(code: string): Finding {
  const type = types.find(([pattern]) => pattern.test(code))?.[1] ?? 'validation-failure'
  return { type, additional: code }
}

function flawOf({ type, additional }: Flaw): Finding {
  return { type, additional }
}

function withoutPolicy(domain: DomainName): PolicyReport {
  return { domain, policyDomain: domain, policyType: 'no-policy-found', policyStrings: [], mxHostPatterns: [] }
}
