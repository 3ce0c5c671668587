import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { SendLimits } from '../../src/mail/sender-domain.ts'
import { type BucketState, giveBack, peek, reserve } from '../../src/policy/token-bucket.ts'

const start = Date.UTC(2026, 0, 15, 3)

/** Slots of `count` mails handed in at once, as milliseconds after `start`. */
function slots(limits: SendLimits, count: number, now = start, state: BucketState | null = null): number[] {
  const found: number[] = []
  let current = state
  for (let i = 0; i < count; i++) {
    const slot = reserve(current, limits, now)
    current = slot.state
    found.push(slot.slotAt - start)
  }
  return found
}

describe('a token bucket', () => {
  const table: [string, SendLimits, number, number[]][] = [
    ['spaces 60 a minute one second apart', { perMinute: 60 }, 4, [0, 1000, 2000, 3000]],
    ['rounds odd intervals up', { perMinute: 7 }, 3, [0, 8572, 17143]],
    ['lets an hour through at once, then one per refill', { perHour: 3 }, 5, [0, 0, 0, 1_200_000, 2_400_000]],
    ['lets a day through at once, then one per refill', { perDay: 2 }, 4, [0, 0, 43_200_000, 86_400_000]],
    ['takes the tightest window', { perMinute: 60, perHour: 2 }, 4, [0, 1000, 1_800_000, 3_600_000]],
    ['never delays without limits', {}, 3, [0, 0, 0]],
  ]
  for (const [sentence, limits, count, expected] of table) {
    it(sentence, () => assert.deepEqual(slots(limits, count), expected))
  }

  it('keeps 300 mails at 60 a minute within five minutes', () => {
    assert.equal(slots({ perMinute: 60 }, 300).at(-1), 299_000)
  })

  it('forgets idle time: no burst after a pause', () => {
    const { state } = reserve(null, { perMinute: 60 }, start)
    assert.deepEqual(slots({ perMinute: 60 }, 3, start + 600_000, state), [600_000, 601_000, 602_000])
  })

  it('shows the next slot without taking it', () => {
    const { state } = reserve(null, { perMinute: 60 }, start)
    assert.equal(peek(state, { perMinute: 60 }, start), start + 1000)
    assert.equal(peek(null, { perMinute: 60 }, start), start)
  })

  it('stands as before once slots are given back', () => {
    const limits = { perMinute: 60, perHour: 100, perDay: 500 }
    const before = reserve(null, limits, start).state
    let after = before
    for (let i = 0; i < 20; i++) after = reserve(after, limits, start).state
    assert.deepEqual(giveBack(after, limits, 20), before)
  })

  const arrivals = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 })

  function slotsOf(limits: SendLimits, gaps: readonly number[]): number[] {
    let now = start
    let state: BucketState | null = null
    return gaps.map(gap => {
      now += gap
      const slot = reserve(state, limits, now)
      state = slot.state
      assert.ok(slot.slotAt >= now)
      return slot.slotAt
    })
  }

  it('never lets more than its number into any minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), arrivals, (perMinute, gaps) => {
        const found = slotsOf({ perMinute }, gaps)
        found.forEach((slot, i) => {
          const later = found[i + perMinute]
          if (later !== undefined) assert.ok(later - slot >= 60_000)
        })
      }),
    )
  })

  it('gives slots that never go back, whatever the windows', () => {
    const limit = fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined })
    fc.assert(
      fc.property(limit, limit, limit, arrivals, (perMinute, perHour, perDay, gaps) => {
        const limits = { ...(perMinute && { perMinute }), ...(perHour && { perHour }), ...(perDay && { perDay }) }
        const found = slotsOf(limits, gaps)
        assert.deepEqual(
          found,
          found.toSorted((a, b) => a - b),
        )
      }),
    )
  })

  it('lets at most twice its number into any hour: a full bucket and its refill', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), arrivals, (perHour, gaps) => {
        const found = slotsOf({ perHour }, gaps)
        found.forEach((slot, i) => {
          const later = found[i + 2 * perHour]
          if (later !== undefined) assert.ok(later - slot >= 3_600_000)
        })
      }),
    )
  })
})
