import assert from 'node:assert/strict'
import { tlsResultOf } from '../../src/delivery/tls-notes.ts'
import type { Connection, HostSpec, OpenResult } from '../../src/delivery/transport.ts'
import type { Failure } from '../../src/mail/attempt-result.ts'
import type { HostTls, PolicyReport } from '../../src/tls/plan.ts'
import { hostAt } from '../support/sending.ts'

const report: PolicyReport = {
  ...{ domain: 'a.example', policyDomain: 'a.example', policyType: 'sts' },
  ...{ policyStrings: ['mode: testing'], mxHostPatterns: ['mx.sink.example'] },
}
const dane: PolicyReport = {
  ...report,
  policyDomain: 'mx.sink.example',
  policyType: 'tlsa',
  policyStrings: ['3 1 1 00'],
}
const plan = (change: Partial<HostTls> = {}): HostTls => ({
  ...{ tls: 'opportunistic', verifyCertificate: false, dane: null, refused: null, policy: 'x', report, flaw: null },
  ...change,
})
const specOf = (change: Partial<HostSpec> = {}): HostSpec =>
  hostAt({ address: '127.0.0.1', port: 25 }, { tls: 'opportunistic', sourceIp: '127.0.0.9', ...change })

function opened(spec: HostSpec, change: Partial<Connection> = {}): OpenResult {
  const connection = { spec, tls: 'TLSv1.3 X unverified', certificateProblem: null, sent: 0, ...change }
  return { connection: connection as unknown as Connection }
}

function failed(kind: Failure['kind'], detail: string, tlsFailed = true): OpenResult {
  const phase = tlsFailed ? 'starttls' : 'connect'
  return { failure: { phase, kind, detail, inDoubt: false }, tlsFailed }
}

describe('what a connection tells for TLS reports', () => {
  const sts = specOf({ plan: plan() })
  const flaw = { type: 'validation-failure', additional: 'not named' } as const
  const refused = { ...flaw, failure: { phase: 'lookup', kind: 'tls-policy', detail: 'x', inDoubt: false } } as const
  const cases: readonly (readonly [string, HostSpec, OpenResult, string])[] = [
    ['TLS without policy', specOf(), opened(specOf(), { certificateProblem: 'CERT_HAS_EXPIRED' }), 'success'],
    ['no TLS without policy', specOf(), opened(specOf(), { tls: null }), 'starttls-not-supported'],
    ['a kept connection', sts, opened(sts, { sent: 1 }), 'nothing'],
    ['all well under a policy', sts, opened(sts), 'success'],
    [
      'another name',
      sts,
      opened(sts, { certificateProblem: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
      'certificate-host-mismatch',
    ],
    ['an old certificate', sts, opened(sts, { certificateProblem: 'CERT_HAS_EXPIRED' }), 'certificate-expired'],
    [
      'an unknown authority',
      sts,
      opened(sts, { certificateProblem: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      'certificate-not-trusted',
    ],
    ['something else', sts, opened(sts, { certificateProblem: 'UNKNOWN' }), 'validation-failure'],
    ['no TLS', sts, opened(sts, { tls: null }), 'starttls-not-supported'],
    ['TLS that broke lately', sts, opened({ ...sts, tls: 'off' }, { tls: null }), 'validation-failure'],
    ['a flaw beside good TLS', specOf({ plan: plan({ flaw }) }), opened(sts), 'validation-failure'],
    [
      'TLSA records of no use',
      specOf({ plan: plan({ report: dane }) }),
      opened(sts, { certificateProblem: 'X' }),
      'success',
    ],
    [
      'a host that is refused',
      specOf({ plan: plan({ refused }) }),
      { failure: refused.failure, tlsFailed: true },
      'validation-failure',
    ],
    ['a refused certificate', sts, failed('tls', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate-not-trusted'],
    ['TLSA records of another certificate', sts, failed('tls', 'TLSA_MISMATCH'), 'certificate-not-trusted'],
    ['STARTTLS refused', sts, failed('tls', '454 4.7.0 not now'), 'starttls-not-supported'],
    ['a handshake that breaks', sts, failed('tls', 'ECONNRESET'), 'validation-failure'],
    ['a handshake that never ends', sts, failed('timeout', 'no reply within 5 ms'), 'validation-failure'],
    ['no connection', sts, failed('refused', 'ECONNREFUSED', false), 'nothing'],
    [
      'a refusing greeting',
      sts,
      { reply: { code: 554, detail: '0.0', text: 'no', from: 'remote' }, phase: 'banner' },
      'nothing',
    ],
  ]
  for (const [title, spec, result, expected] of cases)
    it(`${title}: ${expected}`, () =>
      assert.equal(tlsResultOf('a.example', spec, result)?.result ?? 'nothing', expected))

  it('says who, where and under which policy', () => {
    assert.deepEqual(tlsResultOf('b.example', sts, opened(sts, { tls: null })), {
      ...report,
      ...{ receivingMx: 'mx.sink.example', receivingIp: '127.0.0.1', sendingIp: '127.0.0.9' },
      ...{ result: 'starttls-not-supported', additional: null },
    })
    const free = tlsResultOf('b.example', hostAt({ address: '127.0.0.1', port: 25 }), opened(specOf()))
    assert.deepEqual([free?.policyType, free?.domain, free?.sendingIp], ['no-policy-found', 'b.example', null])
  })
})
