/**
 * Counts of the queue for those who ask often: an answer is given again for a while.
 *
 * The store counts by walking every entry, because whether one is due or waits depends on the time: 0.6 s of the main
 * thread at a million entries. Kept here for 15 s, and for a hundred times as long as counting took, so that scraping
 * never takes more than 1 % of the thread. Maintained counters were considered: they would cost every acceptance and
 * settlement a write, and still not know what became due. A failure is not kept.
 */
import type { Clock } from '../base/clock.ts'
import type { QueueCounts, QueueStore } from '../store/store.ts'

const keptMs = 15_000
/** Of the thread's time. */
const largestShare = 0.01

export function queueDepth(store: Pick<QueueStore, 'countQueue'>, clock: Clock): () => Promise<QueueCounts> {
  let answer: Promise<QueueCounts> | null = null
  let until = Number.POSITIVE_INFINITY

  async function count(): Promise<QueueCounts> {
    const startedAt = clock.monotonic()
    const counts = await store.countQueue({})
    until = clock.monotonic() + Math.max(keptMs, (clock.monotonic() - startedAt) / largestShare)
    return counts
  }

  return () => {
    if (answer !== null && clock.monotonic() < until) return answer
    until = Number.POSITIVE_INFINITY
    answer = count()
    answer.catch(() => {
      answer = null
    })
    return answer
  }
}
