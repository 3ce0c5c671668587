/**
 * Cancels what was being sent when an operator cancelled it, once its attempt has ended without delivering it.
 *
 * Which entries those are stands in the store until that is done, so a stop in between leaves none of them held: the next
 * start goes on. When the store fails the rest waits for the next such order or the next start.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { EntryId } from '../mail/ids.ts'
import type { QueueFilter, Store } from '../store/store.ts'

export interface LateCancelsParts {
  readonly store: Pick<Store, 'setting' | 'setSetting' | 'countQueue'>
  readonly clock: Clock
  readonly log: Log
  /** Takes matching entries that aren't being attempted out of the queue. */
  cancel(filter: QueueFilter, reason: string): Promise<unknown>
}

export const lateCancelsSetting = 'late-cancels'
const lookAgainMs = 1000

export class LateCancels {
  readonly #parts: LateCancelsParts
  /** With the reason of each. */
  readonly #left = new Map<EntryId, string>()
  #isRunning = false

  constructor(parts: LateCancelsParts) {
    this.#parts = parts
  }

  /** Goes on with what an earlier life of the process left. */
  async resume(): Promise<void> {
    const kept = await this.#parts.store.setting(lateCancelsSetting)
    for (const [entry, reason] of JSON.parse(kept ?? '[]') as [EntryId, string][]) this.#left.set(entry, reason)
    this.#run()
  }

  /** Resolves when a stop of the process can't lose them any more. */
  async add(entries: readonly EntryId[], reason: string): Promise<void> {
    if (entries.length === 0) return
    for (const entry of entries) this.#left.set(entry, reason)
    await this.#save()
    this.#run()
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#cancelAll()
      .catch(error =>
        this.#parts.log.warn(
          { err: error, entries: this.#left.size },
          'entries that were being sent could not be cancelled; they stay held until the next start',
        ),
      )
      .finally(() => {
        this.#isRunning = false
      })
  }

  async #cancelAll(): Promise<void> {
    while (this.#left.size > 0) {
      await this.#parts.clock.sleep(lookAgainMs)
      const before = this.#left.size
      for (const [entry, reason] of this.#left) if (await this.#isOver(entry, reason)) this.#left.delete(entry)
      if (this.#left.size < before) await this.#save()
    }
  }

  /** Asked first: an attempt that ends in between is seen to the next time. */
  async #isOver(entry: EntryId, reason: string): Promise<boolean> {
    const { leased } = await this.#parts.store.countQueue({ entry })
    await this.#parts.cancel({ entry, state: 'held' }, reason)
    return leased === 0
  }

  #save(): Promise<void> {
    return this.#parts.store.setSetting(lateCancelsSetting, JSON.stringify([...this.#left]))
  }
}
