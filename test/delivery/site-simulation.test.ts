/**
 * How delivery meets receivers of many kinds, hours of them, counted. `node scripts/simulate-sites.ts` prints the numbers.
 */
import assert from 'node:assert/strict'
import { cases, judge } from '../support/site-cases.ts'
import { simulate } from '../support/site-simulation.ts'

describe('a receiver', () => {
  for (const one of cases)
    it(`that is like this is soon understood: ${one.name}`, async () => {
      const judged = judge(one, await simulate(one))
      const told = JSON.stringify(judged)
      assert.ok(judged.first <= one.most, told)
      assert.ok(judged.share >= (one.share ?? 0.8), told)
      if (one.recovers !== undefined) assert.ok(judged.recovery !== null && judged.recovery <= one.recovers, told)
    })

  it('that greylists loses no connection and gets no rate for it', async () => {
    const greylisting = cases.find(({ name }) => name.startsWith('greylists'))!
    const { sites } = await simulate({ ...greylisting, minutes: 7 })
    assert.deepEqual(
      sites.map(({ limits }) => [limits.connections, limits.perMinute, limits.learned]),
      [[5, null, null]],
    )
  })
})
