import assert from 'node:assert/strict'
import { checkDnsId, dnsIdsOf, fits, isFor } from '../../src/tls/dns-id.ts'

describe('the name in a certificate', () => {
  it('is read from its DNS-IDs only', () => {
    assert.deepEqual(dnsIdsOf('DNS:MX.Example., IP Address:192.0.2.1, DNS:*.example'), ['mx.example', '*.example'])
    assert.deepEqual(dnsIdsOf('email:a@example, URI:http://mx.example/'), [])
    assert.deepEqual(dnsIdsOf('DNS:"a.example, DNS:mx.example"'), [])
    assert.deepEqual(dnsIdsOf(undefined), [])
  })

  for (const [pattern, host, fitting] of [
    ['mx.example', 'mx.example', true],
    ['mx.example', 'mx2.example', false],
    ['*.example', 'mx.example', true],
    ['*.example', 'a.mx.example', false],
    ['*.example', 'example', false],
    ['m*.example', 'mx.example', false],
    ['*.*.example', 'a.b.example', false],
    ['*', 'example', false],
  ] as const)
    it(`${pattern} is ${fitting ? '' : 'not '}for ${host}`, () => assert.equal(fits(pattern, host), fitting))

  it('may be for one of several hosts, however they are written', () => {
    assert.equal(isFor(['mx.example'], ['other.example', 'MX.Example.']), true)
    assert.equal(isFor([], ['mx.example']), false)
  })

  it('that is wrong is told with all names that would have been right', () => {
    assert.equal(checkDnsId(['mx.example'], { subjectaltname: 'DNS:mx.example' }), undefined)
    const error = checkDnsId(['mx.example'], { subjectaltname: 'DNS:a.example, DNS:b.example' })
    assert.match(String(error), /for a\.example, b\.example, not for mx\.example/)
  })
})
