/**
 * What a connection to one host must have: what the recipient domain asks (DANE, MTA-STS) and what we ask ourselves.
 *
 * DANE comes before MTA-STS (RFC 8461 §2): a host with usable TLSA records is proven by them and by nothing else. Where it
 * has none, or none of use, MTA-STS counts. Everything together never asks less than one of its parts. Pure.
 */
import type { Failure } from '../mail/attempt-result.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { TlsLevel } from '../mail/tls-level.ts'
import type { HostDane } from './dane.ts'
import { higher, type TlsRequirement } from './requirement.ts'
import { isStsHost } from './sts-text.ts'
import type { TlsFailureType, TlsResult } from './tls-result.ts'

/** What a recipient domain asks; a domain that asks nothing has none. */
export interface DomainTls {
  readonly domain: DomainName
  /** In mode enforce or testing. */
  readonly sts: StsPolicy | null
  /** Why nobody knows now whether it has such a policy. */
  readonly stsTrouble?: string
  /** Hosts that DNSSEC says something about. */
  readonly dane: ReadonlyMap<HostName, HostDane>
}

export interface HostTls {
  readonly tls: 'opportunistic' | 'required'
  /** A certificate for the host by a known authority; with `dane` that decides alone. */
  readonly verifyCertificate: boolean
  readonly dane: UsableDane | null
  /** The host is not to be used at all. */
  readonly refused: Refused | null
  /** What asked for this, for log and API: `dane`, `mta-sts:enforce`, `mta-sts:testing+account:required`. */
  readonly policy: string
  /** The recipient domain's policy, for reports; null: it has none. */
  readonly report: PolicyReport | null
  /** What is reported even though TLS is as it should be: this host is not in a policy that is only tried. */
  readonly flaw: Flaw | null
}

export type UsableDane = Extract<HostDane, { kind: 'usable' }>
export type PolicyReport = Pick<
  TlsResult,
  'domain' | 'policyDomain' | 'policyType' | 'policyStrings' | 'mxHostPatterns'
>
export interface Flaw {
  readonly type: TlsFailureType
  readonly additional: string
}
export interface Refused extends Flaw {
  readonly failure: Failure
}

type Asked = Pick<HostTls, 'dane' | 'refused' | 'report' | 'flaw'> & {
  readonly level: TlsLevel
  readonly names: readonly string[]
}

const nothingAsked: Asked = { level: 'opportunistic', dane: null, refused: null, report: null, flaw: null, names: [] }

/** Null: opportunistic TLS, as to any host. */
export function planHost(host: HostName, domain: DomainTls | null, requirement: TlsRequirement): HostTls | null {
  const asked = domain === null || requirement.policiesIgnored ? nothingAsked : askedBy(host, domain)
  if (asked === nothingAsked && requirement.by.length === 0) return null
  const level = higher(asked.level, requirement.level)
  return {
    tls: level === 'opportunistic' ? 'opportunistic' : 'required',
    verifyCertificate: level === 'verified' && asked.dane === null,
    dane: asked.dane,
    refused: asked.refused,
    policy: [...asked.names, ...requirement.by].join('+'),
    report: asked.report,
    flaw: asked.flaw,
  }
}

function askedBy(host: HostName, domain: DomainTls): Asked {
  const dane = domain.dane.get(host)
  if (dane === undefined) return askedBySts(host, domain)
  const report = daneReport(domain, dane)
  switch (dane.kind) {
    case 'usable':
      return { ...nothingAsked, level: 'verified', dane, report, names: ['dane'] }
    case 'failed':
      return { ...nothingAsked, refused: withoutTlsa(host, dane.detail), report, names: ['dane'] }
    case 'unusable':
      return askedAnyway(askedBySts(host, domain), report)
    default:
      return dane satisfies never
  }
}

/** RFC 7672 §2.2: TLS without proof, unless another policy asks for proof. */
function askedAnyway(sts: Asked, report: PolicyReport): Asked {
  const flaw: Flaw = { type: 'tlsa-invalid', additional: 'no TLSA record can be used' }
  return { ...sts, level: higher(sts.level, 'required'), report, flaw, names: ['dane:unusable', ...sts.names] }
}

function askedBySts(host: HostName, { domain, sts }: DomainTls): Asked {
  if (sts === null) return nothingAsked
  const report: PolicyReport = {
    domain,
    policyDomain: domain,
    policyType: 'sts',
    policyStrings: sts.lines,
    mxHostPatterns: sts.mx,
  }
  const asked = { ...nothingAsked, report, names: [`mta-sts:${sts.mode}`] }
  const isNamed = isStsHost(sts, host)
  if (sts.mode === 'testing') return isNamed ? asked : { ...asked, flaw: notNamed(host) }
  return isNamed ? { ...asked, level: 'verified' } : { ...asked, refused: notInPolicy(host, domain) }
}

function daneReport({ domain }: DomainTls, dane: HostDane): PolicyReport {
  const policyStrings = dane.kind === 'failed' ? [] : dane.strings
  return { domain, policyDomain: dane.base, policyType: 'tlsa', policyStrings, mxHostPatterns: [] }
}

function withoutTlsa(host: HostName, detail: string): Refused {
  const failure = failureOf(`whether ${host} has TLSA records can't be found out: ${detail}`)
  return { failure, type: 'dnssec-invalid', additional: 'the TLSA records can not be looked up' }
}

function notInPolicy(host: HostName, domain: DomainName): Refused {
  const failure = failureOf(`${host} is not among the mx of the MTA-STS policy of ${domain}`)
  return { failure, ...notNamed(host) }
}

/** RFC 8460 §4.3 has no type of its own for it. */
function notNamed(host: HostName): Flaw {
  return { type: 'validation-failure', additional: `${host} is not among the mx of the policy` }
}

function failureOf(detail: string): Failure {
  return { phase: 'lookup', kind: 'tls-policy', detail, inDoubt: false }
}
