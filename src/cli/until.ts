/**
 * When something ends: a duration from now (`2h`), or a moment.
 */
import type { Clock } from '../base/clock.ts'
import { CliError } from './cli-error.ts'

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Undefined: nobody said. A moment goes to the API as it is, which judges it. */
export function untilOf(
  { for: duration, until }: { readonly for?: string; readonly until?: string },
  clock: Pick<Clock, 'now'>,
): string | undefined {
  if (duration === undefined) return until
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(duration) ?? []
  if (until !== undefined || count === undefined)
    throw new CliError(
      `--for ${duration} says no end`,
      'write --for 30m, 2h or 1d, or --until 2026-01-15T18:00:00+09:00',
    )
  return new Date(clock.now() + Number(count) * units[unit!]!).toISOString()
}
