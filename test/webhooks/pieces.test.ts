/**
 * The small parts of webhooks as tables: signatures, patterns, addresses, waits, sentences.
 */
import assert from 'node:assert/strict'
import { eventTypes } from '../../src/mail/event.ts'
import { waitAfter } from '../../src/webhooks/back-off.ts'
import { originOf, parseEndpoint } from '../../src/webhooks/endpoint-url.ts'
import { isTypePattern, typeCondition, wantedTypes } from '../../src/webhooks/event-filter.ts'
import { failureReasons, tellFailure } from '../../src/webhooks/failures.ts'
import { newSecret, signedHeaders } from '../../src/webhooks/signature.ts'

describe('a signature', () => {
  it('is what Standard Webhooks gives as its example', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const body = Buffer.from('{"test": 2432232314}')
    assert.deepEqual(signedHeaders([secret], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_999, body), {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
    assert.match(newSecret(), /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.notEqual(newSecret(), newSecret())
  })
})

describe('a choice of events', () => {
  it('takes exact types and prefixes that fit something', () => {
    for (const pattern of ['*', 'message.*', 'domain.*', ...eventTypes])
      assert.equal(isTypePattern(pattern), true, pattern)
    for (const pattern of ['', '**', 'mess*', 'message.', 'message.x', 'x.*', '.*', 'MESSAGE.*'])
      assert.equal(isTypePattern(pattern), false, pattern)
  })

  it('compares nothing when everything is wanted', () => {
    assert.equal(typeCondition({ types: ['*'], terminalOnly: false }), null)
    assert.deepEqual(
      wantedTypes({ types: ['*', 'domain.*'], terminalOnly: true }).filter(type => type.startsWith('m')),
      ['message.delivered', 'message.bounced', 'message.cancelled', 'message.bounced_later', 'message.complained'],
    )
  })
})

describe('the address of a receiver', () => {
  const good = [
    'https://crm.example/hook',
    'http://127.0.0.1:3000/',
    'https://crm.example/h?token=x',
    'https://[2001:db8::1]/',
  ]
  const bad = [
    'crm.example',
    'ftp://crm.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://user:secret@crm.example/',
    'https://user@crm.example/',
    'https://crm.example/#part',
    'https://',
    `https://crm.example/${'x'.repeat(2000)}`,
    '',
  ]
  for (const url of good) it(`is taken: ${url}`, () => assert.notEqual(parseEndpoint(url), null))
  for (const url of bad) it(`is refused: ${url.slice(0, 40)}`, () => assert.equal(parseEndpoint(url), null))
  it('is told without what may be secret', () =>
    assert.equal(originOf('https://crm.example:8443/a/b?token=x'), 'https://crm.example:8443'))
})

describe('the wait after a failure', () => {
  const backOff = { retryAfter: [1000, 10_000], retryJitter: 0.2 }
  it('grows, spread by its jitter', () => {
    assert.deepEqual(
      [1, 2, 3, 99].map(failures => waitAfter(failures, 0, backOff, 0.5)),
      [1000, 10_000, 10_000, 10_000],
    )
    assert.deepEqual(
      [0, 0.25, 1].map(random => waitAfter(2, 0, backOff, random)),
      [8000, 9000, 12_000],
    )
    assert.deepEqual([waitAfter(1, 60_000, backOff, 0.5), waitAfter(0, 0, backOff, 1)], [60_000, 0])
  })
})

describe('the reasons of failures', () => {
  for (const reason of Object.keys(failureReasons)) {
    it(`are told in both languages, filled in: ${reason}`, () => {
      const detail = { host: 'h', problem: 'p', seconds: '15', status: '500', location: 'l' }
      const { message, fix } = tellFailure({ reason, detail })
      for (const text of [message.ja, message.en, fix.ja, fix.en]) assert.match(text, /^[^{}]{4,}$/)
      assert.match(message.ja, /[ぁ-ん]/)
    })
  }
  it('of another version are told as they stand', () =>
    assert.equal(tellFailure({ reason: 'eclipse', detail: {} }).message.en, 'eclipse'))
})
