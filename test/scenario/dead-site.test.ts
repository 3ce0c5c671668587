/**
 * A site that is down with very much mail waiting for it: a restart, other mail, and who looks at the queue.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { fillStore } from '../../scripts/bench/dead-site-fill.ts'
import { openReading } from '../../src/store/sqlite/connection.ts'
import { startRelay, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const entries = 10_000
const from = 'sales@ours.example'
const dead = 'dead.example'

function optionsFor(sink: Sink): TestRelayOptions {
  const zone = { ...sink.zone('sink.example', 'ours.example') }
  // Nobody listens there.
  const site = { [dead]: { MX: [[10, `mx.${dead}`]] as const }, [`mx.${dead}`]: { A: ['127.0.250.1'] } }
  return { zone: { ...zone, ...site }, mxPort: sink.port, settings: { KITTE_QUEUE_RETRY_JITTER: '0' } }
}

/** The relay once more, with the queue of a site that has been down. */
async function restartedWithBacklog(relay: TestRelay, options: TestRelayOptions): Promise<TestRelay> {
  const { credential } = relay
  const dataDir = await relay.stop()
  const signal = new AbortController().signal
  await fillStore({ dataDir, entries, from, senderDomain: 'ours.example', domain: dead, signal })
  const again = await startRelay({ ...options, dataDir })
  await again.publish('ours.example')
  return Object.assign(again, { credential })
}

async function counts(relay: TestRelay, query: string) {
  const { status, body } = await relay.api('GET', `/v1/queue?${query}`)
  assert.equal(status, 200)
  return body
}

/** By the rows themselves. */
function touched(dataDir: string): number {
  const db = openReading(join(dataDir, 'kitte.db'))
  try {
    return db.prepare('select count(*) from entry where attempts > 0 or in_doubt = 1').pluck().get() as number
  } finally {
    db.close()
  }
}

describe('10,000 entries for a site that is down', () => {
  it('are tried a few at a time while other mail is delivered, and told of as one', async () => {
    await using sink = await startSink()
    const options = optionsFor(sink)
    await using first = await startRelay({ ...options, verified: ['ours.example'] })
    await using relay = await restartedWithBacklog(first, options)
    await relay.until(() => relay.logged('deferred').length > 0, 'a first attempt at the dead site')
    for (let n = 0; n < 20; n++) await relay.submit({ from, to: [`ok${n}@sink.example`] })
    await relay.until(() => sink.messages.length === 20, 'the other mail')
    await relay.until(async () => (await counts(relay, 'domain=sink.example')).counts.total === 0, 'its settlement')

    const all = await counts(relay, 'limit=10')
    assert.equal(all.counts.total, entries)
    assert.deepEqual(
      all.by.domain.map(({ value, count }: { value: string; count: number }) => [value, count]),
      [[dead, entries]],
    )
    assert.equal(all.entries.length, 10)
    const { due, waiting, leased, held } = all.counts
    assert.equal(due + waiting + leased + held, entries)
    const tried = await counts(relay, 'class=network&limit=1000')
    assert.ok(tried.counts.total > 0 && tried.counts.total < entries / 10, `${tried.counts.total} were tried`)
    assert.ok(tried.entries.every((entry: { class: string }) => entry.class === 'network'))
    assert.equal((await counts(relay, `site=mx.${dead}`)).counts.total, entries)

    const untouched = entries - touched(await relay.stop())
    assert.ok(untouched > entries * 0.9, `${entries - untouched} were touched`)
  })
})
