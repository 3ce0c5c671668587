/**
 * The options that set send limits, the same for accounts, credentials and domains, and how limits are shown.
 */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'

/** Commander takes null for no value at all. */
type Limit = number | 'none'

export interface LimitOptions {
  readonly perMinute?: Limit
  readonly perHour?: Limit
  readonly perDay?: Limit
}

export function addLimitOptions(command: Command): Command {
  return command
    .option('--per-minute <mails>', 'mails per minute; "none": no limit', parseLimit)
    .option('--per-hour <mails>', 'mails per hour', parseLimit)
    .option('--per-day <mails>', 'mails per day', parseLimit)
}

/** As the API takes it: a number sets, null removes, absent leaves. Undefined when no option was given. */
export function limitsOf({ perMinute, perHour, perDay }: LimitOptions): object | undefined {
  const given = Object.entries({ perMinute, perHour, perDay }).filter(([, value]) => value !== undefined)
  if (given.length === 0) return undefined
  return Object.fromEntries(given.map(([window, value]) => [window, value === 'none' ? null : value]))
}

export function limitText(limits: {
  perMinute?: number | undefined
  perHour?: number | undefined
  perDay?: number | undefined
}): string {
  const parts = [
    limits.perMinute === undefined ? [] : [`${limits.perMinute}/min`],
    limits.perHour === undefined ? [] : [`${limits.perHour}/h`],
    limits.perDay === undefined ? [] : [`${limits.perDay}/day`],
  ].flat()
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function parseLimit(text: string): Limit {
  if (text === 'none') return text
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number of at least 1, or "none".')
}
