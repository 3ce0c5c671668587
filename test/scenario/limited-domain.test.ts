import assert from 'node:assert/strict'
import { manualClock } from '../support/manual-clock.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'

describe('a domain limited to 60 a minute', () => {
  it('takes 300 mails at once and delivers one a second, while another domain is unaffected', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    await using relay = await startRelay({
      zone: sink.zone('sink.example', 'slow.example', 'free.example'),
      mxPort: sink.port,
      verified: ['slow.example', 'free.example'],
      clock,
    })
    const { status } = await relay.api('PATCH', '/v1/domains/slow.example', { limits: { perMinute: 60 } })
    assert.equal(status, 200)
    await submitMany(relay, 'slow.example', 300)
    assert.equal((await relay.relay.store.totals()).accepted, 300, 'all are accepted at once')

    await submitMany(relay, 'free.example', 20)
    await relay.until(() => countOf(relay, 'free.example') === 20, 'the other domain, without a turn of the clock')
    assert.equal(countOf(relay, 'slow.example'), 1, 'only the first slot is now')

    for (const second of [10, 60, 150, 299]) {
      await advanceTo(clock, second * 1000)
      await relay.until(() => countOf(relay, 'slow.example') >= second + 1, `${second + 1} after ${second} s`)
      assert.equal(countOf(relay, 'slow.example'), second + 1, `one a second, ${second} s after the first`)
    }
    await relay.settled()
    assert.equal(sink.messages.length, 320)
  })
})

function countOf(relay: TestRelay, senderDomain: string): number {
  return relay.logged('delivered').filter(line => line.senderDomain === senderDomain).length
}

/** As a CRM's pool does: ten connections. */
async function submitMany(relay: TestRelay, domain: string, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index)
  const submitNext = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      await relay.submit({ from: `a@${domain}`, to: [`r${number}@sink.example`] })
    }
  }
  await Promise.all(Array.from({ length: 10 }, submitNext))
}

async function advanceTo(clock: ReturnType<typeof manualClock>, ms: number): Promise<void> {
  while (clock.monotonic() < ms) await clock.advance(Math.min(500, ms - clock.monotonic()))
}
