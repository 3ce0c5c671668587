import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { Claims } from '../../src/queue/claim.ts'
import type { ClaimRequest, LeasedEntry } from '../../src/store/store.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { manualClock } from '../support/manual-clock.ts'

/** A queue of entries that are due at their moments. */
function claimsOver(dueAt: number[], options: { room?: () => number; fail?: () => boolean } = {}) {
  const clock = manualClock(0)
  const taken: number[] = []
  let asked = 0
  const store = {
    async claim({ now, limit }: ClaimRequest): Promise<readonly LeasedEntry[]> {
      asked++
      if (options.fail?.()) throw new Error('locked')
      const due = dueAt.filter(at => at <= now).slice(0, limit)
      dueAt.splice(0, dueAt.length, ...dueAt.filter(at => at > now), ...dueAt.filter(at => at <= now).slice(limit))
      return due.map(() => makeLeased(makeMessage()))
    },
    nextDueAt: async () => (dueAt.length === 0 ? null : Math.min(...dueAt)),
  }
  const claims = new Claims({
    store,
    clock,
    log: silentLog,
    lease: () => ({ owner: 'node-1/0', until: clock.now() + 1 }),
    room: options.room ?? (() => 1000),
    take: entries => void taken.push(...entries.map(() => clock.now())),
  })
  return { clock, claims, taken, dueAt, asked: () => asked }
}

describe('claims', () => {
  it('take what is due at its moment, and sleep in between', async () => {
    const { clock, claims, taken, asked } = claimsOver([0, 5000, 60_000])
    claims.wake()
    await clock.advance(100_000)
    assert.deepEqual(taken, [0, 5000, 60_000])
    assert.equal(asked(), 3)
    assert.equal(clock.waiting, 0)
    await claims.stop()
  })

  it('take a long backlog in rounds, as far as there is room', async () => {
    let room = 450
    const { clock, claims, taken, dueAt } = claimsOver(new Array(600).fill(0), { room: () => room - taken.length })
    claims.wake()
    await clock.advance(1000)
    assert.equal(taken.length, 450)
    room = 1000
    claims.roomFreed()
    await clock.advance(1000)
    assert.equal(taken.length, 600)
    assert.equal(dueAt.length, 0)
    await claims.stop()
  })

  it('wake earlier when told so', async () => {
    const { clock, claims, taken, dueAt } = claimsOver([60_000])
    claims.wake()
    await clock.advance(1000)
    dueAt.push(3000)
    claims.waiting(3000)
    await clock.advance(10_000)
    assert.deepEqual(taken, [3000])
    await claims.stop()
    assert.equal(clock.waiting, 0)
  })

  it('are not asked for more often than 50 times a second, however often they are woken', async () => {
    const { clock, claims, asked } = claimsOver([])
    for (let n = 0; n < 1000; n++) {
      claims.wake()
      await clock.advance(1)
    }
    assert.ok(asked() <= 51, `asked ${asked()} times`)
    await claims.stop()
  })

  it('go on after an error', async () => {
    let fail = true
    const { clock, claims, taken } = claimsOver([0], { fail: () => fail })
    claims.wake()
    await clock.advance(500)
    fail = false
    await clock.advance(1000)
    assert.deepEqual(taken, [1000])
    await claims.stop()
  })

  it('end with a stop, which waits for the one under way', async () => {
    const { clock, claims, taken, dueAt } = claimsOver([0])
    claims.wake()
    await claims.stop()
    assert.equal(taken.length, 1)
    dueAt.push(0)
    claims.wake()
    await clock.advance(1000)
    assert.equal(taken.length, 1)
  })
})
