/**
 * One customer's trouble at a large receiver is nobody else's: Gmail's "unusual rate … your DKIM domain", seen end to end.
 */
import assert from 'node:assert/strict'
import { manualClock } from '../support/manual-clock.ts'
import { startRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'

const tooMuch =
  '421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\r\n' +
  '421 4.7.28 from your DKIM domain [flood.example 36]. Your mail has been rate limited.'

describe('a receiver that has enough of one sender domain', () => {
  it('gets the mail of all others, and that domain’s later and slowly', async () => {
    const clock = manualClock()
    let isFlooded = true
    await using sink = await startSink({
      refuse: reversePath => (isFlooded && reversePath?.endsWith('@flood.example') ? tooMuch : null),
    })
    await using relay = await startRelay({
      ...{ zone: sink.zone('big.example', 'ours.example', 'flood.example'), mxPort: sink.port, clock },
      verified: ['ours.example', 'flood.example'],
    })
    const flood = () => relay.submit({ from: 'a@flood.example', to: ['b@big.example'] })
    const first = await flood()
    await relay.until(() => relay.logged('sender-slowed').length === 1, 'the sender domain to be slowed')
    const [line] = relay.logged('sender-slowed')
    assert.deepEqual([line!.site, line!.senderDomain, line!.perMinute], ['mx.big.example', 'flood.example', 6])
    assert.match(String(line!.reply), /^421 4\.7\.28 /)
    await relay.until(() => relay.logged('deferred').length === 1, 'its mail to be deferred')

    await relay.submit({ from: 'a@ours.example', to: ['b@big.example'] })
    await relay.until(() => relay.logged('delivered').length === 1, 'the mail of another')
    assert.deepEqual([relay.logged('site-closed'), relay.logged('limits-changed')], [[], []])

    const second = await flood()
    await relay.until(async () => {
      const { body } = await relay.api('GET', `/v1/queue?message=${second}`)
      return /only mail of that domain rests/.test(body.entries[0]?.waitMessage?.en)
    }, 'the second to wait')
    const { body } = await relay.api('GET', '/v1/limits/sites')
    const { slowedSenders, adapted, closedUntil } = body.sites[0]
    assert.deepEqual([slowedSenders[0].domain, slowedSenders[0].perMinute], ['flood.example', 6])
    assert.deepEqual([adapted, closedUntil], [null, null])

    isFlooded = false
    for (let minutes = 0; minutes < 30 && relay.logged('delivered').length < 3; minutes++) {
      await clock.advance(60_000)
      // An attempt under way would take the next minute for silence.
      await relay.until(async () => {
        const { counts } = (await relay.api('GET', '/v1/queue')).body
        return counts.due + counts.leased === 0
      }, 'what is due to have gone')
    }
    const late = relay.logged('delivered').slice(1)
    assert.deepEqual(new Set(late.map(({ message }) => message)), new Set([first, second]))
    assert.equal(relay.logged('sender-slowed').length, 1)
  })

  it('is known after a restart, and the mail says why it waits', async () => {
    const clock = manualClock()
    await using sink = await startSink({ refuse: () => tooMuch })
    const world = {
      ...{ zone: sink.zone('big.example', 'flood.example'), mxPort: sink.port, clock },
      verified: ['flood.example'],
    }
    const first = await startRelay(world)
    await first.submit({ from: 'a@flood.example', to: ['b@big.example'] })
    await first.until(() => first.logged('deferred').length === 1, 'its mail to be deferred')
    const id = await first.submit({ from: 'a@flood.example', to: ['b@big.example'] })
    await first.until(async () => {
      const { body } = await first.api('GET', `/v1/queue?message=${id}`)
      return body.entries[0]?.waitReason === 'noted'
    }, 'the second to wait')
    const dataDir = await first.stop()

    await clock.advance(10_000)
    await using relay = await startRelay({ ...world, verified: [], dataDir })
    const { waitMessage } = (await relay.api('GET', `/v1/messages/${id}`)).body.entries[0]
    assert.match(
      waitMessage.en,
      /said: 421 4\.7\.28 .* It rests until 2026-01-15 12:01:\d\d; then 6 a minute may go\.$/,
    )
    assert.match(waitMessage.ja, /421 4\.7\.28 .*まで休止し、その後は毎分6通までです。$/)
  })
})
