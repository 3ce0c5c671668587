/**
 * Who goes first, and when: priorities under a limit, mail for later, and a day's limit over midnight and a restart.
 */
import assert from 'node:assert/strict'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { startRelay, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { type Sink, startSink } from '../support/sink.ts'

const hour = 3_600_000
const from = 'sales@ours.example'

function optionsFor(sink: Sink, clock: ManualClock): TestRelayOptions {
  return { zone: sink.zone('sink.example', 'ours.example'), mxPort: sink.port, clock }
}

function submit(relay: TestRelay, to: string, header = ''): Promise<string> {
  return relay.submit({ from, to: [to], raw: `${header}From: ${from}\r\nSubject: hello\r\n\r\nhello\r\n` })
}

/** As a CRM's pool does: some at once. */
async function submitMany(relay: TestRelay, count: number, header = ''): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n)
  const next = async (): Promise<void> => {
    for (let n = numbers.shift(); n !== undefined; n = numbers.shift())
      await submit(relay, `r${n}@sink.example`, header)
  }
  await Promise.all(Array.from({ length: 5 }, next))
}

const delivered = (relay: TestRelay) => relay.logged('delivered').map(({ recipient }) => String(recipient))

describe('a password mail behind a mailing of its own account', () => {
  it('leaves with the next slot of their limit, and the mailing goes on at its pace', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    await using relay = await startRelay({ ...optionsFor(sink, clock), verified: ['ours.example'] })
    await relay.api('PATCH', '/v1/domains/ours.example', { limits: { perMinute: 60 } })
    await submitMany(relay, 30, 'List-Unsubscribe: <https://ours.example/u>\r\n')
    await relay.until(() => delivered(relay).length === 1, 'the first of the mailing')
    const id = await submit(relay, 'password@sink.example', 'X-Kitte-Priority: transactional\r\n')
    const { body } = await relay.api('GET', `/v1/messages/${id}`)
    assert.deepEqual([body.priority, body.entries[0].waitReason], ['transactional', 'limit'])
    assert.equal((await relay.api('GET', '/v1/queue?priority=bulk')).body.counts.total, 29)
    for (let second = 1; second <= 30; second++) {
      await clock.advance(1000)
      await relay.until(() => delivered(relay).length >= second + 1, `${second + 1} mails`)
      assert.equal(delivered(relay).length, second + 1)
    }
    assert.equal(delivered(relay)[1], 'password@sink.example')
    assert.doesNotMatch(sink.messages.map(({ content }) => String(content)).join(), /X-Kitte/)
  })
})

describe('mail for later', () => {
  it('goes out when it was to, or earlier, later or never, as an operator says, also after a restart', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    const options = optionsFor(sink, clock)
    await using first = await startRelay({ ...options, verified: ['ours.example'] })
    const at = (hours: number) => new Date(clock.now() + hours * hour).toISOString()
    const header = `X-Kitte-Send-At: ${at(10)}\r\n`
    const ids: Record<string, string> = {}
    for (const name of ['plain', 'early', 'late', 'never', 'now'])
      ids[name] = await submit(first, `${name}@sink.example`, header)
    await first.api('POST', '/v1/queue/reschedule', { filter: { message: ids.early }, sendAt: at(5) })
    await first.api('POST', '/v1/queue/reschedule', { filter: { message: ids.late }, sendAt: at(20) })
    await first.api('POST', '/v1/queue/cancel', { filter: { message: ids.never } })
    assert.equal((await first.api('POST', '/v1/queue/retry', { all: true })).body.changed, 0)
    await first.api('POST', '/v1/queue/retry', { filter: { message: ids.now } })
    await clock.advance(1000)
    await first.until(() => delivered(first).length === 1, 'what is sent now')

    await using second = await startRelay({ ...options, dataDir: await first.stop() })
    await second.publish('ours.example')
    const sent = async (hours: number, names: readonly string[]) => {
      await clock.leap(hours * hour)
      await second.until(() => delivered(second).length === names.length, names.join())
      assert.deepEqual(
        delivered(second),
        names.map(name => `${name}@sink.example`),
      )
    }
    await sent(4.9, [])
    await sent(0.1, ['early'])
    await sent(4.9, ['early'])
    await sent(0.1, ['early', 'plain'])
    await sent(10, ['early', 'plain', 'late'])
    assert.equal((await second.relay.store.totals()).cancelled, 1)
    assert.deepEqual(
      sink.messages.map(({ recipients }) => recipients[0]),
      ['now', 'early', 'plain', 'late'].map(name => `${name}@sink.example`),
    )
  })
})

describe('a limit of 24 mails a day', () => {
  it('knows no midnight and no restart: what is used comes back hour by hour', async () => {
    // 14:00 in UTC, 23:00 in Tokyo: both midnights are passed.
    const clock = manualClock(Date.UTC(2026, 0, 15, 14, 0, 0))
    await using sink = await startSink()
    const options = optionsFor(sink, clock)
    let relay = await startRelay({ ...options, verified: ['ours.example'] })
    try {
      await relay.api('PATCH', '/v1/domains/ours.example', { limits: { perDay: 24 } })
      await submitMany(relay, 48)
      // Senders are told of delays meanwhile.
      const sent = () => sink.messages.filter(({ recipients }) => recipients[0]?.endsWith('@sink.example')).length
      await relay.until(() => sent() === 24, 'a full day at once')
      for (let passed = 1; passed <= 24; passed++) {
        await clock.leap(hour)
        if (passed % 9 === 0) {
          relay = await startRelay({ ...options, dataDir: await relay.stop() })
          await relay.publish('ours.example')
        }
        await relay.until(() => sent() >= 24 + passed, `${24 + passed} after ${passed} hours`)
        assert.equal(sent(), 24 + passed, `${passed} hours after the first`)
      }
      await relay.settled()
    } finally {
      await relay[Symbol.asyncDispose]()
    }
  })
})
