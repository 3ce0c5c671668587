/**
 * An answer that is costly to find, given again for a while to those who ask often.
 *
 * Kept for 15 s, and for a hundred times as long as finding it took, so that scraping never takes more than 1 % of the
 * thread. A failure is not kept.
 */
import type { Clock } from '../base/clock.ts'

const keptMs = 15_000
/** Of the thread's time. */
const largestShare = 0.01

export function sharedAnswer<T>(find: () => Promise<T>, clock: Clock): () => Promise<T> {
  let answer: Promise<T> | null = null
  let until = Number.POSITIVE_INFINITY

  async function findNow(): Promise<T> {
    const startedAt = clock.monotonic()
    const found = await find()
    until = clock.monotonic() + Math.max(keptMs, (clock.monotonic() - startedAt) / largestShare)
    return found
  }

  return () => {
    if (answer !== null && clock.monotonic() < until) return answer
    until = Number.POSITIVE_INFINITY
    answer = findNow()
    answer.catch(() => {
      answer = null
    })
    return answer
  }
}
