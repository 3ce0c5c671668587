import assert from 'node:assert/strict'
import { sharedAnswer } from '../../src/admin/shared-answer.ts'
import { manualClock } from '../support/manual-clock.ts'

const counts = { total: 3, due: 1, waiting: 1, leased: 1, held: 0, oldestReceivedAt: null }

/** A store whose counting takes this long by the clock, or fails. */
function counting(tookMs = 0) {
  const clock = manualClock()
  let [asked, failures] = [0, 0]
  const countQueue = async () => {
    asked++
    await clock.advance(tookMs)
    if (failures-- > 0) throw new Error('disk')
    return counts
  }
  return {
    ...{ clock, depth: sharedAnswer(countQueue, clock) },
    asked: () => asked,
    fail() {
      failures = 1
    },
  }
}

describe('a shared answer', () => {
  it('is counted once in 15 seconds, however often it is asked for', async () => {
    const { clock, depth, asked } = counting()
    assert.deepEqual(await Promise.all([depth(), depth()]), [counts, counts])
    await clock.advance(14_999)
    await depth()
    assert.equal(asked(), 1)
    await clock.advance(1)
    await depth()
    assert.equal(asked(), 2)
  })

  it('is counted more rarely where that takes long', async () => {
    const { clock, depth, asked } = counting(600)
    await depth()
    await clock.advance(59_999)
    await depth()
    assert.equal(asked(), 1)
    await clock.advance(1)
    await depth()
    assert.equal(asked(), 2)
  })

  it('is asked for again after a failure', async () => {
    const { depth, asked, fail } = counting()
    fail()
    await assert.rejects(depth(), /disk/)
    assert.deepEqual(await depth(), counts)
    assert.equal(asked(), 2)
  })
})
