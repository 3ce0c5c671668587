/**
 * Mail held back by its site says which limit it waits for, since when, because of what, and until when.
 */
import assert from 'node:assert/strict'
import { manualClock } from '../support/manual-clock.ts'
import { type Json, startRelay } from '../support/relay.ts'
import { startSink } from '../support/sink.ts'

const from = 'a@ours.example'
const minute = 60_000

describe('mail that its site holds back', () => {
  it('says what closed the site, until when and how often, wherever it is', async () => {
    const clock = manualClock()
    await using sink = await startSink({ fault: { phase: 'banner', kind: '421' } })
    await using relay = await startRelay({
      ...{ zone: sink.zone('busy.example', 'ours.example'), mxPort: sink.port, clock, verified: ['ours.example'] },
      settings: { KITTE_QUEUE_RETRY_AFTER: '[10m]', KITTE_QUEUE_RETRY_JITTER: '0' },
    })
    const iso = (ms: number) => new Date(clock.now() + ms).toISOString()
    const closings = () => relay.logged('site-closed').length
    const entryOf = async (id: string): Promise<Json> =>
      (await relay.api('GET', `/v1/queue?message=${id}`)).body.entries[0]
    const waiting = (id: string) =>
      relay.until(async () => (await entryOf(id))?.waitSite?.limit === 'closed', 'it to wait for its site')

    const tried = await relay.submit({ from, to: ['b@busy.example'] })
    await relay.until(() => closings() === 1, 'the site to be closed')
    const untried = await relay.submit({ from, to: ['c@busy.example'] })
    await waiting(untried)
    await waiting(tried)
    const { waitReason, waitSite } = await entryOf(untried)
    const { message, ...facts } = waitSite
    assert.deepEqual(
      [waitReason, facts],
      [
        'site',
        {
          ...{ site: 'mx.busy.example', shared: null, limit: 'closed', now: 0, rule: 20, times: 1, before: 0 },
          ...{ since: iso(0), mayGoAt: iso(minute), reply: relay.logged('site-closed')[0]!.reply },
          class: relay.logged('site-closed')[0]!.class,
        },
      ],
    )
    assert.match(message.ja, /まで休止しています/)
    const retried = await entryOf(tried)
    assert.equal(retried.waitReason, 'retry')
    assert.match(retried.waitMessage.en, /^It waits for its next try .*Nothing goes to mx\.busy\.example until/)
    const { body: story } = await relay.api('GET', `/v1/messages/${untried}`)
    assert.deepEqual(story.entries[0].waitSite, waitSite)

    await clock.advance(1.2 * minute)
    await relay.until(() => closings() === 2, 'the trial to fail')
    const { body } = await relay.api('GET', '/v1/limits/sites')
    const { closed } = body.sites.find(({ site }: Json) => site === 'mx.busy.example')
    assert.deepEqual([closed.times, closed.host], [2, 'mx.busy.example'])
    assert.ok(Date.parse(closed.until) > clock.now())
    for (const text of [closed.classMessage, closed.next, closed.opens]) assert.ok(text.ja && text.en)
  })

  it('says of a rate what it is, in memory and in the queue', async () => {
    const clock = manualClock()
    await using sink = await startSink()
    await using relay = await startRelay({
      ...{ zone: sink.zone('slow.example', 'ours.example'), mxPort: sink.port, clock, verified: ['ours.example'] },
      settings: {
        KITTE_SITES: JSON.stringify([
          { suffix: 'slow.example', connections: 5, messagesPerConnection: 100, perMinute: 1 },
          { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null },
        ]),
      },
    })
    for (let n = 0; n < 8; n++) await relay.submit({ from, to: [`r${n}@slow.example`] })
    await relay.until(() => relay.logged('delivered').length === 1, 'the first')
    let entries: Json[] = []
    await relay.until(async () => {
      entries = (await relay.api('GET', '/v1/queue')).body.entries
      return entries.length === 7 && entries.every(({ waitReason }) => waitReason === 'site-limit')
    }, 'the others to wait for the rate')
    assert.deepEqual(new Set(entries.map(({ state }) => state)), new Set(['leased', 'due']))
    for (const { waitSite } of entries) {
      assert.deepEqual([waitSite.limit, waitSite.now, waitSite.rule, waitSite.reply], ['per-minute', 1, 1, null])
      assert.ok(Date.parse(waitSite.mayGoAt) > clock.now())
    }
  })
})
