/**
 * Time from one object: wall clock for display and protocol fields, monotonic for waiting (design invariant 8).
 *
 * The real clock is `systemClock`; tests hand in one they turn by hand. Timers never keep the process alive.
 */
import type { Instant } from '../mail/ids.ts'

export interface Clock {
  /** Wall clock. Can jump; use it for what is stored or shown. */
  now(): Instant
  /** Milliseconds that only grow; for durations and deadlines. */
  monotonic(): number
  /** Calls back once, after at least that time; answers how to call it off. */
  after(ms: number, callback: () => void): Cancel
  /** Calls back again and again. */
  every(ms: number, callback: () => void): Cancel
  /** Resolves after that time, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export type Cancel = () => void

/** setTimeout holds 2^31 - 1 ms and fires at once beyond; waits of weeks are clipped and checked again by their owners. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), longestTimerMs))
    timer.unref()
    return () => clearTimeout(timer)
  },
  every(ms, callback) {
    const timer = setInterval(callback, Math.min(Math.max(ms, 1), longestTimerMs))
    timer.unref()
    return () => clearInterval(timer)
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

/** `sleep` in terms of `after`, for any clock. */
export function sleepOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const finish = () => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.after(ms, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
