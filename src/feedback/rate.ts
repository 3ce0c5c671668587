/**
 * Mails per minute and client address, counted in a window that begins with the first one.
 *
 * Bounded: with more addresses at once than `manyAddresses` the oldest are forgotten, which lets a flood from ever new
 * addresses through as far as the bound on connections does.
 */
import { LRUCache } from 'lru-cache'

interface Window {
  readonly from: number
  count: number
}

const manyAddresses = 10_000
const windowMs = 60_000

export class RateByAddress {
  readonly #perMinute: number
  readonly #windows = new LRUCache<string, Window>({ max: manyAddresses })

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** False: it has had its share. `now`: monotonic milliseconds. */
  take(address: string, now: number): boolean {
    const known = this.#windows.get(address)
    const window = known && now - known.from < windowMs ? known : { from: now, count: 0 }
    if (window !== known) this.#windows.set(address, window)
    window.count++
    return window.count <= this.#perMinute
  }
}
