/**
 * REQUIRETLS through the whole relay (RFC 8689): what a sender asks holds up to the next hop, or comes back.
 */
import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const from = 'a@ours.example'
const announcing = ['PIPELINING', '8BITMIME', 'SIZE 1000000', 'DSN', 'REQUIRETLS']

/** The certificate of the sink is for mx.sink.example: every domain has it as MX. */
function zoneFor(secure: readonly string[], others: readonly string[]): Zone {
  const mx = { MX: [[10, 'mx.sink.example']] } as const
  return {
    'mx.sink.example': { A: ['127.0.0.1'], secure: true },
    ...Object.fromEntries(secure.map(domain => [domain, { ...mx, secure: true }])),
    ...Object.fromEntries(others.map(domain => [domain, mx])),
  }
}

describe('a message with REQUIRETLS', () => {
  let sink: Sink
  let relay: TestRelay

  async function start(extensions: readonly string[]) {
    sink = await startSink({ tls: 'starttls', extensions })
    const zone = zoneFor(['secure.example', 'again.example', 'ours.example'], ['insecure.example'])
    relay = await startRelay({ zone, mxPort: sink.port, verified: ['ours.example'], trusted: [sink.certificate] })
  }

  afterEach(async () => {
    await relay[Symbol.asyncDispose]()
    await sink.close()
  })

  it('is passed on to a host that DNSSEC vouches for, and the log says what was asked', async () => {
    await start(announcing)
    await relay.submit({ from, to: ['b@secure.example', 'once-451-4.7.1@again.example'], requireTls: true })
    await sink.received(1)
    assert.match(sink.messages[0]!.mailParameters, /\bREQUIRETLS\b/)
    assert.deepEqual(sink.messages[0]!.recipients, ['b@secure.example'])
    await relay.until(() => relay.logged('deferred').length === 1, 'the other to be deferred')
    await relay.until(() => relay.logged('delivered').length === 1, 'the first to be told')
    const [line] = relay.logged('delivered')
    assert.equal(line!.tlsAsked, 'required')
    assert.match(String(line!.tls), / verified$/)
    const retried = await relay.api('POST', '/v1/queue/retry', { all: true })
    assert.equal(retried.status, 200, JSON.stringify(retried.body))
    await sink.received(2)
    assert.match(sink.messages[1]!.mailParameters, /\bREQUIRETLS\b/, 'kept for the retry')
  })

  it('comes back at once from where nobody vouches for the host, with its header only', async () => {
    await start(announcing)
    await relay.submit({
      from,
      to: ['b@secure.example', 'b@insecure.example'],
      requireTls: true,
      dsn: { return: 'full' },
    })
    await sink.received(2)
    await relay.settled()
    await relay.until(() => relay.logged('delivered').length === 2, 'the report to be told')
    assert.deepEqual(relay.actions(), {
      'b@secure.example': 'delivered',
      'b@insecure.example': 'bounced',
      [from]: 'delivered',
    })
    const [bounced] = relay.logged('bounced')
    assert.match(String(bounced!.reply), /^550 5\.7\.10 neither DNSSEC nor an MTA-STS policy/)
    assert.equal(bounced!.class, 'tls')
    const report = sink.messages.find(message => message.reversePath === null)!
    assert.match(report.mailParameters, /\bREQUIRETLS\b/)
    assert.match(report.content.toString(), /^Content-Type: text\/rfc822-headers/m)
  })

  it('comes back where the host announces no REQUIRETLS, and the report goes without', async () => {
    await start(announcing.slice(0, -1))
    await relay.submit({ from, to: ['b@secure.example'], requireTls: true })
    await relay.settled()
    assert.match(String(relay.logged('bounced')[0]!.reply), /^550 5\.7\.30 mx\.sink\.example does not announce/)
    assert.match(sink.lastReportTo(from), /^Status: 5\.7\.30\r$/m)
  })
})
