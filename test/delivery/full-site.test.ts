/**
 * Mail of which memory holds enough already, where pools or shared limits leave no lane to hold it back: real store, time turned by hand.
 */
import assert from 'node:assert/strict'
import { waitsForMessage } from '../../src/admin/waits-for.ts'
import { manualClock } from '../support/manual-clock.ts'
import { scriptedTransport } from '../support/scripted-transport.ts'
import { startWorker } from '../support/worker.ts'

const zone = {
  'one.example': { MX: [[10, 'mx1.there.example']] },
  'mx1.there.example': { A: ['127.0.0.1'] },
  'two.example': { MX: [[10, 'mx2.there.example']] },
  'mx2.there.example': { A: ['127.0.0.2'] },
} as const
const pools = [{ name: 'bulk', sources: [{ ip: '127.0.0.5', ehlo: 'out5.relay.example.jp' }] }]
const settings = { KITTE_POOLS: JSON.stringify(pools), KITTE_DELIVERY_MAX_ATTEMPTS: '20' }
const limits = { connections: 20, messagesPerConnection: 100, perMinute: null }
const count = 250

const cases = [
  { what: 'one site', domains: ['one.example'], sites: [{ suffix: '', ...limits }], at: 'mx1.there.example' },
  {
    what: 'sites that share their limits',
    domains: ['one.example', 'two.example'],
    sites: [{ suffix: 'there.example', ...limits, shared: true, name: 'There' }],
    at: 'There',
  },
]

describe('more mail than memory holds, on a relay with pools', () => {
  for (const { what, domains, sites, at } of cases)
    it(`goes on without a pause to ${what} as soon as there is room`, async () => {
      const clock = manualClock()
      const opened = Promise.withResolvers<null>()
      const transport = scriptedTransport({ send: () => opened.promise })
      await using worker = await startWorker({ zone, clock, transport, settings, sites })
      const began = clock.monotonic()
      for (let n = 0; n < count; n++) await worker.submit({ to: [`r${n}@${domains[n % domains.length]}`] })
      const waits = async () => (await worker.store.listQueue({}, { limit: count })).map(({ entry }) => entry.waitsFor)
      await worker.until(async () => (await waits()).includes(`room at ${at}`), 'mail that is turned away')
      opened.resolve(null)
      await worker.until(async () => {
        await clock.advance(100)
        return transport.sendings.length >= count || clock.monotonic() - began > 25_000
      }, 'the rest')
      assert.equal(transport.sendings.length, count)
      const delivered = async () => (await worker.store.totals()).delivered
      await worker.until(async () => {
        await clock.advance(100)
        return (await delivered()) === count
      }, 'all outcomes')
    })

  it('says so', () => {
    const { ja, en } = waitsForMessage('room at mx1.there.example')!
    assert.match(ja, /mx1\.there\.example/)
    assert.match(en, /mx1\.there\.example/)
  })
})
