/**
 * What is told of when mail will be done, and when it is: real store and dispatch, a clock that is turned by hand.
 */
import assert from 'node:assert/strict'
import { openCalendar } from '../../src/base/calendar.ts'
import { daysToCome, finishOf } from '../../src/policy/finish.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { scriptedTransport } from '../support/scripted-transport.ts'
import { startWorker, type Worker } from '../support/worker.ts'

const zone = { 'one.example': { MX: [[10, 'mx.one.example']] }, 'mx.one.example': { A: ['127.0.0.1'] } } as const
const minute = 60_000
const noonInTokyo = Date.UTC(2026, 0, 15, 3)
const rule = { suffix: '', connections: 20, messagesPerConnection: 100 }
const perMinute = (limit: number) => [{ key: 'account:account-1', limits: { perMinute: limit } }]

async function waiting({ store }: Worker) {
  const [group] = await store.finishBy('senderDomain', {}, 1)
  return { count: group?.count ?? 0, lastDueAt: group?.lastDueAt ?? 0 }
}

/** The moment at which so many are delivered. */
async function doneAt(worker: Worker, clock: ManualClock, count: number, stepMs: number): Promise<number> {
  await worker.until(async () => {
    if ((await worker.store.totals()).delivered === count) return true
    await clock.advance(stepMs)
    return false
  })
  return clock.now()
}

function assertWithinTenth(told: number, found: number, from: number): void {
  const share = (told - from) / (found - from)
  assert.ok(share > 0.9 && share < 1.1, `told ${(told - from) / minute} min, found ${(found - from) / minute} min`)
}

describe('the moment that is told for the end of what waits', () => {
  it('is right within a tenth where send limits, priorities and the rate of a site meet', async () => {
    for (const [slots, rate] of [
      [30, 60],
      [600, 60],
    ] as const) {
      const clock = manualClock(noonInTokyo)
      const sites = [{ ...rule, perMinute: rate }]
      await using worker = await startWorker({ zone, clock, sites, transport: scriptedTransport({}) })
      const from = clock.now()
      const mail = { to: ['r@one.example'], limits: perMinute(slots), fresh: false }
      for (let n = 0; n < 110; n++) await worker.submit({ ...mail, priority: 'bulk' })
      for (let n = 0; n < 10; n++) await worker.submit({ ...mail, priority: 'transactional' })
      const told = finishOf(
        { count: 120, lastDueAt: (await waiting(worker)).lastDueAt, perMinute: rate, warmUp: null },
        from,
      )
      assertWithinTenth(told.doneAt!, await doneAt(worker, clock, 120, 1000), from)
    }
  })

  it('is right within a tenth under the rising caps of a warm-up', async () => {
    const clock = manualClock(noonInTokyo)
    await using worker = await startWorker({ zone, clock, transport: scriptedTransport({}) })
    const stand = { state: 'running', step: 0, day: null, taken: 0, pause: null, trustedOn: null } as const
    const of = { kind: 'domain', name: 'ours.example' } as const
    const caps = [10, 20, 40]
    await worker.store.createWarmUp({
      ...of,
      ...stand,
      account: null,
      plan: 'own',
      caps,
      startsOn: '2026-01-15',
      createdAt: 0,
    })
    for (let n = 0; n < 5; n++)
      await worker.submit({ to: Array.from({ length: 13 }, (_, r) => `r${n}-${r}@one.example`) })
    await worker.until(async () => (await worker.store.totals()).delivered === 10)
    const warmUp = (await worker.store.warmUp(of))!
    const from = clock.now()
    const nextDayAt = openCalendar(worker.config.timeZone).nextDayAt(from)
    const told = finishOf(
      { count: 55, lastDueAt: from, perMinute: null, warmUp: daysToCome(warmUp, 0, nextDayAt) },
      from,
    )
    assert.equal(told.limitedBy, 'warm-up')
    assertWithinTenth(told.doneAt!, await doneAt(worker, clock, 65, 10 * minute), from)
  })
})
