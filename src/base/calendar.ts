/**
 * Calendar days of the configuration's time zone: which day a moment lies in, and when a day begins.
 *
 * Days are written 2026-01-15, so they sort as texts. Asked again and again for the same day, it compares two numbers.
 * Knows days of 23 and 25 hours and those that begin at one o'clock. Never fails for a zone that Intl knows.
 */
import type { CalendarDay, Instant } from '../mail/ids.ts'

export interface Calendar {
  dayOf(at: Instant): CalendarDay
  /** The first moment of the day. */
  startOf(day: CalendarDay): Instant
  /** The first moment of the day after the one `at` lies in. */
  nextDayAt(at: Instant): Instant
}

const dayMs = 86_400_000

export function openCalendar(timeZone: string): Calendar {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  let known: { readonly day: CalendarDay; readonly from: Instant; readonly to: Instant } | null = null

  /** How far the zone's clocks are ahead of UTC. */
  function offsetAt(at: Instant): number {
    return Date.parse(`${format.format(at).replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000
  }

  function textOf(at: Instant): CalendarDay {
    return format.format(at).slice(0, 10)
  }

  /** Where clocks are changed at midnight, the offset of the day before or of the day itself gives its beginning. */
  function startOf(day: CalendarDay): Instant {
    const utc = Date.parse(`${day}T00:00:00Z`)
    const candidates = [utc - offsetAt(utc - dayMs), utc - offsetAt(utc + dayMs)]
    return candidates.find(at => textOf(at) === day && textOf(at - 1) < day) ?? Math.max(...candidates)
  }

  function windowOf(at: Instant) {
    if (known !== null && at >= known.from && at < known.to) return known
    const day = textOf(at)
    known = { day, from: startOf(day), to: startOf(dayAfter(day, 1)) }
    return known
  }

  return { startOf, dayOf: at => windowOf(at).day, nextDayAt: at => windowOf(at).to }
}

/** `days` may be negative. */
export function dayAfter(day: CalendarDay, days: number): CalendarDay {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}
