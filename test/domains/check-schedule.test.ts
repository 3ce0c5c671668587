import assert from 'node:assert/strict'
import { nextCheckAt } from '../../src/domains/check-schedule.ts'
import type { Check } from '../../src/mail/sender-domain.ts'
import { domainWith } from './domain-with.ts'

const minute = 60_000
const times = {
  checkFirst: 5 * minute,
  checkSlowest: 360 * minute,
  checkPublished: 1440 * minute,
  lostGrace: 0,
  keepArchived: 0,
}
const now = 1_000_000 * minute

function domainCheckedAt(checkedAt: number, nextAt: number) {
  const check: Check = {
    purpose: 'spf',
    name: 'x',
    state: 'not-published',
    reason: 'absent',
    found: [],
    detail: {},
    checkedAt,
  }
  return domainWith({ checks: [check], nextCheckAt: nextAt })
}

describe('the next check of a domain', () => {
  const minutesAfter = (lastWait: number, complete: boolean, changed: boolean) =>
    (nextCheckAt(domainCheckedAt(now - lastWait, now), { complete, changed }, times, now) - now) / minute

  it('comes soon after the first', () => {
    assert.equal((nextCheckAt(domainWith({}), { complete: false, changed: true }, times, now) - now) / minute, 5)
  })

  it('waits half as long again each time, up to a bound', () => {
    const waits = [5]
    while (waits.at(-1)! < 360) waits.push(minutesAfter(waits.at(-1)! * minute, false, false))
    assert.deepEqual(waits.slice(0, 4), [5, 7.5, 11.25, 16.875])
    assert.equal(waits.at(-1), 360)
    assert.equal(minutesAfter(360 * minute, false, false), 360)
  })

  it('comes soon again when something changed', () => {
    assert.equal(minutesAfter(200 * minute, false, true), 5)
  })

  it('comes daily once all is published', () => {
    assert.equal(minutesAfter(5 * minute, true, true), 1440)
  })

  it('does not come faster because somebody asked in between', () => {
    const asked = domainCheckedAt(now - 10 * minute, now + 50 * minute)
    assert.equal((nextCheckAt(asked, { complete: false, changed: false }, times, now) - now) / minute, 90)
  })
})
