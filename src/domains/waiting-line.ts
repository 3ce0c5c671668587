/**
 * Domains that wait for something to be done with them: each once, a few at a time, in the order they came.
 *
 * Kept in memory: after a restart the checking schedule finds them again. What fails is told to the log and counted, and
 * the line goes on.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { DomainName, Instant } from '../mail/ids.ts'

export interface LineProgress {
  readonly queued: number
  readonly running: number
  /** Since the line was last empty, failed ones included. */
  readonly done: number
  readonly failed: number
  /** When the line began to fill; null: nothing was ever in it. */
  readonly startedAt: Instant | null
  /** When it was empty again; null: it is not. */
  readonly endedAt: Instant | null
}

export interface WaitingLineParts {
  /** What it is for, in the log. */
  readonly name: string
  readonly places: number
  readonly work: (domain: DomainName) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class WaitingLine {
  readonly #parts: WaitingLineParts
  readonly #waiting = new Set<DomainName>()
  readonly #running = new Map<DomainName, Promise<void>>()
  #counts = { done: 0, failed: 0 }
  #startedAt: Instant | null = null
  #endedAt: Instant | null = null
  #stopped = false

  constructor(parts: WaitingLineParts) {
    this.#parts = parts
  }

  /** Answers how many were not waiting yet. */
  add(domains: Iterable<DomainName>): number {
    if (this.#stopped) return 0
    const before = this.#waiting.size
    for (const domain of domains) this.#waiting.add(domain)
    const added = this.#waiting.size - before
    if (added > 0 && this.#running.size === 0) this.#begin()
    this.#fill()
    return added
  }

  progress(): LineProgress {
    const { done, failed } = this.#counts
    const [queued, running] = [this.#waiting.size, this.#running.size]
    return { queued, running, done, failed, startedAt: this.#startedAt, endedAt: this.#endedAt }
  }

  /** Resolves when nothing runs any more; what still waits is given up. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting.clear()
    await Promise.all(this.#running.values())
  }

  #begin(): void {
    this.#counts = { done: 0, failed: 0 }
    this.#startedAt = this.#parts.clock.now()
    this.#endedAt = null
  }

  #fill(): void {
    for (const domain of this.#waiting) {
      if (this.#running.size >= this.#parts.places) return
      // One that came again while it runs has its turn afterwards.
      if (this.#running.has(domain)) continue
      this.#waiting.delete(domain)
      this.#running.set(domain, this.#run(domain))
    }
  }

  async #run(domain: DomainName): Promise<void> {
    const { name, work, clock, log } = this.#parts
    try {
      await work(domain)
    } catch (error) {
      this.#counts.failed++
      log.warn({ domain, error: String(error) }, `${name} failed`)
    }
    this.#counts.done++
    this.#running.delete(domain)
    this.#fill()
    if (this.#running.size === 0) this.#endedAt = clock.now()
  }
}
