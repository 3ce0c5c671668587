/**
 * Starts things in order and stops them in reverse, whatever fails on the way.
 *
 * A stop that throws is reported and the next one still runs; a stop that hangs is left behind after its time.
 */
import type { Clock } from './clock.ts'

export interface Stoppable {
  readonly name: string
  readonly stop: () => Promise<void> | void
  /** Left behind after this time, ms. Default 30 s: longer than a graceful SMTP session needs. */
  readonly timeoutMs?: number
}

export class Lifecycle {
  readonly #running: Stoppable[] = []
  readonly #clock: Clock
  readonly #report: (name: string, error: unknown) => void
  #stopping: Promise<void> | null = null

  constructor(clock: Clock, report: (name: string, error: unknown) => void) {
    this.#clock = clock
    this.#report = report
  }

  /** Remembers a started thing, to be stopped before everything added earlier. */
  add(thing: Stoppable): void {
    this.#running.push(thing)
  }

  /** Stops everything, last first; the same promise however often it is called. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (let thing = this.#running.pop(); thing; thing = this.#running.pop()) await this.#stopOne(thing)
  }

  async #stopOne({ name, stop, timeoutMs = 30_000 }: Stoppable): Promise<void> {
    const done = new AbortController()
    const late = this.#clock.sleep(timeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`did not stop within ${timeoutMs} ms`)
    })
    try {
      await Promise.race([Promise.resolve().then(stop), late])
    } catch (error) {
      this.#report(name, error)
    } finally {
      done.abort()
    }
  }
}
