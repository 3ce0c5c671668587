/**
 * Whether the store takes mail, asked at most once a second: every MAIL wants to know, and it changes slowly.
 */
import type { Clock } from '../base/clock.ts'
import type { Store } from '../store/store.ts'

const validMs = 1000

/** The answer never fails: `Store.health` doesn't. */
export function createReadiness(store: Pick<Store, 'health'>, clock: Clock): () => Promise<boolean> {
  let askedAt = Number.NEGATIVE_INFINITY
  let answer: Promise<boolean> = Promise.resolve(false)
  return () => {
    const now = clock.monotonic()
    if (now - askedAt >= validMs) {
      askedAt = now
      answer = store.health().then(({ acceptsMail }) => acceptsMail)
    }
    return answer
  }
}
