/**
 * Proves that work takes time in proportion to its size, whatever the machine's speed: eight times the size costs eight
 * times the CPU time; with the square of the size it would cost 64 times as much.
 */
import assert from 'node:assert/strict'

const growth = 8
/** Between the two, as far from the one as from the other. */
const mostTimes = growth ** 1.5
/** What is measured in less is mostly noise. */
const leastMs = 1
/** The least counts: on a busy machine many a measure holds time of others. */
const tries = 20

/** `work` gets the size it is to have; at the `largest` it should take some milliseconds. */
export async function assertLinear(largest: number, work: (size: number) => unknown): Promise<void> {
  const smallest = Math.floor(largest / growth)
  // Compiled by then.
  await work(smallest)
  let small = Number.POSITIVE_INFINITY
  let large = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < tries; attempt++) {
    small = Math.min(small, await cpuMs(() => work(smallest)))
    large = Math.min(large, await cpuMs(() => work(largest)))
    if (large < mostTimes * Math.max(small, leastMs)) return
  }
  assert.fail(`${growth} times the size took ${large} ms instead of ${small} ms`)
}

/** Of this thread: neither other programs nor the collector's threads count. */
async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}
