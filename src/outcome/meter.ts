/**
 * Counts what happens to messages in one thread, for the metrics: replies given, outcomes by class, how long things took.
 *
 * Counted since the thread began, as Prometheus expects of counters; the counts that must add up stand in the store
 * (design invariant 2) and not here. Costs a few additions per message; never fails.
 */
import { Histogram, type HistogramReading, sumOfReadings } from '../base/histogram.ts'
import type { Message } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Returned } from '../mail/returned.ts'

/** Plain data, to be sent between threads. */
export interface MeterReading {
  /** `550 5.7.1` → how often a client was answered so. */
  readonly refusals: Readonly<Record<string, number>>
  /** `deferred rate` → recipients; one for each action and class seen. */
  readonly outcomes: Readonly<Record<string, number>>
  /** `bounce address-unknown` → what came back; one for each kind and class seen, complaints have none. */
  readonly returned: Readonly<Record<string, number>>
  /** Why what came to the bounce host changed nothing → how often. */
  readonly returnsIgnored: Readonly<Record<string, number>>
  /** From the final dot to the commit. */
  readonly accept: HistogramReading
  /** From acceptance to the recipient's MX taking it. */
  readonly delivery: HistogramReading
  /** From the begin of an attempt to its last reply. */
  readonly attempt: HistogramReading
}

const briefly = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Mail waits up to queue.expireAfter. */
const patiently = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 345_600]

export class Meter {
  readonly #refusals = new Map<string, number>()
  readonly #outcomes = new Map<string, number>()
  readonly #returned = new Map<string, number>()
  readonly #returnsIgnored = new Map<string, number>()
  readonly #accept = new Histogram(briefly)
  readonly #delivery = new Histogram(patiently)
  readonly #attempt = new Histogram(briefly)

  accepted(totalMs: number): void {
    this.#accept.observe(totalMs / 1000)
  }

  /** `reply` as it went over the wire: `550 5.7.1 text`. */
  refused(reply: string): void {
    add(this.#refusals, statusOf(reply), 1)
  }

  settled(outcome: Outcome, message: Message): void {
    add(this.#outcomes, `${outcome.action} ${outcome.class}`, 1)
    if (outcome.facts !== null) this.#attempt.observe(outcome.facts.durations.totalMs / 1000)
    if (outcome.action === 'delivered') this.#delivery.observe(Math.max(0, outcome.at - message.receivedAt) / 1000)
  }

  returned({ kind, class: of }: Pick<Returned, 'kind' | 'class'>): void {
    add(this.#returned, `${kind} ${of ?? ''}`, 1)
  }

  /** `reason`: one of a fixed set. */
  returnIgnored(reason: string): void {
    add(this.#returnsIgnored, reason, 1)
  }

  get reading(): MeterReading {
    return {
      refusals: Object.fromEntries(this.#refusals),
      outcomes: Object.fromEntries(this.#outcomes),
      returned: Object.fromEntries(this.#returned),
      returnsIgnored: Object.fromEntries(this.#returnsIgnored),
      accept: this.#accept.reading,
      delivery: this.#delivery.reading,
      attempt: this.#attempt.reading,
    }
  }
}

/** Of several threads together; one at least. */
export function sumOfMeters(readings: readonly MeterReading[]): MeterReading {
  return {
    refusals: sumOfCounts(readings.map(({ refusals }) => refusals)),
    outcomes: sumOfCounts(readings.map(({ outcomes }) => outcomes)),
    returned: sumOfCounts(readings.map(({ returned }) => returned)),
    returnsIgnored: sumOfCounts(readings.map(({ returnsIgnored }) => returnsIgnored)),
    accept: sumOfReadings(readings.map(({ accept }) => accept)),
    delivery: sumOfReadings(readings.map(({ delivery }) => delivery)),
    attempt: sumOfReadings(readings.map(({ attempt }) => attempt)),
  }
}

function sumOfCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>()
  for (const [name, count] of counts.flatMap(Object.entries<number>)) add(sums, name, count)
  return Object.fromEntries(sums)
}

/** Code and enhanced status, for a text has endless variants. */
function statusOf(reply: string): string {
  return /^\d{3}(?: \d\.\d{1,3}\.\d{1,3})?/.exec(reply)?.[0] ?? 'other'
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count)
}
