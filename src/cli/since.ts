/**
 * A moment of the past, as people write it: `2h` ago, or a time.
 */
import type { Clock } from '../base/clock.ts'
import { CliError } from './cli-error.ts'

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Undefined: nobody said. Milliseconds since 1970, as in the log. */
export function sinceOf(option: string, given: string | undefined, clock: Pick<Clock, 'now'>): number | undefined {
  if (given === undefined) return undefined
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(given) ?? []
  const at = count === undefined ? Date.parse(given) : clock.now() - Number(count) * units[unit!]!
  if (!Number.isNaN(at)) return at
  throw new CliError(
    `${option} ${given} says no time`,
    `write ${option} 30m, 2h or 1d, or ${option} 2026-01-15T09:00:00+09:00`,
  )
}
