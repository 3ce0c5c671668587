/**
 * How late this thread's event loop is: what a stalled loop adds to everything that waits for it.
 *
 * Node's monitor is a timer that measures the time between two of its own ticks, so an idle loop shows the interval
 * itself: it is subtracted here, and what is left of less than one interval is rounding, not delay. A stall of any length
 * counts as one tick, therefore the maximum stands beside the percentiles. Never fails.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Seconds, since the last reading. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface LoopDelayMonitor {
  /** Since the last reading, or since it was opened. */
  read(): LoopDelay
  close(): void
}

/** Node's own default: sees every stall that matters beside a network, for 100 wake-ups a second. */
const intervalMs = 10

export function openLoopDelay(): LoopDelayMonitor {
  const ticks = monitorEventLoopDelay({ resolution: intervalMs })
  ticks.enable()
  return {
    read() {
      const delay = {
        p50: lateness(ticks.percentile(50)),
        p99: lateness(ticks.percentile(99)),
        max: lateness(ticks.max),
      }
      ticks.reset()
      return delay
    },
    close: () => void ticks.disable(),
  }
}

/** From nanoseconds between ticks. Without a tick the maximum is 0. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - intervalMs) / 1000
}
