/**
 * Gives entries back to the queue, one slice after the other: what comes while one is written down is part of the next.
 *
 * Where a site closes thousands may go back at once, each message by itself; as many orders to the writer would keep
 * accepted mail waiting behind all of them (five seconds, measured with 100,000 entries). Until then they stay under
 * their leases, so that fewer are claimed meanwhile. Fails as the store does, for those of the slice.
 */
import type { Clock } from '../base/clock.ts'
import { inSlices } from '../base/slices.ts'
import type { Release, Store } from '../store/store.ts'

export interface GivingBackOptions {
  readonly store: Pick<Store, 'release'>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** Whose leases they are. */
  readonly owner: string
  /** These are in the queue again, or could not be brought there: they can be claimed from now on. */
  gone(releases: readonly Release[]): void
}

interface Part {
  readonly releases: readonly Release[]
  done(): void
  failed(error: unknown): void
}

/** What is given back together is cut into parts of this many, so that a slice need not be longer than it should. */
const partSize = 50

export class GivingBack {
  readonly #options: GivingBackOptions
  #parts: Part[] = []
  #isRunning = false

  constructor(options: GivingBackOptions) {
    this.#options = options
  }

  /** Resolves when all are in the queue again. */
  async release(releases: readonly Release[]): Promise<void> {
    const written: Promise<void>[] = []
    for (let i = 0; i < releases.length; i += partSize) written.push(this.#add(releases.slice(i, i + partSize)))
    this.#run()
    await Promise.all(written)
  }

  #add(releases: readonly Release[]): Promise<void> {
    return new Promise((done, failed) => this.#parts.push({ releases, done, failed }))
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void inSlices(limit => this.#slice(limit), this.#options).finally(() => {
      this.#isRunning = false
      if (this.#parts.length > 0) this.#run()
    })
  }

  /** Whole parts. */
  async #slice(limit: number): Promise<number> {
    let [count, size] = [0, 0]
    while (size < limit && count < this.#parts.length) size += this.#parts[count++]!.releases.length
    const parts = this.#parts.splice(0, count)
    const releases = parts.flatMap(part => part.releases)
    const { store, owner, gone } = this.#options
    try {
      await store.release(releases, owner)
      gone(releases)
      for (const { done } of parts) done()
    } catch (error) {
      gone(releases)
      for (const { failed } of parts) failed(error)
    }
    return size
  }
}
