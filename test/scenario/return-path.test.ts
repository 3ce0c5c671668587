/**
 * A bounce host of the domain's own: reverse-paths that the relay makes end in it, so SPF passes for a name of the domain.
 */
import assert from 'node:assert/strict'
import { verifyArrival } from '../../src/sandbox/verify-arrival.ts'
import { startRelay } from '../support/relay.ts'
import { type SinkMessage, startSink } from '../support/sink.ts'

const ours = 'ours.example'

describe('a domain that can publish no SPF record of its own, but a bounce host', () => {
  it('aligns by it once MX and SPF are there, and falls back to the host of the relay when it opts out', async () => {
    await using sink = await startSink()
    await using relay = await startRelay({
      zone: sink.zone('sink.example', ours),
      mxPort: sink.port,
      registered: [ours],
      settings: { KITTE_DOMAINS_LOST_GRACE: '1ms' },
    })
    const change = async (body: object) => (await relay.api('PATCH', `/v1/domains/${ours}`, body)).body
    const verify = async () => (await relay.api('POST', `/v1/domains/${ours}/verify`)).body
    const arrive = async (): Promise<SinkMessage> => {
      const before = sink.messages.length
      await relay.submit({ from: `a@${ours}`, to: ['r@sink.example'] })
      await relay.until(() => sink.messages.length > before, 'an arrival')
      return sink.messages.at(-1)!
    }
    const hostOf = ({ reversePath }: SinkMessage) => reversePath!.split('@')[1]

    assert.equal(hostOf(await arrive()), 'bounce.relay.example.jp')
    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { unaligned: 'refuse' })
    await assert.rejects(arrive(), /550[ -]5\.7\.26/)

    const { records } = await change({ returnPath: true })
    const [mx, txt] = ['return-path', 'return-path-spf'].map(purpose =>
      records.find((record: { purpose: string }) => record.purpose === purpose),
    )
    assert.deepEqual([mx.name, mx.value, txt.name], [`bounce.${ours}`, '10 relay.example.jp', mx.name])
    relay.zone.set(mx.name, { MX: [[10, 'relay.example.jp']] })
    await verify()
    await assert.rejects(arrive(), /550[ -]5\.7\.26/, 'the MX alone does not let it pass')
    relay.zone.set(mx.name, { MX: [[10, 'relay.example.jp']], TXT: [txt.value] })
    relay.zone.set(`_dmarc.${ours}`, { TXT: ['v=DMARC1; p=reject'] })
    assert.equal((await verify()).mode, 'sender-only')

    const message = await arrive()
    assert.match(message.reversePath!, /^b-[0-9a-z]{26}-0-[0-9a-z]{16}@bounce\.ours\.example$/)
    const transaction = { ip: '127.0.0.1', helo: message.ehlo, reversePath: message.reversePath! }
    const { spf, dmarc } = await verifyArrival(message.content, transaction, relay.zone, 'mx.sink.example')
    assert.deepEqual([spf.result, spf.domain, dmarc.result], ['pass', `bounce.${ours}`, 'pass'])

    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { unaligned: 'send' })
    await change({ returnPath: false })
    assert.equal(hostOf(await arrive()), 'bounce.relay.example.jp')
  })
})
