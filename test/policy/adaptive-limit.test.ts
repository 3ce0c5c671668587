/**
 * How a limit that a receiver teaches goes down and comes back.
 */
import assert from 'node:assert/strict'
import {
  type AdaptedLimit,
  divided,
  isForgotten,
  isJustLowered,
  lowered,
  raisedCount,
  raisedRate,
  resumed,
} from '../../src/policy/adaptive-limit.ts'

const minute = 60_000
const hour = 60 * minute

/** What it is after each of so many minutes with success. */
function minutesOf(start: AdaptedLimit, count: number, raise: typeof raisedRate, top = 6000): number[] {
  let limit: AdaptedLimit | null = start
  return Array.from({ length: count }, (_, n) => {
    if (limit !== null) limit = raise(limit, top, (n + 1) * minute)
    return limit?.value ?? top
  })
}

describe('a limit that was lowered', () => {
  it('is never less than one', () => {
    assert.equal(lowered(null, { refusedAt: 1, value: 0.4 }, 0).value, 1)
  })

  it('comes back quickly while it was refused only once', () => {
    const first = lowered(null, { refusedAt: 60, value: 42 }, 0)
    assert.deepEqual(minutesOf(first, 4, raisedRate), [53, 67, 84, 105])
  })

  it('comes back to nine tenths of what was refused twice, and waits there', () => {
    const first = lowered(null, { refusedAt: 60, value: 42 }, -hour)
    const second = lowered(first, { refusedAt: 60, value: 42 }, 0)
    assert.deepEqual(minutesOf(second, 14, raisedRate), [45, 48, 51, 54, 54, 54, 54, 54, 54, 54, 54, 54, 54, 57])
  })

  it('waits twice as long after each refusal near the same value', () => {
    let limit: AdaptedLimit | null = null
    for (const hours of [-4, -3, -2, 0]) limit = lowered(limit, { refusedAt: 60, value: 54 }, hours * hour)
    assert.equal(limit?.refusals, 4)
    const values = minutesOf(limit!, 41, raisedRate)
    assert.deepEqual([values[38], values[39]], [54, 57])
  })

  it('waits ten times the pause that the last refusal cost, if that is longer', () => {
    const first = lowered(null, { refusedAt: 60, value: 54 }, -hour)
    const second = resumed(lowered(first, { refusedAt: 60, value: 54 }, -5 * minute), 0)
    assert.equal(second.pausedMs, 5 * minute)
    const values = minutesOf(second, 50, raisedRate)
    assert.deepEqual([values[48], values[49]], [54, 57])
    assert.deepEqual(resumed(first, first.loweredAt + minute), first, 'a minute is no pause')
  })

  it('takes what comes within the same minute for one refusal', () => {
    const first = lowered(null, { refusedAt: 20, value: 19 }, 0)
    const next = lowered(first, { refusedAt: 19, value: 18 }, 1000)
    assert.deepEqual([next.refusals, next.value], [1, 18])
  })

  it('is no limit any more at the top', () => {
    const first = lowered(null, { refusedAt: 60, value: 90 }, 0)
    assert.equal(raisedRate(first, 100, minute), null)
    assert.equal(raisedRate(first, 100, minute - 1), first, 'not before its time')
  })

  it('lets one more connection in at a time, waits before the one that was refused, and is quick beyond it', () => {
    const limit = lowered(null, { refusedAt: 6, value: 3 }, 0)
    assert.deepEqual(minutesOf(limit, 13, raisedCount, 20), [4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 8])
  })

  it('forgets a refusal that it has left well behind', () => {
    let limit: AdaptedLimit | null = lowered(null, { refusedAt: 100, value: 70 }, -hour)
    limit = lowered(limit, { refusedAt: 100, value: 120 }, 0)
    assert.equal(limit.refusals, 2)
    limit = raisedRate(limit, 6000, hour)
    assert.deepEqual([limit?.value, limit?.refusals], [150, 1])
  })

  it('is raised, lowered and forgotten all the same when the clock was ahead and has been put right', () => {
    const ahead = lowered(null, { refusedAt: 100, value: 70 }, 5 * hour)
    assert.equal(isJustLowered(ahead, 0), false)
    assert.equal(raisedRate(ahead, 6000, 0)!.value, 88)
    assert.equal(raisedRate(raisedRate(ahead, 6000, 0)!, 6000, minute - 1)!.value, 88, 'one step a minute')
    assert.equal(isForgotten(lowered(null, { refusedAt: 100, value: 70 }, 1000 * hour), 0), true)
  })

  it('is forgotten after a day', () => {
    const limit = lowered(null, { refusedAt: 60, value: 42 }, 0)
    assert.deepEqual([isForgotten(limit, 24 * hour - 1), isForgotten(limit, 24 * hour)], [false, true])
  })

  it('is divided anew among another number of workers', () => {
    const limit = lowered(null, { refusedAt: 60, value: 42 }, 0)
    const parts = (count: number) => Array.from({ length: count }, (_, number) => divided([limit], 1, count, number))
    assert.deepEqual(
      parts(4).map(({ value, refusedAt }) => [value, refusedAt]),
      [
        [11, 15],
        [11, 15],
        [10, 15],
        [10, 15],
      ],
    )
    assert.ok(parts(50).every(({ value }) => value === 1))
  })
})
