/**
 * One limit that a receiver teaches us: lowered at once when it refuses, raised slowly while it accepts.
 *
 * Multiplicative decrease, additive increase (Chiu and Jain 1989). What was refused last is remembered (as CUBIC does,
 * RFC 9438 §4.1): below nine tenths of it the way back is short, at it we wait, and longer after each refusal there, so
 * that a receiver with a fixed limit is asked less and less often whether it still holds. The first refusal is different:
 * it tells that there is a limit and hardly where, so until the second the way back is quick. Pure arithmetic.
 */
import type { Instant } from '../mail/ids.ts'

export interface AdaptedLimit {
  readonly value: number
  /** What was in force when it was refused last. */
  readonly refusedAt: number
  /** Refusals near that value. */
  readonly refusals: number
  readonly loweredAt: Instant
  readonly raisedAt: Instant
}

const minuteMs = 60_000
/** Between two steps up, and between two cuts: what was sent before a cut must not count against it. */
const stepMs = minuteMs
/** What nobody has confirmed for a day is forgotten: reputations and limits change. */
export const forgetMs = 24 * 60 * minuteMs
/** The wait at a known limit: ten minutes, twice as long after each refusal there, up to four hours. */
const waitMs = 10 * minuteMs
const longestWaitMs = 240 * minuteMs
const near = 0.8
const plateau = 0.9
const quick = 1.25
const slowly = 0.05

/** `refusedAt`: what was in force; `value`: what is from now on. */
export function lowered(
  before: AdaptedLimit | null,
  { refusedAt, value }: { readonly refusedAt: number; readonly value: number },
  now: Instant,
): AdaptedLimit {
  return {
    value: Math.max(1, Math.floor(value)),
    refusedAt,
    refusals: refusalsAfter(before, refusedAt, now),
    loweredAt: now,
    raisedAt: now,
  }
}

/** What comes within a minute tells the same thing again. */
function refusalsAfter(before: AdaptedLimit | null, refusedAt: number, now: Instant): number {
  if (before === null) return 1
  if (isJustLowered(before, now)) return before.refusals
  return refusedAt >= before.refusedAt * near ? before.refusals + 1 : 2
}

/** A rate after a step up, if one is due. Null: it is no limit any more, for `top` is reached. */
export function raisedRate(limit: AdaptedLimit, top: number, now: Instant): AdaptedLimit | null {
  const { value, refusedAt, refusals } = limit
  const known = Math.max(1, Math.floor(refusedAt * plateau))
  const step = Math.max(1, Math.ceil(refusedAt * slowly))
  if (refusals === 1) return raised(limit, Math.ceil(value * quick), top, stepMs, now)
  if (value < known) return raised(limit, Math.min(value + step, known), top, stepMs, now)
  return raised(limit, value + step, top, waitAt(limit), now)
}

/** A number of connections after a step up, if one is due: one more at a time. */
export function raisedCount(limit: AdaptedLimit, top: number, now: Instant): AdaptedLimit | null {
  const { value, refusedAt } = limit
  return raised(limit, value + 1, top, value < refusedAt - 1 ? stepMs : waitAt(limit), now)
}

function waitAt({ refusals }: AdaptedLimit): number {
  return Math.min(waitMs * 2 ** Math.max(0, refusals - 2), longestWaitMs)
}

/** Well beyond what was refused, that refusal says nothing any more. */
function raised(limit: AdaptedLimit, value: number, top: number, afterMs: number, now: Instant): AdaptedLimit | null {
  if (isWithin(afterMs, limit.raisedAt, now)) return limit
  if (value >= top) return null
  const refusals = value * near > limit.refusedAt ? 1 : limit.refusals
  return { ...limit, value, refusals, raisedAt: now }
}

export function isForgotten({ loweredAt }: AdaptedLimit, now: Instant): boolean {
  return Math.abs(now - loweredAt) >= forgetMs
}

export function isJustLowered({ loweredAt }: AdaptedLimit, now: Instant): boolean {
  return isWithin(stepMs, loweredAt, now)
}

/** What lies ahead was stamped by a clock that has been put right since: it counts as long past. */
function isWithin(ms: number, at: Instant, now: Instant): boolean {
  return now >= at && now - at < ms
}

/** The same limit as one of another number of workers has it. */
export function rescaled(limit: AdaptedLimit, factor: number): AdaptedLimit {
  const scale = (value: number) => Math.max(1, Math.floor(value * factor))
  return { ...limit, value: scale(limit.value), refusedAt: scale(limit.refusedAt) }
}
