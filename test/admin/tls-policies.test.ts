import assert from 'node:assert/strict'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import { startApi } from './support/api.ts'

const secure = true
const data = Buffer.alloc(32, 1)
const hex = '01'.repeat(32)

function policy(domain: string, change: Partial<StsPolicy> = {}): StsPolicy {
  const now = Date.now()
  const times = { fetchedAt: now, expiresAt: now + 86_400_000, usedAt: now }
  return { domain, id: '1', mode: 'enforce', mx: [`mx1.${domain}`], lines: [], ...times, ...change }
}

describe('the API tells what a recipient domain asks of TLS', () => {
  it('host by host, with what asks for it', async () => {
    await using api = await startApi({ variables: { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true' } })
    const address = { A: ['127.0.0.1'], secure }
    api.zone.set('a.example', {
      MX: [
        [1, 'mx1.a.example'],
        [2, 'mx2.a.example'],
        [3, 'mx3.a.example'],
        [4, 'mx4.a.example'],
      ],
      secure,
    })
    for (const n of [1, 2, 3, 4]) api.zone.set(`mx${n}.a.example`, address)
    api.zone.set('_25._tcp.mx2.a.example', { TLSA: [{ usage: 3, selector: 1, matchingType: 1, data }], secure })
    api.zone.set('_25._tcp.mx3.a.example', { TLSA: [{ usage: 1, selector: 1, matchingType: 1, data }], secure })
    api.zone.fail('_25._tcp.mx4.a.example')
    await api.store.putStsPolicy(policy('a.example', { mx: ['mx1.a.example'] }))
    const { body } = await api.call('GET', '/v1/tls-policies/A.example')
    assert.deepEqual(
      [body.domain, body.validating, body.mtaSts.mode, body.problem],
      ['a.example', true, 'enforce', null],
    )
    const [first, second, third, fourth] = body.hosts
    assert.deepEqual(first, {
      host: 'mx1.a.example',
      tls: 'verified',
      policy: 'mta-sts:enforce',
      reason: null,
      tlsa: null,
    })
    const usable = { usable: true, base: 'mx2.a.example', records: [`3 1 1 ${hex}`] }
    assert.deepEqual(second, { host: 'mx2.a.example', tls: 'verified', policy: 'dane', reason: null, tlsa: usable })
    assert.deepEqual([third.tls, third.policy, third.tlsa.usable], ['refused', 'dane:unusable+mta-sts:enforce', false])
    assert.match(third.reason, /mx3\.a\.example is not among the mx of the MTA-STS policy of a\.example/)
    assert.deepEqual([fourth.tls, fourth.policy, fourth.tlsa], ['refused', 'dane', null])
  })

  it('and what is wrong with the domain, or that it asks nothing', async () => {
    await using api = await startApi({ variables: { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true' } })
    api.zone.set('free.example', { MX: [[1, 'mx.free.example']] })
    api.zone.set('mx.free.example', { A: ['127.0.0.1'] })
    const free = await api.call('GET', '/v1/tls-policies/free.example')
    const host = { host: 'mx.free.example', tls: 'opportunistic', policy: null, reason: null, tlsa: null }
    assert.deepEqual(free.body, {
      domain: 'free.example',
      validating: true,
      mtaSts: null,
      mtaStsProblem: null,
      problem: null,
      hosts: [host],
    })
    api.zone.fail('_mta-sts.free.example')
    const unknown = await api.call('GET', '/v1/tls-policies/free.example')
    assert.match(unknown.body.mtaStsProblem, /_mta-sts\.free\.example/)
    const none = await api.call('GET', '/v1/tls-policies/none.example')
    assert.deepEqual([none.body.problem, none.body.hosts], ['none.example does not exist', []])
  })

  it('and lists the policies that are kept, in pages', async () => {
    await using api = await startApi()
    for (const domain of ['a.example', 'b.example', 'c.example']) await api.store.putStsPolicy(policy(domain))
    const first = await api.call('GET', '/v1/tls-policies?limit=2')
    const rest = await api.call('GET', `/v1/tls-policies?cursor=${first.body.next}`)
    const all = [...first.body.policies, ...rest.body.policies].map(({ domain, mode }) => `${domain} ${mode}`)
    assert.deepEqual(all, ['a.example enforce', 'b.example enforce', 'c.example enforce'])
    assert.equal(rest.body.next, null)
  })
})
