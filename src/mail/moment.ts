/**
 * Reads a moment as a person or a program writes it: RFC 3339, or the date-time of RFC 5322 §3.3.
 *
 * A zone is asked for: without one, nine in the morning is somebody's guess. Null: it is neither, or no such day exists.
 */
import type { Instant } from './ids.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** RFC 3339 §5.6; a space for the T, and seconds left out, are what people write. */
const internetDate = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/
/** RFC 5322 §3.3, with the zone names that everybody knows (§4.3). */
const mailDate =
  /^(?:([a-z]{3}) *, *)?(\d{1,2}) +([a-z]{3}) +(\d{4}) +(\d\d):(\d\d)(?::(\d\d))? +([+-]\d{4}|GMT|UT|UTC|Z|JST)$/i

export function readMoment(text: string): Instant | null {
  const plain = text
    .replace(/\([^()]*\)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return readInternetDate(plain) ?? readMailDate(plain)
}

function readInternetDate(text: string): Instant | null {
  const [, year, month, day, hour, minute, second = '0', zone] = internetDate.exec(text) ?? []
  if (zone === undefined) return null
  return instantOf([year, month, day, hour, minute, second].map(Number), zone.replace(':', ''))
}

function readMailDate(text: string): Instant | null {
  const [, weekday, day, name, year, hour, minute, second = '0', zone] = mailDate.exec(text) ?? []
  if (zone === undefined) return null
  const month = months.indexOf(name!.toLowerCase()) + 1
  const at = instantOf([Number(year), month, ...[day, hour, minute, second].map(Number)], zone)
  // A wrong day of the week says that one of the two is a mistake.
  const dayOfWeek = days[new Date(Date.UTC(Number(year), month - 1, Number(day))).getUTCDay()]
  return weekday === undefined || weekday.toLowerCase() === dayOfWeek ? at : null
}

/** A leap second counts as the one before it. */
function instantOf([year, month, day, hour, minute, second]: readonly number[], zone: string): Instant | null {
  const offset = offsetMinutes(zone)
  const fits = hour! < 24 && minute! < 60 && second! <= 60 && offset !== null
  const date = new Date(Date.UTC(year!, month! - 1, day!))
  if (!fits || date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return null
  return date.getTime() + ((hour! * 60 + minute! - offset) * 60 + Math.min(second!, 59)) * 1000
}

function offsetMinutes(zone: string): number | null {
  if (/^jst$/i.test(zone)) return 9 * 60
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? []
  if (sign === undefined) return 0
  if (Number(hours) > 23 || Number(minutes) > 59) return null
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
