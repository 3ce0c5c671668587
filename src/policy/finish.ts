/**
 * When what waits will be done, as things stand: what has its slots is done with the last of them, a site's rate and a
 * day's cap stretch that. An estimate: retries, closings and what is yet to come are not in it. Pure.
 */
import type { Instant } from '../mail/ids.ts'
import type { WarmUp } from '../mail/warm-up.ts'

export interface Backlog {
  readonly count: number
  /** When the last of it is due: its slot, its release, its next try. */
  readonly lastDueAt: Instant
  /** Recipients a minute at its site; null: no limit, or not of one site. */
  readonly perMinute: number | null
  /** Null: none. */
  readonly warmUp: DaysToCome | null
}

/** A warm-up as it goes on when its days go well: they are used as long as something waits. */
export interface DaysToCome {
  readonly leftToday: number
  /** When tomorrow begins: then its places are free, all at once. */
  readonly nextDayAt: Instant
  /** Of tomorrow and the days after it; behind them nothing is limited … */
  readonly caps: readonly number[]
  /** … unless somebody paused it: then the last one stays. */
  readonly stays: boolean
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
    ['warm-up', warmUp === null ? now : lastDayOf(count, warmUp, now)],
  ]
  const [limitedBy, doneAt] = candidates.reduce((latest, one) => (one[1] > latest[1] ? one : latest))
  return doneAt <= now ? { doneAt: null, limitedBy: 'none' } : { doneAt, limitedBy }
}

/** The beginning of the day on which the last of them may leave. */
function lastDayOf(count: number, { leftToday, nextDayAt, caps, stays }: DaysToCome, now: Instant): Instant {
  let left = count - leftToday
  if (left <= 0) return now
  let days = 0
  for (const cap of caps) {
    left -= cap
    if (left <= 0) return nextDayAt + days * dayMs
    days++
  }
  const last = caps.at(-1) ?? 0
  if (stays) days += Math.ceil(left / Math.max(1, last)) - 1
  return nextDayAt + days * dayMs
}

/** Of a warm-up that limits today. */
export function daysToCome(warmUp: WarmUp, leftToday: number, nextDayAt: Instant): DaysToCome {
  const { caps, step, pause } = warmUp
  if (pause === null) return { leftToday, nextDayAt, caps: caps.slice(step + 1), stays: false }
  const before = Math.max(step - 1, 0)
  if (pause.trouble === null) return { leftToday, nextDayAt, caps: caps.slice(before, before + 1), stays: true }
  return { leftToday, nextDayAt, caps: caps.slice(before), stays: false }
}
