/**
 * The postmaster's hands on a running relay: a suspended slice doesn't leave until its suspension ends, whatever state its
 * mail was in, and a detour takes mail to other hosts than the MX.
 */
import assert from 'node:assert/strict'
import { manualClock } from '../support/manual-clock.ts'
import { type Json, startRelay, type TestRelay } from '../support/relay.ts'
import { type Sinks, startSinks } from '../support/sinks.ts'

const from = 'a@ours.example'
const minute = 60_000
const receivers = { 'down.example': {}, 'up.example': {}, 'ours.example': {}, 'smart.example': {} } as const

describe('a suspended slice of the mail', () => {
  let sinks: Sinks<keyof typeof receivers>
  let relay: TestRelay

  beforeEach(async () => {
    sinks = await startSinks(receivers)
    relay = await startRelay({
      zone: sinks.zone,
      mxPort: sinks.port,
      verified: ['ours.example'],
      // Nothing is retried by itself while a test runs.
      settings: { KITTE_QUEUE_RETRY_AFTER: '[1h]' },
    })
  })

  afterEach(async () => {
    await relay?.[Symbol.asyncDispose]()
    await sinks?.[Symbol.asyncDispose]()
  })

  const suspend = async (filter: object, more: object = {}) => {
    const { status, body } = await relay.api('POST', '/v1/suspensions', { filter, reason: 'provider outage', ...more })
    assert.equal(status, 201)
    return body
  }
  const queue = async (): Promise<Json[]> => (await relay.api('GET', '/v1/queue')).body.entries
  const heldCount = async () => (await queue()).filter(({ state }) => state === 'held').length

  it('holds fresh mail and deferrals, tells why, and lets them go when it ends', async () => {
    await relay.submit({ from, to: ['once-451-4.2.1+1@down.example'] })
    await relay.until(() => relay.logged('deferred').length === 1, 'a deferral')
    const { dryRun, matched, suspension: none } = await suspend({ domain: 'down.example' }, { dryRun: true })
    assert.deepEqual([dryRun, matched, none], [true, 1, null])
    const { suspension } = await suspend({ domain: 'down.example' })
    assert.deepEqual([suspension.state, suspension.held], ['in-force', 1])
    const fresh = await relay.submit({ from, to: ['2@down.example', '3@up.example'] })
    await relay.until(async () => (await heldCount()) === 2, 'the fresh one held')
    await relay.until(() => relay.actions()['3@up.example'] === 'delivered', 'the other one delivered')
    assert.equal(sinks.at['down.example'].messages.length, 0)
    const [entry] = (await relay.api('GET', `/v1/messages/${fresh}`)).body.entries
    assert.deepEqual(
      [entry.state, entry.heldReason, entry.suspension, entry.waitReason],
      ['held', 'provider outage', suspension.id, 'suspended'],
    )
    assert.match(entry.waitMessage.ja, /停止中.*provider outage/)
    const released = await relay.api('POST', '/v1/queue/release', { all: true })
    assert.equal(released.body.changed, 0)
    const { body: listed } = await relay.api('GET', '/v1/suspensions')
    assert.deepEqual(listed.suspensions, [{ ...suspension, held: 2 }])
    const own = (await queue()).find(({ recipient }) => recipient === '2@down.example')!
    assert.equal((await relay.api('DELETE', `/v1/suspensions/${suspension.id}`)).body.held, 0)
    assert.equal(own.state, 'held')
    await relay.api('POST', '/v1/queue/retry', { all: true })
    await relay.settled()
    await relay.until(() => sinks.at['down.example'].messages.length === 2, 'both left')
    assert.equal((await relay.api('DELETE', `/v1/suspensions/${suspension.id}`)).status, 404)
    assert.deepEqual(
      ['suspended', 'resumed'].map(event => relay.logged(event).map(line => line.suspension)),
      [[suspension.id], [suspension.id]],
    )
  })

  it('may be a site, which fresh mail is known by only when its MX is looked up', async () => {
    const { suspension } = await suspend({ site: 'mx.down.example' })
    await relay.submit({ from, to: ['1@down.example'] })
    await relay.until(async () => (await heldCount()) === 1, 'it is held')
    assert.equal(sinks.at['down.example'].messages.length, 0)
    await relay.api('DELETE', `/v1/suspensions/${suspension.id}`)
    await relay.settled()
    assert.equal(sinks.at['down.example'].messages.length, 1)
  })

  it('survives a restart, and ends by itself when its time is over', async () => {
    const clock = manualClock()
    const options = { zone: sinks.zone, mxPort: sinks.port, clock }
    await relay[Symbol.asyncDispose]()
    relay = await startRelay({ ...options, verified: ['ours.example'] })
    await suspend({ account: relay.account }, { until: new Date(clock.now() + 10 * minute).toISOString() })
    await relay.submit({ from, to: ['1@down.example'] })
    await relay.until(async () => (await heldCount()) === 1, 'it is held')
    const dataDir = await relay.stop()
    relay = await startRelay({ ...options, dataDir })
    await clock.advance(9 * minute)
    assert.equal(await heldCount(), 1)
    const isOver = async () => {
      await clock.advance(1000)
      const { body } = await relay.api('GET', '/v1/suspensions')
      return body.suspensions.length === 0 && (await relay.relay.store.totals()).queued === 0
    }
    await relay.until(isOver, 'its end and an empty queue')
    assert.ok(clock.monotonic() >= 10 * minute)
    assert.equal(sinks.at['down.example'].messages.length, 1)
  })

  it('goes to other hosts by a detour, what waits too, and to its MX again afterwards', async () => {
    await relay.submit({ from, to: ['once-451-4.2.1+1@down.example'] })
    await relay.until(() => relay.logged('deferred').length === 1, 'a deferral at the MX')
    const hosts = [`mx.smart.example:${sinks.port}`]
    const { status, body: detour } = await relay.api('POST', '/v1/routes', {
      ...{ domain: 'mx.down.example', hosts, note: 'outage' },
    })
    assert.deepEqual([status, detour.site], [201, `via ${hosts[0]}`])
    const again = { domain: 'mx.down.example', hosts, note: 'again' }
    assert.equal((await relay.api('POST', '/v1/routes', again)).status, 422)
    await relay.api('POST', '/v1/queue/retry', { all: true })
    await relay.submit({ from, to: ['2@down.example'] })
    await relay.submit({ from, to: ['3@up.example'] })
    await relay.until(() => relay.logged('deferred').length === 2, 'a deferral there, the first it hears of it')
    await relay.api('POST', '/v1/queue/retry', { all: true })
    await relay.until(() => sinks.at['smart.example'].messages.length === 2, 'both went around')
    await relay.settled()
    assert.equal(sinks.at['down.example'].messages.length, 0)
    assert.equal(sinks.at['up.example'].messages.length, 1)
    await relay.until(() => relay.actions()['2@down.example'] === 'delivered', 'its line in the log')
    assert.equal(relay.logged('delivered').find(line => line.recipient === '2@down.example')?.site, detour.site)
    assert.equal((await relay.api('DELETE', `/v1/routes/${detour.id}`)).status, 204)
    assert.deepEqual((await relay.api('GET', '/v1/routes')).body, { routes: [] })
    await relay.submit({ from, to: ['4@down.example'] })
    await relay.until(() => sinks.at['down.example'].messages.length === 1, 'it went to the MX')
  })

  it('is not bounced when a detour leads nowhere', async () => {
    const wanted = { domain: 'up.example', hosts: ['no-such-host.example'], note: 'a mistake' }
    const { body } = await relay.api('POST', '/v1/routes', wanted)
    await relay.submit({ from, to: ['1@up.example'] })
    await relay.until(() => relay.logged('deferred').length > 0, 'a deferral')
    await relay.api('DELETE', `/v1/routes/${body.id}`)
    await relay.api('POST', '/v1/queue/retry', { all: true })
    await relay.until(() => relay.actions()['1@up.example'] === 'delivered', 'it went to its MX')
  })
})
