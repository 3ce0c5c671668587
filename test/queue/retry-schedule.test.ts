import assert from 'node:assert/strict'
import { nextAttemptAt } from '../../src/queue/retry-schedule.ts'

const minute = 60_000
const schedule = { now: 1_000_000, retryAfter: [2 * minute, 5 * minute, 15 * minute], jitter: 0, random: () => 0.5 }

describe('the next attempt', () => {
  for (const [attempts, minutes] of [
    [1, 2],
    [2, 5],
    [3, 15],
    [4, 15],
    [100, 15],
    [0, 2],
  ] as const)
    it(`comes ${minutes} minutes after failed attempt ${attempts}`, () => {
      assert.equal(nextAttemptAt({ ...schedule, attempts }), 1_000_000 + minutes * minute)
    })

  it('is spread by the jitter, up and down', () => {
    const at = (random: number) =>
      nextAttemptAt({ ...schedule, attempts: 1, jitter: 0.2, random: () => random }) - 1_000_000
    assert.equal(at(0), 1.6 * minute)
    assert.equal(at(0.5), 2 * minute)
    assert.ok(at(0.999999) <= 2.4 * minute && at(0.999999) > 2.39 * minute)
  })
})
