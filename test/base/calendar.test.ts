import assert from 'node:assert/strict'
import { dayAfter, openCalendar } from '../../src/base/calendar.ts'

const at = (text: string) => Date.parse(text)

describe('a calendar', () => {
  it('begins a day when the clocks of its zone say so', () => {
    const tokyo = openCalendar('Asia/Tokyo')
    assert.equal(tokyo.dayOf(at('2026-01-14T14:59:59.999Z')), '2026-01-14')
    assert.equal(tokyo.dayOf(at('2026-01-14T15:00:00Z')), '2026-01-15')
    assert.equal(tokyo.startOf('2026-01-15'), at('2026-01-14T15:00:00Z'))
    assert.equal(tokyo.nextDayAt(at('2026-01-15T03:00:00Z')), at('2026-01-15T15:00:00Z'))
  })

  it('knows days of 23 and 25 hours', () => {
    const berlin = openCalendar('Europe/Berlin')
    assert.equal(berlin.nextDayAt(berlin.startOf('2026-03-29')) - berlin.startOf('2026-03-29'), 23 * 3_600_000)
    assert.equal(berlin.nextDayAt(berlin.startOf('2026-10-25')) - berlin.startOf('2026-10-25'), 25 * 3_600_000)
  })

  it('knows days that begin at one, and midnights that come twice', () => {
    const beirut = openCalendar('Asia/Beirut')
    assert.equal(beirut.startOf('2024-03-31'), at('2024-03-30T22:00:00Z'), 'from 23:59:59 clocks go to 01:00')
    const havana = openCalendar('America/Havana')
    assert.equal(havana.dayOf(havana.startOf('2025-11-02')), '2025-11-02')
    assert.equal(havana.dayOf(havana.startOf('2025-11-02') - 1), '2025-11-01')
  })

  it('counts days over the ends of months and years', () => {
    assert.equal(dayAfter('2026-02-28', 1), '2026-03-01')
    assert.equal(dayAfter('2026-01-01', -1), '2025-12-31')
  })
})
