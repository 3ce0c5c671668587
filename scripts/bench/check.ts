/**
 * The last run of a case, for truth in place of speed: numbered messages at half of the relay's rate.
 *
 * Every copy must arrive exactly once, signatures must verify, and each answer is timed; beside it may go what is heavy.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { missingVerifier, verifyAll } from '../../test/support/real/verifiers.ts'
import type { Case } from './cases.ts'
import { type HeavyAnswers, startHeavy } from './heavy-load.ts'
import { ownLoad, startOwnSink } from './load.ts'
import type { LoopDelays } from './loop-delays.ts'
import { allArrived, nothingQueued, othersShare, stand } from './round.ts'
import { type Percentiles, percentilesOf } from './statistics.ts'
import type { Subject } from './subject.ts'

export interface Check {
  readonly perSecond: number
  readonly copies: { readonly expected: number; readonly arrived: number; readonly different: number }
  readonly dkim: { readonly verifier: string; readonly looked: number; readonly passed: number }
  /** From the final dot to its 250. */
  readonly latencyMs: Percentiles
  /** From when the message was due, whether a session was free or not, to its 250. */
  readonly transactionMs: Percentiles
  /** Of the relay's threads meanwhile; null: it doesn't tell. */
  readonly loopDelayMs: LoopDelays | null
  /** What was handed in beside it, and how that was answered; null: nothing. */
  readonly heavy: HeavyAnswers | null
  /** Of the machine's cores, used by what is not part of the measurement. */
  readonly othersShare: number
}

export interface CheckParts {
  readonly work: Case
  readonly subject: Subject
  readonly port: number
  readonly perSecond: number
  readonly folder: string
  readonly signal: AbortSignal
}

/** Seconds that are enough for a 99th percentile, and a bound for fast relays. */
const lasting = { seconds: 8, messages: 10_000 }

export async function runCheck({ work, subject, port, perSecond, folder, signal }: CheckParts): Promise<Check> {
  await using sink = await startOwnSink(work, port)
  const messages = Math.max(1, Math.min(work.messages, lasting.messages, Math.round(perSecond * lasting.seconds)))
  await using beside = work.beside === 'heavy' ? await startHeavy(work, subject) : null
  // Begins a new reading.
  await subject.loopDelays?.()
  const before = stand(subject)
  const { latenciesMs, transactionsMs } = await ownLoad({ ...work, messages }, subject, {
    label: 'check',
    perSecond,
    signal,
  })
  const after = stand(subject)
  const loopDelayMs = (await subject.loopDelays?.()) ?? null
  const heavy = (await beside?.stop()) ?? null
  const expected = messages * work.recipients.length + (heavy?.accepted ?? 0)
  await allArrived(sink, expected, signal)
  await nothingQueued(subject, signal)
  const { deliveries, distinct } = await sink.state()
  return {
    perSecond,
    copies: { expected, arrived: deliveries, different: distinct },
    dkim: await verify(await sink.samples(), subject, join(folder, 'samples')),
    latencyMs: percentilesOf(latenciesMs),
    transactionMs: percentilesOf(transactionsMs),
    loopDelayMs,
    heavy,
    othersShare: othersShare(before, after),
  }
}

/** What is wrong; empty: nothing. */
export function problemsOf({ copies, dkim }: Check): string[] {
  const { expected, arrived, different } = copies
  const lost = expected === different ? [] : [`${expected - different} of ${expected} copies were lost`]
  const twice = arrived === different ? [] : [`${arrived - different} copies arrived more than once`]
  const unsigned = dkim.looked === dkim.passed ? [] : [`${dkim.looked - dkim.passed} of ${dkim.looked} do not verify`]
  const unseen = dkim.looked > 0 ? [] : ['no signature was looked at']
  return [...lost, ...twice, ...unsigned, ...unseen]
}

/** By dkimpy, which shares no code with us, where it is installed. */
async function verify(samples: readonly Uint8Array[], { key }: Subject, folder: string): Promise<Check['dkim']> {
  const verifier = (await missingVerifier('dkimpy')) === null ? 'dkimpy' : 'mailauth'
  mkdirSync(folder)
  const messages = new Map(samples.map((sample, number) => [`${number}.eml`, Buffer.from(sample)]))
  const verdicts = await verifyAll(verifier, folder, messages, { [key.name]: key.text })
  const passed = [...verdicts.values()].filter(results => results.includes('pass')).length
  return { verifier, looked: samples.length, passed }
}
