/**
 * Counts of the queue for those who ask often: an answer is given again for a while.
 *
 * The store counts in the rows of its backlogs: quick whatever is queued, but tens of milliseconds where a mailing waits
 * for very many domains. Kept here for 15 s, and for a hundred times as long as counting took, so that scraping
 * never takes more than 1 % of the thread. A failure is not kept.
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
