/**
 * How long one account's mail takes alone, and while another account floods the relay and the same site.
 *
 * The flood is as many sessions as the case has, each as fast as it is answered. It begins to be delivered before the
 * other's first mail is due and ends when the other's last is accepted; a count bounds it besides.
 */
import type { Case } from './cases.ts'
import { ownLoad, startOwnLoad, startOwnSink } from './load.ts'
import type { LoadResult } from './load-thread.ts'
import { allArrived, nothingQueued } from './round.ts'
import { type Percentiles, percentilesOf } from './statistics.ts'
import type { Subject } from './subject.ts'

export interface Fairness {
  readonly alone: Delays
  readonly flooded: Delays
  /** Of the flood, while it lasted. */
  readonly flood: { readonly acceptedPerSecond: number; readonly messages: number }
  readonly problems: readonly string[]
}

export interface Delays {
  /** From when a mail was due to its 250. */
  readonly acceptedMs: Percentiles
  /** From when it was due to its arrival at the sink. */
  readonly arrivedMs: Percentiles
}

interface FairnessParts {
  readonly work: Case
  readonly subject: Subject
  readonly port: number
  readonly signal: AbortSignal
}

/** One mail every 100 ms, for six seconds or less. */
const other = { sessions: 4, messages: 60, perSecond: 10 }
/** Some hundred times what the other sends: it would be a poor flood that ended before. */
const floodMost = 60_000

export async function runFairness({ work, subject, port, signal }: FairnessParts): Promise<Fairness> {
  if (subject.other === null) throw new Error(`${subject.name} knows no second account`)
  await using sink = await startOwnSink(work, port)
  const messages = Math.min(other.messages, work.messages)
  const small = { ...work, sessions: other.sessions, messages }
  const alone = await ownLoad(small, subject.other, { label: 'alone', perSecond: other.perSecond, signal })
  await allArrived(sink, messages, signal)
  const order = { label: 'flood', perSecond: null, signal }
  await using flood = await startOwnLoad({ ...work, messages: floodMost }, subject, order)
  await allArrived(sink, messages + work.sessions, signal)
  const flooded = await ownLoad(small, subject.other, { label: 'flooded', perSecond: other.perSecond, signal })
  await flood.stop()
  const result = await flood.done
  const expected = 2 * messages + result.latenciesMs.length
  await allArrived(sink, expected, signal)
  await nothingQueued(subject, signal)
  const { deliveries, distinct } = await sink.state()
  const exact = deliveries === expected && distinct === expected
  return {
    alone: delaysOf(alone, await sink.arrivals('alone')),
    flooded: delaysOf(flooded, await sink.arrivals('flooded')),
    flood: floodOf(result),
    problems: exact ? [] : [`${deliveries} copies arrived, ${distinct} different ones, but ${expected} were accepted`],
  }
}

function delaysOf({ transactionsMs, dueAt }: LoadResult, arrivals: ReadonlyMap<number, number>): Delays {
  return { acceptedMs: percentilesOf(transactionsMs), arrivedMs: percentilesOf(delays(dueAt, arrivals)) }
}

/** By number; what has not arrived has none. */
export function delays(dueAt: readonly number[], arrivals: ReadonlyMap<number, number>): number[] {
  return [...arrivals].map(([number, at]) => at - dueAt[number]!)
}

function floodOf({ latenciesMs: { length }, startedAt, endedAt }: LoadResult): Fairness['flood'] {
  return { messages: length, acceptedPerSecond: (length * 1000) / (endedAt - startedAt) }
}
