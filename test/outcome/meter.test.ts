import assert from 'node:assert/strict'
import { Histogram } from '../../src/base/histogram.ts'
import type { OutcomeClass } from '../../src/mail/outcome.ts'
import { Meter, sumOfMeters } from '../../src/outcome/meter.ts'
import { newMessage, outcome } from '../store/fixtures.ts'

describe('a histogram', () => {
  it('counts each in the first bucket that holds it, and what is beyond all in the last', () => {
    const histogram = new Histogram([1, 5])
    for (const seconds of [0, 1, 1.001, 5, 6, 600]) histogram.observe(seconds)
    const { bounds, counts, sum } = histogram.reading
    assert.deepEqual(
      [bounds, counts],
      [
        [1, 5],
        [2, 2, 2],
      ],
    )
    assert.ok(Math.abs(sum - 613.001) < 1e-9)
  })
})

describe('a meter', () => {
  it('counts outcomes by action and class, and refusals by status', () => {
    const meter = new Meter()
    const { message } = newMessage({ now: 1000 })
    const settle = (action: 'deferred' | 'delivered', at: number, why: OutcomeClass) =>
      meter.settled(outcome(`${message.id}.0`, action, at, { class: why }), message)
    settle('deferred', 2000, 'rate')
    settle('deferred', 3000, 'rate')
    settle('delivered', 61_000, 'none')
    meter.refused('550 5.7.1 not yours')
    meter.refused('550 5.7.1 another text')
    meter.refused('451 no enhanced status')
    const { outcomes, refusals, delivery } = meter.reading
    assert.deepEqual(outcomes, { 'deferred rate': 2, 'delivered none': 1 })
    assert.deepEqual(refusals, { '550 5.7.1': 2, '451': 1 })
    assert.equal(delivery.sum, 60)
  })

  it('is added to those of other threads', () => {
    const [one, other] = [new Meter(), new Meter()]
    one.accepted(4)
    other.accepted(6)
    other.refused('550 5.7.1 x')
    const { accept, refusals } = sumOfMeters([one.reading, other.reading])
    assert.equal(accept.counts[accept.bounds.indexOf(0.005)], 1)
    assert.equal(accept.counts[accept.bounds.indexOf(0.01)], 1)
    assert.deepEqual(refusals, { '550 5.7.1': 1 })
  })
})
