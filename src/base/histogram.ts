/**
 * How often something took how long, in fixed buckets: a few comparisons for each, plain numbers to read.
 *
 * Bounds in seconds as Prometheus has them: each count is of what took no longer than its bound and longer than the one
 * before; the last count is of everything beyond. Never fails.
 */
export interface HistogramReading {
  /** Seconds, growing. */
  readonly bounds: readonly number[]
  /** One more than bounds. */
  readonly counts: readonly number[]
  /** Of everything counted, seconds. */
  readonly sum: number
}

export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(seconds: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && seconds > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += seconds
  }

  get reading(): HistogramReading {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}

/** Of the same bounds; one at least. */
export function sumOfReadings(readings: readonly HistogramReading[]): HistogramReading {
  return readings.reduce((total, { bounds, counts, sum }) => ({
    bounds,
    counts: total.counts.map((count, bucket) => count + counts[bucket]!),
    sum: total.sum + sum,
  }))
}
