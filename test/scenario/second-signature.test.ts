/**
 * `signing.relayToo`: the relay's own domain signs beside the sender domain, never through a sender's own server.
 */
import assert from 'node:assert/strict'
import { startRelay } from '../support/relay.ts'
import { type SinkMessage, startSink } from '../support/sink.ts'

describe('with signing.relayToo', () => {
  it('the relay signs beside the sender domain, once where it signs anyway, and not at an own server', async () => {
    const login = { username: 'u', password: 'secret' }
    await using sink = await startSink()
    await using server = await startSink({ auth: login })
    await using relay = await startRelay({
      zone: sink.zone('sink.example', 'both.example', 'bare.example'),
      mxPort: sink.port,
      verified: ['both.example'],
      registered: ['bare.example'],
      settings: { KITTE_SIGNING_RELAY_TOO: 'true', KITTE_SIGNING_RSA_BITS: '1024' },
    })
    const smtp = { host: 'mx.sink.example', port: server.port, tls: 'opportunistic', ...login }
    const own = await relay.api('POST', '/v1/senders', { address: 'own@both.example', account: relay.account, smtp })
    assert.equal(own.status, 201)
    for (const from of ['a@both.example', 'a@bare.example', 'own@both.example'])
      await relay.submit({ from, to: ['you@sink.example'] })
    await relay.settled()
    const signed = [...sink.messages, ...server.messages].map(message => [authorOf(message), signersOf(message)])
    assert.deepEqual(Object.fromEntries(signed), {
      'a@both.example': ['both.example', 'relay.example.jp'],
      'a@bare.example': ['relay.example.jp'],
      'own@both.example': ['both.example'],
    })
    const [line] = relay.logged('delivered').filter(({ from }) => from === 'a@both.example')
    assert.deepEqual(
      (line!.signatures as string[]).map(name => name.replace(/^.*\._domainkey\./, '')),
      ['both.example', 'relay.example.jp'],
    )
  })
})

function headerOf({ content }: SinkMessage): string {
  return content
    .toString('latin1')
    .split('\r\n\r\n', 1)[0]!
    .replace(/\r\n[ \t]+/g, ' ')
}

function authorOf(message: SinkMessage): string {
  return /^From: (\S+)/im.exec(headerOf(message))![1]!
}

function signersOf(message: SinkMessage): string[] {
  const fields = headerOf(message).match(/^DKIM-Signature:.*$/gim) ?? []
  return fields.map(field => /[;\s]d=([^;\s]+)/.exec(field)![1]!)
}
