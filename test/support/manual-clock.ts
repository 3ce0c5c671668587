/**
 * A clock that a test turns by hand: waiting costs no time, and timers fire in order when their moment is reached.
 */
import { type Clock, sleepOn } from '../../src/base/clock.ts'

interface Timer {
  readonly id: number
  at: number
  readonly everyMs: number | null
  readonly callback: () => void
}

export interface ManualClock extends Clock {
  /** Moves time forward; fires what falls due on the way, letting promises settle in between. */
  advance(ms: number): Promise<void>
  /** Moves time forward at once, as on a machine that slept: everything that fell due on the way fires once, late. */
  leap(ms: number): Promise<void>
  /** The wall clock is put forward, or back; waiting takes as long as before. */
  set(byMs: number): void
  /** How many timers wait: 0 when everything was stopped. */
  readonly waiting: number
}

/** `start`: wall clock at the beginning, ms since 1970. `settleDown`: resolves when all is done that takes no time. */
export function manualClock(
  start = Date.UTC(2026, 0, 15, 3, 0, 0),
  settleDown: () => Promise<void> = fewTurns,
): ManualClock {
  let elapsed = 0
  let setBy = 0
  let nextId = 0
  const timers = new Map<number, Timer>()

  function add(ms: number, everyMs: number | null, callback: () => void) {
    const id = nextId++
    timers.set(id, { id, at: elapsed + Math.max(ms, 0), everyMs, callback })
    return () => void timers.delete(id)
  }

  function fireNext(until: number): boolean {
    const due = [...timers.values()].filter(timer => timer.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)[0]
    if (!due) return false
    elapsed = Math.max(elapsed, due.at)
    if (due.everyMs === null) timers.delete(due.id)
    else due.at = nextRound(due.at, Math.max(due.everyMs, 1))
    due.callback()
    return true
  }

  /** Rounds that a leap passed over are left out. */
  function nextRound(at: number, everyMs: number): number {
    return at + everyMs * (1 + Math.floor((elapsed - at) / everyMs))
  }

  const clock: ManualClock = {
    now: () => start + setBy + elapsed,
    monotonic: () => elapsed,
    after: (ms, callback) => add(ms, null, callback),
    every: (ms, callback) => add(ms, ms, callback),
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    async advance(ms) {
      const until = elapsed + ms
      await settleDown()
      while (fireNext(until)) await settleDown()
      elapsed = until
      await settleDown()
    },
    async leap(ms) {
      await settleDown()
      elapsed += ms
      while (fireNext(elapsed)) await settleDown()
      await settleDown()
    },
    set(byMs) {
      setBy += byMs
    },
    get waiting() {
      return timers.size
    },
  }
  return clock
}

/** Lets promise chains and a few turns of I/O run. */
async function fewTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}
