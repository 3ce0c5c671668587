import assert from 'node:assert/strict'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { startRelay, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const minute = 60_000
const hour = 60 * minute
const from = 'sales@ours.example'

interface TimelineAttempt {
  readonly action: string
  readonly at: string
  readonly attempt: number
  readonly reply: string
  readonly signatures: readonly string[]
}

function optionsFor(sink: Sink, clock: ManualClock): TestRelayOptions {
  return {
    zone: sink.zone('sink.example', 'ours.example'),
    mxPort: sink.port,
    settings: { KITTE_QUEUE_RETRY_JITTER: '0' },
    clock,
  }
}

/** The same relay once more: its folder, its zone. */
async function restarted(relay: TestRelay, options: TestRelayOptions): Promise<TestRelay> {
  const again = await startRelay({ ...options, dataDir: await relay.stop() })
  await again.publish('ours.example')
  return again
}

async function attemptsOf(relay: TestRelay, id: string): Promise<readonly TimelineAttempt[]> {
  const { body } = await relay.api('GET', `/v1/messages/${id}`)
  return body.entries.flatMap((entry: { attempts: TimelineAttempt[] }) => entry.attempts)
}

/** Until this many attempts of the message have been settled. */
function settledAttempts(relay: TestRelay, id: string, count: number): Promise<void> {
  return relay.until(async () => (await attemptsOf(relay, id)).length >= count, `attempt ${count}`)
}

describe('a queue with deferred entries', () => {
  it('survives a restart, and is delivered when its time has come', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    const options = optionsFor(sink, clock)
    await using first = await startRelay({ ...options, verified: ['ours.example'] })
    const small = await first.submit({ from, to: [1, 2, 3].map(n => `once-451-4.7.1+${n}@sink.example`) })
    const body = `${'0123456789'.repeat(7)}\r\n`.repeat(4000)
    const raw = `From: ${from}\r\nSubject: large\r\n\r\n${body}`
    const large = await first.submit({ from, to: ['once-451-4.7.1+4@sink.example'], raw })
    await settledAttempts(first, small, 3)
    await settledAttempts(first, large, 1)

    await using second = await restarted(first, options)
    assert.equal((await second.relay.store.totals()).queued, 4)
    await clock.advance(2 * minute - 1000)
    assert.equal(sink.messages.length, 0, 'nothing before its time')
    await clock.advance(1000)
    await second.settled()
    assert.deepEqual(await second.relay.store.totals(), {
      accepted: 4,
      delivered: 4,
      bounced: 0,
      cancelled: 0,
      queued: 0,
    })
    const attempts = [...(await attemptsOf(second, small)), ...(await attemptsOf(second, large))]
    assert.deepEqual(
      attempts
        .filter(({ action }) => action === 'delivered')
        .map(({ attempt, signatures }) => [attempt, signatures.length]),
      Array.from({ length: 4 }, () => [2, 1]),
    )
    assert.ok(sink.messages.some(({ content }) => content.toString('latin1').endsWith(`\r\n\r\n${body}`)))
  })
})

/** After the first failure: the configured waits, then the last one again and again, and a last try at the end of the fourth day. */
const scheduleMinutes = [0, 2, 7, 22, 52, 112, 232, 472]
for (let next = 472 + 240; next < 96 * 60; next += 240) scheduleMinutes.push(next)
scheduleMinutes.push(96 * 60)

describe('mail that nobody takes for four days', () => {
  it('is tried at the configured waits, through restarts, announced as late once and given up as 4.4.7', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    const options = optionsFor(sink, clock)
    await using first = await startRelay({ ...options, verified: ['ours.example'] })
    const id = await first.submit({ from, to: ['451-4.2.2+full@sink.example'] })
    await settledAttempts(first, id, 1)
    await using second = await restarted(first, options)

    for (let tried = 1; scheduleMinutes[tried]! < 4 * 60; tried++) await tryNext(second, clock, id, tried)
    const delayed = () => reportsAt(sink).filter(report => /^Action: delayed\r$/m.test(report))
    await leapTo(clock, 4 * hour - 1000)
    assert.equal(delayed().length, 0, 'no notice before its time')
    await clock.advance(minute + 1000)
    await emptyBut(second, clock, 1)
    assert.equal(delayed().length, 1)
    assert.match(delayed()[0]!, /^Status: 4\.2\.2\r$/m)
    assert.match(delayed()[0]!, /^Will-Retry-Until: Mon, 19 Jan 2026 03:00:00 \+0000\r$/m)

    await using third = await restarted(second, options)
    for (let tried = 7; tried < scheduleMinutes.length; tried++) await tryNext(third, clock, id, tried)
    await emptyBut(third, clock, 0)
    const attempts = await attemptsOf(third, id)
    const began = Date.parse(attempts[0]!.at)
    assert.deepEqual(
      attempts.map(({ at }) => Math.round((Date.parse(at) - began) / minute)),
      scheduleMinutes,
    )
    const last = attempts.at(-1)!
    assert.deepEqual(
      [last.action, attempts.filter(({ action }) => action === 'deferred').length],
      ['bounced', scheduleMinutes.length - 1],
    )
    assert.match(last.reply, /^451 4\.4\.7 expired after 31 attempts in 96 h; last reply: 451 4\.2\.2 /)
    const reports = reportsAt(sink)
    assert.equal(reports.length, 2, 'one notice, one report')
    assert.match(reports[1]!, /^Action: failed\r$/m)
    assert.match(reports[1]!, /^Status: 4\.4\.7\r$/m)
    assert.match(reports[1]!, /^Final-Recipient: rfc822; ?451-4\.2\.2\+full@sink\.example\r$/m)
  })
})

function reportsAt(sink: Sink): string[] {
  return sink.messages
    .filter(({ reversePath }) => reversePath === null)
    .map(({ content }) => content.toString('latin1'))
}

/** The next attempt comes at its moment and not a second before. */
async function tryNext(relay: TestRelay, clock: ManualClock, id: string, tried: number): Promise<void> {
  await leapTo(clock, scheduleMinutes[tried]! * minute - 1000)
  assert.equal((await attemptsOf(relay, id)).length, tried)
  await clock.advance(2000)
  await settledAttempts(relay, id, tried + 1)
}

/** Reports are sent, which takes seconds of the clock. */
async function emptyBut(relay: TestRelay, clock: ManualClock, queued: number): Promise<void> {
  const isSo = async () => {
    await clock.advance(1000)
    return (await relay.relay.store.totals()).queued === queued
  }
  await relay.until(isSo, `${queued} in the queue`)
}

async function leapTo(clock: ManualClock, ms: number): Promise<void> {
  await clock.leap(ms - clock.monotonic())
}
