/**
 * Slices: as large as their time allows, with as much time for others in between.
 */
import assert from 'node:assert/strict'
import { inSlices } from '../../src/base/slices.ts'

/** Time passes only in slices, by rows, and in waiting. */
function world(rows: number, msPerRow: number) {
  let now = 0
  const limits: number[] = []
  const waits: number[] = []
  const clock = {
    monotonic: () => now,
    sleep: async (ms: number) => {
      waits.push(ms)
      now += ms
    },
  }
  const slice = async (limit: number) => {
    const done = Math.min(limit, rows)
    limits.push(limit)
    rows -= done
    now += done * msPerRow
    return done
  }
  return { clock, slice, limits, waits }
}

describe('work in slices', () => {
  it('does all of it, and leaves others as much time as each slice but the last took', async () => {
    const { clock, slice, limits, waits } = world(420, 0.1)
    assert.equal(await inSlices(slice, { clock }), 420)
    assert.deepEqual(limits, [100, 150, 150, 150])
    assert.deepEqual(waits, [10, 15, 15])
  })

  it('takes smaller slices of slow work and larger ones of fast work, within bounds', async () => {
    const slow = world(400, 10)
    await inSlices(slow.slice, slow)
    assert.deepEqual(slow.limits.slice(0, 4), [100, 50, 25, 20])
    const fast = world(2000, 0)
    await inSlices(fast.slice, fast)
    assert.deepEqual(fast.limits, [100, 200, 400, 500, 500, 500])
    assert.deepEqual(fast.waits, [])
  })

  it('ends when it is told to', async () => {
    const told = world(1000, 0.1)
    const totals: number[] = []
    const goOn = (total: number) => totals.push(total) < 2
    assert.equal(await inSlices(told.slice, { ...told, goOn }), 250)
    assert.deepEqual(totals, [100, 250])
    const stopped = world(1000, 0.1)
    assert.equal(await inSlices(stopped.slice, { ...stopped, signal: AbortSignal.abort() }), 0)
  })
})
