/**
 * What recipient domains and accounts ask of TLS, where it touches others: one site, one connection, one message.
 */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import type { TlsaRecord } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import type { StsPolicy } from '../../src/mail/sts-policy.ts'
import { testCertificate } from '../support/certificate.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const from = 'a@ours.example'
const secure = true
const spki = new X509Certificate(testCertificate().cert).publicKey.export({ type: 'spki', format: 'der' })
const ofSink: TlsaRecord = { usage: 3, selector: 1, matchingType: 1, data: createHash('sha256').update(spki).digest() }

/** Two domains at one host; `asking.example` is vouched for, and so are the host's TLSA records. */
function zoneOf(sink: Sink): Zone {
  return {
    'free.example': { MX: [[10, 'mx.sink.example']] },
    'asking.example': { MX: [[10, 'mx.sink.example']], secure },
    'mx.sink.example': { A: [sink.address], secure },
    [`_${sink.port}._tcp.mx.sink.example`]: { TLSA: [ofSink], secure },
  }
}

async function start(sink: Sink, zone = zoneOf(sink)): Promise<TestRelay> {
  return startRelay({
    zone,
    mxPort: sink.port,
    registered: ['ours.example'],
    settings: { KITTE_DELIVERY_IPV6: 'false' },
  })
}

function enforced(domain: string, mx: string): StsPolicy {
  const now = Date.now()
  const times = { fetchedAt: now, expiresAt: now + 86_400_000, usedAt: now }
  return { domain, id: '1', mode: 'enforce', mx: [mx], lines: [], ...times }
}

function policiesOf(relay: TestRelay): Record<string, unknown> {
  const lines = [...relay.logged('delivered'), ...relay.logged('deferred')]
  return Object.fromEntries(lines.map(({ recipient, tlsPolicy = 'nothing' }) => [recipient, tlsPolicy]))
}

describe('a domain that asks for TLS', () => {
  it('travels by itself, and its connection is nobody else’s', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    await using relay = await start(sink)
    const to = ['b@free.example', 'b@asking.example', 'c@asking.example']
    for (let i = 1; i <= 2; i++) {
      await relay.submit({ from, to })
      await sink.received(2 * i)
      await relay.settled()
    }
    assert.deepEqual(sink.messages.map(({ recipients }) => recipients.join(' ')).sort(), [
      ...Array(2).fill('b@asking.example c@asking.example'),
      ...Array(2).fill('b@free.example'),
    ])
    const [free, asking] = ['nothing', 'dane']
    assert.deepEqual(policiesOf(relay), { [to[0]!]: free, [to[1]!]: asking, [to[2]!]: asking })
    const proven = relay
      .logged('delivered')
      .map(({ recipient, tls }) => [recipient, /\w+$/.exec(String(tls))![0]].join(' '))
    assert.deepEqual([...new Set(proven)].sort(), [
      'b@asking.example verified',
      'b@free.example unverified',
      'c@asking.example verified',
    ])
    assert.deepEqual([sink.connections, sink.messagesPerConnection], [2, [2, 2]])
  })

  it('does not close the site for domains that ask less', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    await using relay = await start(sink)
    await relay.relay.store.putStsPolicy(enforced('free.example', 'mx.sink.example'))
    await relay.submit({ from, to: ['b@free.example'] })
    await relay.until(() => relay.logged('deferred').length === 1, 'the refusal')
    await relay.submit({ from, to: ['b@asking.example'] })
    await relay.until(() => relay.logged('delivered').length === 1, 'the delivery')
    assert.deepEqual(policiesOf(relay), { 'b@free.example': 'mta-sts:enforce', 'b@asking.example': 'dane' })
    assert.deepEqual(relay.logged('site-closed'), [])
    const { body } = await relay.api('GET', '/v1/messages?state=queued')
    const message = await relay.api('GET', `/v1/messages/${body.messages[0].id}`)
    const [attempt] = message.body.entries[0].attempts
    assert.deepEqual([attempt.class, attempt.actor, attempt.tlsPolicy], ['tls-policy', 'remote', 'mta-sts:enforce'])
  })

  it('is asked about once, not for every message', async () => {
    await using sink = await startSink({ tls: 'starttls' })
    await using relay = await start(sink)
    const asked: string[] = []
    for (const type of ['txt', 'tlsa'] as const) {
      const lookup = relay.zone[type] as (name: string) => Promise<never>
      relay.zone[type] = name => {
        asked.push(name)
        return lookup(name)
      }
    }
    for (let i = 0; i < 20; i++) await relay.submit({ from, to: ['b@asking.example'] })
    await relay.settled()
    assert.deepEqual(asked.filter(name => !name.includes('ours')).sort(), [
      `_${sink.port}._tcp.mx.sink.example`,
      '_mta-sts.asking.example',
    ])
  })
})

describe('an account that asks for TLS', () => {
  it('has its mail kept back until the host can, or it asks no more', async () => {
    await using sink = await startSink()
    await using relay = await start(sink, sink.zone('plain.example'))
    const path = `/v1/accounts/${relay.account}`
    assert.equal((await relay.api('GET', path)).body.tls, 'opportunistic')
    assert.equal((await relay.api('PATCH', path, { tls: 'some' })).status, 422)
    assert.equal((await relay.api('PATCH', path, { tls: 'verified' })).body.tls, 'verified')
    await relay.submit({ from, to: ['b@plain.example'] })
    await relay.until(() => relay.logged('deferred').length === 1, 'the refusal')
    const [deferred] = relay.logged('deferred')
    assert.match(String(deferred!.reply), /^451 4\.7\.4 TLS is not as it must be: account:verified: no STARTTLS/)
    assert.deepEqual(
      sink.commands.filter(command => command.startsWith('MAIL')),
      [],
    )
    await relay.api('PATCH', path, { tls: 'opportunistic' })
    await relay.api('POST', '/v1/queue/retry', { all: true })
    await relay.until(() => relay.logged('delivered').length === 1, 'the delivery')
    assert.equal(relay.logged('delivered')[0]!.tlsPolicy, undefined)
  })
})
