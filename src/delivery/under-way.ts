/**
 * Counts what is under way, so that a stop can wait for its end.
 */
import type { Clock } from '../base/clock.ts'

export class UnderWay {
  #count = 0
  #onIdle: (() => void)[] = []

  /** `work` must not reject. */
  add(work: Promise<void>): void {
    this.#count++
    void work.finally(() => this.#end())
  }

  /** Resolves when nothing is under way, or after that time. */
  async idleWithin(ms: number, clock: Clock): Promise<void> {
    if (this.#count === 0) return
    const idle = new AbortController()
    this.#onIdle.push(() => idle.abort())
    await clock.sleep(ms, idle.signal)
  }

  #end(): void {
    if (--this.#count > 0) return
    for (const tell of this.#onIdle.splice(0)) tell()
  }
}
