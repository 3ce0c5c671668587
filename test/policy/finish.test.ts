import assert from 'node:assert/strict'
import type { WarmUp } from '../../src/mail/warm-up.ts'
import { type Backlog, daysToCome, finishOf } from '../../src/policy/finish.ts'

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

  const day = 24 * 60 * minute
  const tomorrow = now + day / 2
  const standing = { state: 'running', step: 1, day: '2026-01-15', taken: 0, pause: null, trustedOn: null } as const
  const warmUp: WarmUp = {
    ...{ kind: 'domain', name: 'ours.example', account: null, plan: 'own', caps: [100, 200, 400, 800] },
    ...{ startsOn: '2026-01-14', createdAt: 0, ...standing },
  }
  const inDays = (of: WarmUp, leftToday: number, count: number) => {
    const { doneAt, limitedBy } = finishOf(backlog({ count, warmUp: daysToCome(of, leftToday, tomorrow) }), now)
    return limitedBy === 'warm-up' ? 1 + (doneAt! - tomorrow) / day : 0
  }

  it('is the beginning of the day on which the caps of a warm-up, which rise, let the last leave', () => {
    const found = [200, 201, 600, 601, 1400, 1401, 9000].map(count => inDays(warmUp, 200, count))
    assert.deepEqual(found, [0, 1, 1, 2, 2, 3, 3], 'the plan is done on the third')
  })

  it('counts on one cap lower after trouble, and on no more while somebody keeps it paused', () => {
    const trouble = { kind: 'bounced', share: 0.2, of: 100 } as const
    const paused = { ...warmUp, pause: { since: '2026-01-15', trouble } }
    assert.deepEqual(
      [1, 100, 101, 300, 301].map(count => inDays(paused, 0, count)),
      [1, 1, 2, 2, 3],
    )
    const byHand = { ...warmUp, pause: { since: '2026-01-15', trouble: null } }
    assert.deepEqual(
      [100, 101, 1000].map(count => inDays(byHand, 0, count)),
      [1, 2, 10],
    )
  })
})
