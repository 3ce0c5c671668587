/**
 * How many connections an unknown site gets.
 */
import assert from 'node:assert/strict'
import { SlowStart } from '../../src/policy/slow-start.ts'

describe('a slow start', () => {
  it('makes one connection more of two messages that were taken, and has all of them after 36', () => {
    const start = new SlowStart(2, 20)
    const widths = Array.from({ length: 36 }, () => {
      start.widen(start.connections)
      return start.connections
    })
    assert.deepEqual(widths.slice(0, 6), [2, 3, 3, 4, 4, 5])
    assert.deepEqual([widths[34], widths[35], start.isOver], [19, 20, true])
  })

  it('asks for no more where what there is was not used', () => {
    const start = new SlowStart(4, 20)
    for (let n = 0; n < 100; n++) start.widen(3)
    assert.equal(start.connections, 4)
  })

  it('tells of its end once', () => {
    const start = new SlowStart(2, 3)
    assert.deepEqual(
      [1, 2, 3].map(() => start.widen(3)),
      [false, true, false],
    )
  })

  it('is over where all connections are few', () => {
    assert.deepEqual([new SlowStart(2, 1).isOver, new SlowStart(2, 1).connections], [true, 1])
  })
})
