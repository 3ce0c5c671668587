/**
 * When what waits will be done, as things stand: what has its slots is done with the last of them, a site's rate and a
 * day's cap stretch that. An estimate: retries, closings and what is yet to come are not in it. Pure.
 */
import type { Instant } from '../mail/ids.ts'

export interface Backlog {
  readonly count: number
  /** When the last of it is due: its slot, its release, its next try. */
  readonly lastDueAt: Instant
  /** Recipients a minute at its site; null: no limit, or not of one site. */
  readonly perMinute: number | null
  /** What may leave today and on each later day of a warm-up; null: none. */
  readonly warmUp: { readonly leftToday: number; readonly cap: number } | null
}

export type FinishLimit = 'site-rate' | 'warm-up' | 'slots' | 'none'

export interface Finish {
  /** Null: all of it is due, and nothing but the receivers' speed stands in its way. */
  readonly doneAt: Instant | null
  readonly limitedBy: FinishLimit
}

const minuteMs = 60_000
const dayMs = 86_400_000

export function finishOf({ count, lastDueAt, perMinute, warmUp }: Backlog, now: Instant): Finish {
  const candidates: readonly (readonly [FinishLimit, Instant])[] = [
    ['slots', lastDueAt],
    ['site-rate', perMinute === null ? now : now + Math.ceil((count / perMinute) * minuteMs)],
    ['warm-up', warmUp === null ? now : now + daysOf(count, warmUp) * dayMs],
  ]
  const [limitedBy, doneAt] = candidates.reduce((latest, one) => (one[1] > latest[1] ? one : latest))
  return doneAt <= now ? { doneAt: null, limitedBy: 'none' } : { doneAt, limitedBy }
}

/** Caps grow while a warm-up goes well; today's is what can be counted on. */
function daysOf(count: number, { leftToday, cap }: NonNullable<Backlog['warmUp']>): number {
  return Math.ceil(Math.max(0, count - leftToday) / Math.max(1, cap))
}
