/**
 * One limit that a receiver teaches us: lowered at once when it refuses, raised slowly while it accepts.
 *
 * Multiplicative decrease, additive increase (Chiu and Jain 1989). What was refused last is remembered (as CUBIC does,
 * RFC 9438 §4.1): below nine tenths of it the way back is short, at it we wait, and longer after each refusal there, so
 * that a receiver with a fixed limit is asked less and less often whether it still holds: never more than hourly, unless
 * asking cost a long pause, which must stay a tenth of the time. Once more than what was refused is taken, that refusal
 * says nothing any more, and the way up is quick; as it is after the first refusal, which tells that there is a limit and
 * hardly where. Pure arithmetic.
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
  /** How long nothing was taken after the last refusal; absent: it took mail at once, or nothing since. */
  readonly pausedMs?: number
}

const minuteMs = 60_000
/** Between two steps up, and between two cuts: what was sent before a cut must not count against it. */
const stepMs = minuteMs
/** What nobody has confirmed for a day is forgotten: reputations and limits change. */
export const forgetMs = 24 * 60 * minuteMs
/** The wait at a known limit: ten minutes, twice as long after each refusal there, up to an hour … */
const waitMs = 10 * minuteMs
const longestWaitMs = 60 * minuteMs
/** … or ten times the pause that the last refusal cost, up to four hours. */
const pausesToWait = 10
const longestCostlyWaitMs = 240 * minuteMs
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
  if (value > refusedAt) return raised(limit, Math.ceil(value * quick), top, stepMs, now)
  return raised(limit, value + step, top, value === known ? waitAt(limit) : stepMs, now)
}

/** A number of connections after a step up, if one is due: one more at a time, until more than was refused are taken. */
export function raisedCount(limit: AdaptedLimit, top: number, now: Instant): AdaptedLimit | null {
  const { value, refusedAt } = limit
  const next = value < refusedAt ? value + 1 : Math.ceil(value * quick)
  return raised(limit, next, top, value === refusedAt - 1 ? waitAt(limit) : stepMs, now)
}

function waitAt({ refusals, pausedMs = 0 }: AdaptedLimit): number {
  const usual = Math.min(waitMs * 2 ** Math.max(0, refusals - 2), longestWaitMs)
  return Math.max(usual, Math.min(pausedMs * pausesToWait, longestCostlyWaitMs))
}

/** Well beyond what was refused, that refusal says nothing any more. */
function raised(limit: AdaptedLimit, value: number, top: number, afterMs: number, now: Instant): AdaptedLimit | null {
  if (isWithin(afterMs, limit.raisedAt, now)) return limit
  if (value >= top) return null
  const refusals = value * near > limit.refusedAt ? 1 : limit.refusals
  return { ...limit, value, refusals, raisedAt: now }
}

/** It takes mail for the first time since it was lowered. */
export function resumed(limit: AdaptedLimit, now: Instant): AdaptedLimit {
  const pausedMs = now - limit.loweredAt
  return pausedMs > stepMs ? { ...limit, pausedMs, raisedAt: now } : limit
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

/**
 * Of limits of several workers the part of one: of `count`, number `number` (from 0). `factor`: of what these are of the
 * whole. What doesn't divide goes to the first, so that all parts together are the whole again; each gets at least one.
 */
export function divided(limits: readonly AdaptedLimit[], factor: number, count: number, number: number): AdaptedLimit {
  const part = (values: readonly number[]) => {
    const whole = Math.floor(values.reduce((sum, value) => sum + value, 0) * factor)
    return Math.max(1, Math.floor(whole / count) + (number < whole % count ? 1 : 0))
  }
  const most = (values: readonly number[]) => values.reduce((one, other) => Math.max(one, other))
  return {
    value: part(limits.map(({ value }) => value)),
    refusedAt: part(limits.map(({ refusedAt }) => refusedAt)),
    refusals: most(limits.map(({ refusals }) => refusals)),
    loweredAt: most(limits.map(({ loweredAt }) => loweredAt)),
    raisedAt: most(limits.map(({ raisedAt }) => raisedAt)),
  }
}
