/**
 * One case: starts every relay, measures them in turn round by round, then checks what arrives.
 *
 * The first round of each warms it up; its memory is watched and its rate not counted. Fails when the time is up, when
 * a relay refuses mail, and when one loses or doubles it. Whatever was started is ended.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Case } from './cases.ts'
import { runCheck } from './check.ts'
import { runFairness } from './fairness.ts'
import { startKitte } from './kitte.ts'
import { type Sink, sinkPort, startSink, toolsFor } from './load.ts'
import type { Options } from './options.ts'
import { startPeer } from './peers.ts'
import { type CaseResult, caseResult, type SubjectResult, subjectResult } from './result.ts'
import { peakMemory, type Round, runRound } from './round.ts'
import { slowDisk } from './slow-disk.ts'
import { quantile } from './statistics.ts'
import type { Subject, SubjectOptions } from './subject.ts'
import { withinTime } from './within-time.ts'

interface Contender {
  readonly subject: Subject
  readonly isPeer: boolean
  readonly sink: Sink
  readonly sinkPort: number
  readonly folder: string
  readonly rounds: Round[]
  peakPssBytes: number
}

type Start = (options: SubjectOptions) => Promise<Subject>

export function runCase(
  work: Case,
  options: Options,
  folder: string,
  tell: (text: string) => void,
): Promise<CaseResult> {
  return withinTime(options.timeLimitMs, signal => measure(work, options, folder, tell, signal))
}

async function measure(
  work: Case,
  options: Options,
  folder: string,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<CaseResult> {
  await using started = new AsyncDisposableStack()
  const contenders = await startAll(work, options, folder, started)
  const rounds = Math.min(options.rounds, work.mostRounds)
  for (let round = 0; round <= rounds; round++) {
    const label = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`
    for (const contender of contenders) {
      const { acceptedPerSecond, perSecond } = await takeTurn(contender, work, round, signal)
      const rates = `accepted ${acceptedPerSecond.toFixed(0)}/s, end to end ${perSecond.toFixed(0)}/s`
      tell(`${work.name}, ${label}, ${contender.subject.name}: ${rates}`)
    }
  }
  const subjects: SubjectResult[] = []
  for (const contender of contenders) subjects.push(await conclude(contender, work, signal))
  return caseResult({ work, load: toolsFor(work), rounds, subjects })
}

async function startAll(
  work: Case,
  { workers, peers }: Options,
  folder: string,
  started: AsyncDisposableStack,
): Promise<Contender[]> {
  mkdirSync(folder)
  const variables = work.syncDelayMs === 0 ? {} : await slowDisk(folder, work.syncDelayMs)
  const starts: { readonly isPeer: boolean; readonly start: Start }[] = [
    ...workers.map(count => ({ isPeer: false, start: (options: SubjectOptions) => startKitte(options, count) })),
    ...peers.map(name => ({ isPeer: true, start: (options: SubjectOptions) => startPeer(name, options) })),
  ]
  const contenders: Contender[] = []
  for (const [number, { isPeer, start }] of starts.entries()) {
    const own = join(folder, String(number))
    mkdirSync(own)
    const port = await sinkPort(work)
    const sink = started.use(await startSink(work, port, folder))
    const subject = started.use(await start({ work, sinkPort: port, folder: own, variables }))
    contenders.push({ subject, isPeer, sink, sinkPort: port, folder: own, rounds: [], peakPssBytes: 0 })
  }
  return contenders
}

async function takeTurn(contender: Contender, work: Case, round: number, signal: AbortSignal): Promise<Round> {
  const { subject, sink, rounds } = contender
  const run = () => named(subject, runRound({ work, subject, sink, label: `round${round}`, signal }))
  if (round > 0) {
    const measured = await run()
    rounds.push(measured)
    contender.peakPssBytes = Math.max(contender.peakPssBytes, measured.pssBytes)
    return measured
  }
  const { result, peakPssBytes } = await peakMemory(subject, run)
  contender.peakPssBytes = peakPssBytes
  return result
}

/** The check needs a sink that reads; the relay finds it at the same port. */
async function conclude(contender: Contender, work: Case, signal: AbortSignal): Promise<SubjectResult> {
  const { subject, sink, sinkPort: port, rounds, folder, isPeer, peakPssBytes } = contender
  await sink[Symbol.asyncDispose]()
  const rates = rounds.map(({ perSecond }) => perSecond)
  const parts = { work, subject, port, perSecond: quantile(rates, 0.5) / 2, folder, signal }
  const check = await named(subject, runCheck(parts))
  const fairness = work.beside === 'flood' ? await named(subject, runFairness(parts)) : null
  return subjectResult({ name: subject.name, isPeer, rounds, peakPssBytes, check, fairness })
}

/** A failure is told with whose it was and what that one said. */
async function named<T>(subject: Subject, running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (cause) {
    throw new Error(`${subject.name}: ${(cause as Error).message}\n${subject.output()}`.trimEnd(), { cause })
  }
}
