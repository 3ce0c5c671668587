import assert from 'node:assert/strict'
import type { StsMode, StsPolicy } from '../../src/mail/sts-policy.ts'
import type { HostDane } from '../../src/tls/dane.ts'
import { type DomainTls, planHost } from '../../src/tls/plan.ts'
import { noRequirement, requirementOf, type TlsDemands } from '../../src/tls/requirement.ts'

const mx = 'mx.a.example'
const policy = (mode: StsMode, ...hosts: string[]): StsPolicy => ({
  ...{ domain: 'a.example', id: '1', mode, mx: hosts, lines: [`mode: ${mode}`] },
  ...{ fetchedAt: 0, expiresAt: 1, usedAt: 0 },
})
const records = [{ usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32) }]
const found: Readonly<Record<'usable' | 'unusable' | 'failed', HostDane>> = {
  usable: { kind: 'usable', base: mx, names: [mx, 'a.example'], records, strings: ['3 1 1 00'] },
  unusable: { kind: 'unusable', base: mx, strings: ['1 1 1 00'] },
  failed: { kind: 'failed', base: mx, detail: 'SERVFAIL' },
}

interface Given {
  readonly sts?: StsPolicy
  readonly dane?: keyof typeof found
  readonly demands?: TlsDemands
}

function planned({ sts, dane, demands = {} }: Given) {
  const domain: DomainTls | null =
    sts || dane
      ? { domain: 'a.example', sts: sts ?? null, dane: new Map(dane ? [[mx, found[dane]] as const] : []) }
      : null
  return planHost(mx, domain, requirementOf(demands))
}

/** `required proof dane | refused | flaw`, as far as it applies. */
function asText(given: Given): string {
  const plan = planned(given)
  if (plan === null) return 'nothing'
  const { tls, verifyCertificate, dane, refused, policy, report, flaw } = plan
  if (refused) return `refused as ${refused.type} by ${policy}`
  const proof = dane ? ' by TLSA' : verifyCertificate ? ' with certificate' : ''
  return `${tls}${proof} for ${policy}${report ? `, told to ${report.policyType}` : ''}${flaw ? `, flawed: ${flaw.type}` : ''}`
}

describe('what a connection to a host must have', () => {
  const named = policy('enforce', mx)
  const cases: readonly (readonly [string, Given, string])[] = [
    ['nobody asks', {}, 'nothing'],
    ['the site asks', { demands: { site: 'required' } }, 'required for site:required'],
    [
      'the account asks for proof',
      { demands: { account: 'verified' } },
      'required with certificate for account:verified',
    ],
    ['MTA-STS enforces', { sts: named }, 'required with certificate for mta-sts:enforce, told to sts'],
    [
      'MTA-STS enforces other hosts',
      { sts: policy('enforce', 'other.a.example') },
      'refused as validation-failure by mta-sts:enforce',
    ],
    ['MTA-STS tries', { sts: policy('testing', mx) }, 'opportunistic for mta-sts:testing, told to sts'],
    [
      'MTA-STS tries other hosts',
      { sts: policy('testing', 'other.a.example') },
      'opportunistic for mta-sts:testing, told to sts, flawed: validation-failure',
    ],
    [
      'MTA-STS tries, and the account asks for more',
      { sts: policy('testing', mx), demands: { account: 'verified' } },
      'required with certificate for mta-sts:testing+account:verified, told to sts',
    ],
    ['DANE', { dane: 'usable' }, 'required by TLSA for dane, told to tlsa'],
    [
      'DANE before MTA-STS',
      { dane: 'usable', sts: policy('enforce', 'other.a.example') },
      'required by TLSA for dane, told to tlsa',
    ],
    [
      'DANE is proof enough',
      { dane: 'usable', demands: { message: 'required' } },
      'required by TLSA for dane+requiretls, told to tlsa',
    ],
    ['DANE can not be looked up', { dane: 'failed' }, 'refused as dnssec-invalid by dane'],
    ['DANE can not be looked up, MTA-STS or not', { dane: 'failed', sts: named }, 'refused as dnssec-invalid by dane'],
    ['DANE without use', { dane: 'unusable' }, 'required for dane:unusable, told to tlsa, flawed: tlsa-invalid'],
    [
      'DANE without use, and MTA-STS',
      { dane: 'unusable', sts: named },
      'required with certificate for dane:unusable+mta-sts:enforce, told to tlsa, flawed: tlsa-invalid',
    ],
    ['the sender does not ask for it', { dane: 'usable', sts: named, demands: { message: 'optional' } }, 'nothing'],
    [
      'the sender does not ask for it, but the site does',
      { sts: named, demands: { message: 'optional', site: 'required' } },
      'required with certificate for mta-sts:enforce+site:required, told to sts',
    ],
  ]
  for (const [title, given, expected] of cases) it(`${title}: ${expected}`, () => assert.equal(asText(given), expected))

  it('says of another host of the domain only what is known of it', () => {
    const domain: DomainTls = { domain: 'a.example', sts: null, dane: new Map([[mx, found.usable]]) }
    assert.equal(planHost('other.a.example', domain, noRequirement), null)
  })

  it('tells the policy as it was read', () => {
    assert.deepEqual(planned({ sts: named })?.report, {
      ...{ domain: 'a.example', policyDomain: 'a.example', policyType: 'sts' },
      ...{ policyStrings: ['mode: enforce'], mxHostPatterns: [mx] },
    })
    assert.deepEqual(planned({ dane: 'usable' })?.report, {
      ...{ domain: 'a.example', policyDomain: mx, policyType: 'tlsa', policyStrings: ['3 1 1 00'], mxHostPatterns: [] },
    })
  })
})
