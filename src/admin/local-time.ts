/**
 * A moment in a sentence for people: `2026-01-15 12:00:00` in the configured time zone.
 */
import type { Instant } from '../mail/ids.ts'

/** Swedish writes dates as ISO 8601 does. */
export function localTime(at: Instant, zone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(at)
}
