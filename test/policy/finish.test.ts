import assert from 'node:assert/strict'
import { type Backlog, finishOf } from '../../src/policy/finish.ts'

const now = 1_700_000_000_000
const minute = 60_000
const backlog = (change: Partial<Backlog>): Backlog => ({
  ...{ count: 1000, lastDueAt: now - 1, perMinute: null, warmUp: null, ...change },
})

describe('when what waits will be done', () => {
  it('is not told where all is due and nothing limits it', () => {
    assert.deepEqual(finishOf(backlog({}), now), { doneAt: null, limitedBy: 'none' })
  })

  it("is the last slot, or later where the site's rate needs longer", () => {
    const slots = backlog({ lastDueAt: now + 5 * minute })
    assert.deepEqual(finishOf(slots, now), { doneAt: now + 5 * minute, limitedBy: 'slots' })
    const paced = { ...slots, perMinute: 100 }
    assert.deepEqual(finishOf(paced, now), { doneAt: now + 10 * minute, limitedBy: 'site-rate' })
  })

  it('counts the days of a warm-up by the cap of today', () => {
    const day = 24 * 60 * minute
    const of = (leftToday: number) => finishOf(backlog({ warmUp: { leftToday, cap: 400 } }), now)
    assert.deepEqual(of(1000), { doneAt: null, limitedBy: 'none' })
    assert.deepEqual(of(200), { doneAt: now + 2 * day, limitedBy: 'warm-up' })
    assert.deepEqual(of(0), { doneAt: now + 3 * day, limitedBy: 'warm-up' })
  })
})
