/**
 * Pools on real sockets: the source address is bound, the EHLO name is its own, and another takes over.
 */
import assert from 'node:assert/strict'
import { startRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'

const source = (ip: string) => ({ ip, ehlo: `out${ip.at(-1)}.relay.example.jp` })
const pools = [
  { name: 'bulk', sources: ['127.0.0.2', '127.0.0.3'].map(source) },
  { name: 'new', sources: ['127.0.0.5'].map(source) },
  { name: 'broken', sources: ['192.0.2.1', '127.0.0.4'].map(source) },
]
const settings = { KITTE_POOLS: JSON.stringify(pools), KITTE_QUEUE_RETRY_AFTER: '[1s]' }

describe('mail of an account with a pool', () => {
  it('comes from its addresses under their names, and the log says from which', async () => {
    await using sink = await startSink()
    const zone = sink.zone('there.example', 'ours.example')
    await using relay = await startRelay({ zone, mxPort: sink.port, registered: ['ours.example'], settings })
    assert.equal((await relay.api('PATCH', `/v1/accounts/${relay.account}`, { pool: 'bulk' })).body.pool, 'bulk')
    for (let n = 0; n < 30; n++) await relay.submit({ from: 'a@ours.example', to: [`b${n}@there.example`] })
    await relay.settled()
    const came = new Set(sink.messages.map(({ remoteAddress, ehlo }) => `${remoteAddress} ${ehlo}`))
    assert.deepEqual([...came].sort(), ['127.0.0.2 out2.relay.example.jp', '127.0.0.3 out3.relay.example.jp'])
    const logged = new Set(relay.logged('delivered').map(({ sourceIp }) => sourceIp))
    assert.deepEqual([...logged].sort(), ['127.0.0.2', '127.0.0.3'])
    const { body } = await relay.api('GET', '/v1/pools')
    const bulk = body.pools.find(({ name }: { name: string }) => name === 'bulk')
    const sent = bulk.sources.map(({ today }: { today: { delivered: number } }) => today.delivered)
    assert.equal(sent[0] + sent[1], 30)
  })

  it('goes on from the other address when this machine has not got one', async () => {
    await using sink = await startSink()
    const zone = sink.zone('there.example', 'ours.example')
    await using relay = await startRelay({ zone, mxPort: sink.port, registered: ['ours.example'], settings })
    await relay.api('PATCH', `/v1/domains/ours.example`, { pool: 'broken' })
    for (let n = 0; n < 30; n++) await relay.submit({ from: 'a@ours.example', to: [`b${n}@there.example`] })
    await relay.settled()
    assert.deepEqual([...new Set(sink.messages.map(({ remoteAddress }) => remoteAddress))], ['127.0.0.4'])
    assert.equal(relay.logged('source-unusable')[0]?.sourceIp, '192.0.2.1')
  })

  it('leaves by the default pool at once when its own is no longer in the configuration, and the log says so', async () => {
    await using sink = await startSink()
    const options = { zone: sink.zone('there.example', 'ours.example'), mxPort: sink.port }
    await using first = await startRelay({ ...options, registered: ['ours.example'], settings })
    await first.api('PATCH', `/v1/accounts/${first.account}`, { pool: 'new' })
    await first.api('POST', '/v1/warm-ups', { source: '127.0.0.5', caps: [1] })
    await first.submit({ from: 'a@ours.example', to: ['b@there.example', 'c@there.example', 'd@there.example'] })
    await first.until(async () => (await first.relay.store.countQueue({ state: 'waiting' })).total === 2, 'the cap')

    const others = { ...settings, KITTE_POOLS: JSON.stringify(pools.filter(({ name }) => name !== 'new')) }
    await using second = await startRelay({ ...options, settings: others, dataDir: await first.stop() })
    await second.until(async () => (await second.relay.store.totals()).delivered === 3, 'what had waited for the pool')
    const [told] = second.logged('pool-changed')
    assert.deepEqual([told?.pool, told?.entries], ['new', 2])
    assert.ok(sink.messages.slice(1).every(({ remoteAddress }) => remoteAddress === '127.0.0.1'))
  })

  it('goes by another pool at once when it is given one, also what waited for a day of the first', async () => {
    await using sink = await startSink()
    const zone = sink.zone('there.example', 'ours.example')
    await using relay = await startRelay({ zone, mxPort: sink.port, registered: ['ours.example'], settings })
    const delivered = async () => (await relay.relay.store.totals()).delivered
    const waiting = async () => (await relay.relay.store.countQueue({ state: 'waiting' })).total
    await relay.api('PATCH', `/v1/accounts/${relay.account}`, { pool: 'new' })
    assert.equal((await relay.api('POST', '/v1/warm-ups', { source: '127.0.0.5', caps: [1] })).status, 201)
    const paths = [`/v1/accounts/${relay.account}`, '/v1/domains/ours.example']
    for (const [n, path] of paths.entries()) {
      await relay.api('PATCH', path, { pool: 'new' })
      await relay.submit({ from: 'a@ours.example', to: ['b@there.example', 'c@there.example', 'd@there.example'] })
      await relay.until(async () => (await waiting()) === (n === 0 ? 2 : 3), 'what is beyond the cap')
      await relay.api('PATCH', path, { pool: 'bulk' })
      await relay.until(async () => (await delivered()) === 3 * (n + 1), `what waited before ${path} changed`)
    }
  })
})
