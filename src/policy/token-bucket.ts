/**
 * Send slots: when the next mail may leave under limits per minute, hour and day. Pure arithmetic, O(1).
 *
 * Each window is a generic cell rate algorithm (ITU-T I.371): one number per window, the time up to which it is used
 * up. The minute is smoothed to even spacing (60 a minute = one a second, burst 1), because a burst is what receivers
 * punish. Hour and day hold their whole number at once and refill continuously, so an idle sender can use them freely.
 * So on average no more than the number goes out, and the first window after a pause holds up to twice as many, less one.
 * Considered: calendar hours and days, which let twice as many pass within minutes around midnight and hold a mailing at
 * its bound still until then; and an exact log of the last slots, where a full day is followed by a day of silence.
 * Slots never go back: everything under one key waits its turn, whichever window is the tight one.
 */
import type { Instant } from '../mail/ids.ts'
import type { SendLimits } from '../mail/sender-domain.ts'

/** Per window: used up until then, microseconds since 1970 (whole numbers, so that sums stay exact); 0: never used. */
export interface BucketState {
  readonly minute: number
  readonly hour: number
  readonly day: number
}

export interface Slot {
  readonly slotAt: Instant
  readonly state: BucketState
}

const fresh: BucketState = { minute: 0, hour: 0, day: 0 }
const minuteUs = 60_000_000
const hourUs = 60 * minuteUs
const dayUs = 24 * hourUs

/** Takes the next slot; `slotAt` is `now` when one is free. */
export function reserve(state: BucketState | null, limits: SendLimits, now: Instant): Slot {
  const used = state ?? fresh
  const slotUs = nextSlot(used, limits, now)
  return {
    slotAt: Math.ceil(slotUs / 1000),
    state: {
      minute: take(used.minute, limits.perMinute, minuteUs, slotUs),
      hour: take(used.hour, limits.perHour, hourUs, slotUs),
      day: take(used.day, limits.perDay, dayUs, slotUs),
    },
  }
}

/** When `reserve` would put the next one. */
export function peek(state: BucketState | null, limits: SendLimits, now: Instant): Instant {
  return Math.ceil(nextSlot(state ?? fresh, limits, now) / 1000)
}

/** The state as if the last `count` slots had not been taken. */
export function giveBack(state: BucketState, limits: SendLimits, count: number): BucketState {
  return {
    minute: untake(state.minute, limits.perMinute, minuteUs, count),
    hour: untake(state.hour, limits.perHour, hourUs, count),
    day: untake(state.day, limits.perDay, dayUs, count),
  }
}

export function isLimited(limits: SendLimits): boolean {
  return limits.perMinute !== undefined || limits.perHour !== undefined || limits.perDay !== undefined
}

export function sameLimits(a: SendLimits, b: SendLimits): boolean {
  return a.perMinute === b.perMinute && a.perHour === b.perHour && a.perDay === b.perDay
}

function nextSlot(used: BucketState, limits: SendLimits, now: Instant): number {
  let slotUs = now * 1000
  if (limits.perMinute !== undefined) slotUs = Math.max(slotUs, used.minute)
  if (limits.perHour !== undefined) slotUs = Math.max(slotUs, used.hour - tolerance(limits.perHour, hourUs))
  if (limits.perDay !== undefined) slotUs = Math.max(slotUs, used.day - tolerance(limits.perDay, dayUs))
  return slotUs
}

/** Rounded up: `limit` intervals are never shorter than the window, so what flows back never exceeds the limit. */
function interval(limit: number, windowUs: number): number {
  return Math.ceil(windowUs / Math.max(limit, 1))
}

/** How far ahead of even spacing a full bucket may run: all of its window but one. */
function tolerance(limit: number, windowUs: number): number {
  return (Math.max(limit, 1) - 1) * interval(limit, windowUs)
}

function take(usedUntil: number, limit: number | undefined, windowUs: number, slotUs: number): number {
  return limit === undefined ? usedUntil : Math.max(usedUntil, slotUs) + interval(limit, windowUs)
}

function untake(usedUntil: number, limit: number | undefined, windowUs: number, count: number): number {
  return limit === undefined ? usedUntil : Math.max(usedUntil - count * interval(limit, windowUs), 0)
}
