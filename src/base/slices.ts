/**
 * Work on very many rows in slices, so that whoever else needs the writer waits for one of them, and a short one.
 *
 * A slice is as large as can be done in the time that a caller's commit may be late by; how many rows that are depends on
 * the work, the disk and who else is busy, so it is learned while working. As long as a slice took the others have the
 * writer for themselves. Fails as the slice does.
 */
import type { Clock } from './clock.ts'

export interface SlicesOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** Told after each slice how many there were in all; false: no more. */
  readonly goOn?: ((total: number) => boolean | Promise<boolean>) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Beside a sync of the disk hardly noticed by who waits for a 250. */
const aimMs = 15
const sizes = { first: 100, least: 20, most: 500 }

/** `slice` does up to `limit` and answers how many it did; fewer: none is left. Answers how many were done in all. */
export async function inSlices(
  slice: (limit: number) => Promise<number>,
  { clock, goOn = () => true, signal }: SlicesOptions,
): Promise<number> {
  let total = 0
  let limit = sizes.first
  while (!signal?.aborted) {
    const began = clock.monotonic()
    const done = await slice(limit)
    const tookMs = clock.monotonic() - began
    total += done
    const isLast = done < limit
    if (!isLast && tookMs >= 1) await clock.sleep(Math.floor(tookMs), signal)
    if (!(await goOn(total)) || isLast) break
    limit = nextSize(limit, tookMs)
  }
  return total
}

/** By steps, so that one late sync doesn't make the next slices tiny. */
function nextSize(size: number, tookMs: number): number {
  const wanted = (size * aimMs) / Math.max(tookMs, 0.1)
  const step = Math.min(Math.max(wanted, size / 2), size * 2)
  return Math.round(Math.min(Math.max(step, sizes.least), sizes.most))
}
