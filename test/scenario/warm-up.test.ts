/**
 * Warm-ups and counts per day, over midnights, a restart and trouble: the whole relay, time turned by hand.
 */
import assert from 'node:assert/strict'
import { openCalendar } from '../../src/base/calendar.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const calendar = openCalendar('Asia/Tokyo')
const domain = '/v1/warm-ups/domain/ours.example'
const settings = { KITTE_WARM_UP_SAMPLE: '4', KITTE_QUEUE_RETRY_JITTER: '0' }

async function start(sink: Sink, clock: ManualClock, dataDir?: string): Promise<TestRelay> {
  const zone = sink.zone('there.example', 'ours.example')
  const again = dataDir === undefined ? {} : { dataDir }
  return startRelay({ zone, mxPort: sink.port, registered: ['ours.example'], clock, settings, ...again })
}

/** To a second past the next midnight in Tokyo: in one leap, as retries of a whole day would take long. */
async function toTomorrow(clock: ManualClock): Promise<void> {
  await clock.leap(calendar.nextDayAt(clock.now()) - clock.now())
  await clock.advance(1000)
}

/** Without reports. */
function mailIn(sink: Sink): number {
  return sink.messages.filter(({ reversePath }) => reversePath !== null).length
}

async function send(relay: TestRelay, count: number, localPart = 'ok'): Promise<void> {
  for (let n = 0; n < count; n++)
    await relay.submit({ from: 'a@ours.example', to: [`${localPart}+${n}-${relay.lines.length}@there.example`] })
}

describe('a sender domain over the days of its warm-up', () => {
  it('sends what each day allows, goes on after midnight and a restart, and is told of', async () => {
    await using sink = await startSink()
    const clock = manualClock()
    const first = await start(sink, clock)
    const begun = await first.api('POST', '/v1/warm-ups', { domain: 'ours.example', caps: [3, 5] })
    assert.deepEqual([begun.status, begun.body.state, begun.body.cap], [201, 'running', 3])
    await send(first, 7)
    await first.until(() => mailIn(sink) === 3, 'the first day')
    await first.until(async () => (await first.relay.store.countQueue({})).waiting === 4, 'the rest')
    const [waiting] = await first.relay.store.listQueue({ state: 'waiting' }, { limit: 1 })
    assert.equal(waiting?.entry.nextAttemptAt, calendar.nextDayAt(clock.now()))
    assert.equal(waiting?.entry.waitsFor, 'warm-up domain ours.example')
    const { body } = await first.api('GET', '/v1/queue')
    assert.match(body.entries[0].waitMessage.en, /warm-up of ours\.example has reached its cap/)
    const { credential } = first
    const dataDir = await first.stop()
    await using relay = await start(sink, clock, dataDir)
    Object.assign(relay, { credential })
    await send(relay, 1)
    await relay.until(async () => (await relay.relay.store.countQueue({})).waiting === 5, 'a restart changes nothing')
    assert.equal(mailIn(sink), 3)
    await toTomorrow(clock)
    await relay.until(() => mailIn(sink) === 8, 'the second day')
    assert.deepEqual([(await relay.api('GET', domain)).body.taken, (await relay.api('GET', domain)).body.cap], [5, 5])
    await toTomorrow(clock)
    await relay.until(async () => (await relay.api('GET', domain)).body.state === 'done', 'its end')
    await send(relay, 6)
    await relay.until(() => mailIn(sink) === 14, 'everything')
    const counted = async () => (await relay.relay.store.volume('domain', 'ours.example', '2026-01-17'))[0]?.delivered
    await relay.until(async () => (await counted()) === 6, 'the counts')
    const events = await relay.api('GET', '/v1/events?domain=ours.example')
    const types = events.body.events.map(({ type }: { type: string }) => type)
    assert.deepEqual(
      types.filter((type: string) => type.startsWith('warm_up.')),
      ['warm_up.started', 'warm_up.advanced', 'warm_up.finished'],
    )
    assert.equal(relay.logged('warm-up-advanced')[0]?.cap, 5)
    const { days } = (await relay.api('GET', '/v1/domains/ours.example/volume')).body
    assert.deepEqual(
      days.map(({ day, delivered }: { day: string; delivered: number }) => [day, delivered]),
      [
        ['2026-01-17', 6],
        ['2026-01-16', 5],
        ['2026-01-15', 3],
      ],
    )
  })

  it('pauses on trouble with the reason, and resumes by itself after a good day', async () => {
    await using sink = await startSink()
    const clock = manualClock()
    await using relay = await start(sink, clock)
    await relay.api('POST', '/v1/warm-ups', { domain: 'ours.example', caps: [4, 8, 16] })
    await send(relay, 4)
    await relay.until(() => mailIn(sink) === 4, 'a good day')
    await toTomorrow(clock)
    await send(relay, 3)
    await send(relay, 1, '550-5.1.1')
    await relay.until(() => relay.logged('bounced').length === 1, 'a refusal')
    await clock.advance(61_000)
    await relay.until(() => relay.logged('warm-up-paused').length === 1, 'the pause')
    assert.match(String(relay.logged('warm-up-paused')[0]?.reason), /^25\.0 % of 4 answers were bounced$/)
    const paused = (await relay.api('GET', domain)).body
    assert.deepEqual([paused.state, paused.pause.byHand], ['paused', false])
    assert.match(paused.pause.message.ja, /恒久的な拒否/)
    await send(relay, 6)
    await relay.until(async () => (await relay.relay.store.countQueue({})).waiting === 6, 'no more on that day')
    await toTomorrow(clock)
    await relay.until(() => mailIn(sink) === 11, 'one cap lower')
    await toTomorrow(clock)
    await relay.until(() => relay.logged('warm-up-resumed').length === 1, 'going on')
    await relay.until(() => mailIn(sink) === 13, 'the rest')
    assert.equal((await relay.api('GET', domain)).body.cap, 8)
  })

  it('is resumed or ended by hand, and what waits goes at once', async () => {
    await using sink = await startSink()
    const clock = manualClock()
    await using relay = await start(sink, clock)
    await relay.api('POST', '/v1/warm-ups', { domain: 'ours.example', caps: [2] })
    await send(relay, 3)
    await relay.until(async () => (await relay.relay.store.countQueue({})).waiting === 1, 'what waits')
    assert.equal((await relay.api('DELETE', domain)).status, 204)
    await clock.advance(1000)
    await relay.settled()
    assert.equal(mailIn(sink), 3)
  })
})
