/**
 * Real time for deadlines that a test lets pass: it hardly goes on while the whole process stands still.
 *
 * After a pause (a loaded machine, a collection of garbage) Node runs timers before it reads sockets, so a reply that came
 * in time would look late. Here deadlines are looked at in small steps, between which sockets are read.
 */
import { type Cancel, type Clock, sleepOn, systemClock } from '../../src/base/clock.ts'

const stepMs = 10
/** Of a longer step only so much counts while somebody waits. */
const mostMs = 2 * stepMs

interface Waiting {
  readonly at: number
  readonly callback: () => void
}

class SteadyClock implements Clock {
  readonly #waiting = new Set<Waiting>()
  #elapsed = 0
  #read = systemClock.monotonic()
  #stop: Cancel | null = null

  now = systemClock.now
  every = systemClock.every

  monotonic(): number {
    const now = systemClock.monotonic()
    this.#elapsed += this.#waiting.size === 0 ? now - this.#read : Math.min(now - this.#read, mostMs)
    this.#read = now
    return this.#elapsed
  }

  after(ms: number, callback: () => void): Cancel {
    const waiting = { at: this.monotonic() + ms, callback }
    this.#waiting.add(waiting)
    this.#stop ??= systemClock.every(stepMs, () => this.#step())
    return () => void this.#waiting.delete(waiting)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal)
  }

  #step(): void {
    const now = this.monotonic()
    for (const waiting of [...this.#waiting].filter(({ at }) => at <= now)) {
      if (this.#waiting.delete(waiting)) waiting.callback()
    }
    if (this.#waiting.size > 0) return
    this.#stop?.()
    this.#stop = null
  }
}

export const steadyClock: Clock = new SteadyClock()
