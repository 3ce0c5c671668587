/**
 * One round: hands in all messages of a case, waits until the last has arrived and the relay has nothing left to do.
 *
 * Fails when more or fewer arrive than were handed in. Counted from the first connection; CPU includes all that the
 * relay still does after the last message has arrived.
 */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from './cases.ts'
import { load, type Sink } from './load.ts'
import type { Subject } from './subject.ts'
import { perMessage, type ThreadTimes, threadSeconds } from './thread-times.ts'
import { busySeconds, cpuSeconds, pssBytes } from './usage.ts'

export interface Round {
  readonly acceptedPerSecond: number
  /** Messages handed in, until all their recipients had them. */
  readonly perSecond: number
  /** NaN: unknown. */
  readonly cpuSecondsPer1000: number
  /** Of the machine's cores, used by what is not part of the measurement. */
  readonly othersShare: number
  readonly pssBytes: number
  /** CPU microseconds a message, by kind of thread; null: not one of our relays. */
  readonly threadMicros: ThreadTimes | null
}

export interface RoundParts {
  readonly work: Case
  readonly subject: Subject
  readonly sink: Sink
  readonly label: string
  readonly signal: AbortSignal
}

const pollMs = 10

export async function runRound(parts: RoundParts): Promise<Round> {
  const { work, subject, sink, label, signal } = parts
  const threadsBefore = threadsOf(subject)
  const before = { ...stand(subject), arrived: (await sink.state()).deliveries }
  const expected = before.arrived + work.messages * work.recipients.length
  const { startedAt, endedAt } = await load(work, subject, label, signal)
  const arrivedAt = await allArrived(sink, expected, signal)
  await nothingQueued(subject, signal)
  const after = stand(subject)
  const { deliveries, distinct } = await sink.state()
  if (deliveries !== expected || distinct !== expected)
    throw new Error(`${deliveries} copies arrived, ${distinct} different ones, but ${expected} were handed in`)
  return {
    acceptedPerSecond: (work.messages * 1000) / (endedAt - startedAt),
    perSecond: (work.messages * 1000) / (arrivedAt - startedAt),
    cpuSecondsPer1000: subject.losesProcesses ? Number.NaN : ((after.relay - before.relay) * 1000) / work.messages,
    othersShare: othersShare(before, after),
    pssBytes: pssBytes(subject.pids),
    threadMicros: threadsBefore && perMessage(threadsBefore, threadsOf(subject)!, work.messages),
  }
}

function threadsOf({ isOurs, pids }: Subject): ThreadTimes | null {
  return isOurs === true && pids.length === 1 ? threadSeconds(pids[0]!) : null
}

/** What has been used so far, in seconds; `at` in milliseconds. */
export interface Stand {
  readonly at: number
  readonly relay: number
  /** By this process and all it started. */
  readonly bench: number
  readonly busy: number
}

export function stand({ pids }: Pick<Subject, 'pids'>): Stand {
  return { at: performance.now(), relay: cpuSeconds(pids), bench: cpuSeconds([process.pid]), busy: busySeconds() }
}

/** Part of all cores. */
export function othersShare(before: Stand, after: Stand): number {
  const others = after.busy - before.busy - (after.bench - before.bench)
  return Math.max(0, (others * 1000) / (after.at - before.at) / availableParallelism())
}

/** Milliseconds since 1970 when the last one came. */
export async function allArrived(sink: Sink, expected: number, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { deliveries, lastAt } = await sink.state()
    if (deliveries >= expected) return lastAt
    await sleep(pollMs, undefined, { signal })
  }
}

export async function nothingQueued(subject: Subject, signal: AbortSignal): Promise<void> {
  while ((await subject.queued()) > 0) await sleep(pollMs * 5, undefined, { signal })
}

/** The most memory while a round runs. Looking costs CPU: never during a round that counts. */
export async function peakMemory(
  subject: Subject,
  run: () => Promise<Round>,
): Promise<{ readonly result: Round; readonly peakPssBytes: number }> {
  let peakPssBytes = pssBytes(subject.pids)
  const timer = setInterval(() => {
    peakPssBytes = Math.max(peakPssBytes, pssBytes(subject.pids))
  }, 200)
  try {
    const result = await run()
    return { result, peakPssBytes: Math.max(peakPssBytes, result.pssBytes) }
  } finally {
    clearInterval(timer)
  }
}
