/**
 * The case `fairness`: nine accounts hand in mail at an even rate, alone and while a tenth floods the relay and the same site.
 *
 * What each of the nine got is its mails a second from the first that was due to the last that arrived; Jain's index says how
 * even that is, and how even their delays are. The flood begins to be delivered before the first mail is due and ends after the last is accepted, a count
 * bounds it besides. Fails when mail is lost or doubled.
 */
import { mkdirSync } from 'node:fs'
import { jainIndex } from '../../test/support/jain-index.ts'
import { type Case, caseNamed } from './cases.ts'
import { delays } from './fairness.ts'
import { startKitte } from './kitte.ts'
import { type OwnSink, ownLoad, sinkPort, startOwnLoad, startOwnSink } from './load.ts'
import type { LoadResult } from './load-thread.ts'
import { allArrived, nothingQueued } from './round.ts'
import { type Percentiles, percentilesOf } from './statistics.ts'
import type { Sender } from './subject.ts'
import { withinTime } from './within-time.ts'

export interface TenAccountsOptions {
  /** Of each of the nine. */
  readonly messages: number | null
  readonly timeLimitMs: number
}

export interface Nine {
  /** Jain's index of what each got a second: 1 when all got the same, 1/9 when one got all … */
  readonly index: number
  /** … and of how long the mails of each took on average. */
  readonly delayIndex: number
  /** From when a mail of theirs was due to its arrival. */
  readonly arrivedMs: Percentiles
  /** p95 of the account that had to wait for longest. */
  readonly worstP95Ms: number
}

export interface TenAccountsResult {
  readonly name: 'fairness'
  readonly accounts: 10
  readonly messages: number
  readonly perSecond: number
  readonly idle: Nine
  readonly flooded: Nine
  readonly flood: { readonly messages: number; readonly acceptedPerSecond: number }
}

const others = 9
/** Of each: together a mail every 55 ms, for six seconds or less. */
const even = { messages: 12, perSecond: 2 }
const flood = { sessions: 20, most: 60_000 }

export function runTenAccounts(options: TenAccountsOptions, folder: string): Promise<TenAccountsResult> {
  return withinTime(options.timeLimitMs, signal => measure(options, folder, signal))
}

async function measure(
  { messages }: TenAccountsOptions,
  folder: string,
  signal: AbortSignal,
): Promise<TenAccountsResult> {
  const work = { ...caseNamed('c20'), sessions: 1, messages: messages ?? even.messages }
  await using started = new AsyncDisposableStack()
  mkdirSync(folder)
  const port = await sinkPort(work)
  const sink = started.use(await startOwnSink(work, port))
  const subject = started.use(await startKitte({ work, sinkPort: port, folder, variables: {}, more: others }, 'auto'))
  const nine = (label: string, some = others) => handIn(label, work, subject.more!.slice(0, some), signal)
  const inEach = others * work.messages
  // Compiled code and open connections are part of neither.
  await nine('warm', 1)
  await allArrived(sink, work.messages, signal)
  const idle = await nine('idle')
  await allArrived(sink, work.messages + inEach, signal)
  const flooding = { ...work, sessions: flood.sessions, messages: flood.most }
  await using load = await startOwnLoad(flooding, subject, { label: 'flood', perSecond: null, signal })
  await allArrived(sink, work.messages + inEach + flood.sessions, signal)
  const flooded = await nine('flooded')
  await load.stop()
  const { latenciesMs, startedAt, endedAt } = await load.done
  const expected = work.messages + 2 * inEach + latenciesMs.length
  await allArrived(sink, expected, signal)
  await nothingQueued(subject, signal)
  const { deliveries, distinct } = await sink.state()
  if (deliveries !== expected || distinct !== expected)
    throw new Error(`${deliveries} copies arrived, ${distinct} different ones, but ${expected} were accepted`)
  return {
    ...{ name: 'fairness', accounts: 10, messages: work.messages, perSecond: even.perSecond },
    idle: await nineOf(idle, sink),
    flooded: await nineOf(flooded, sink),
    flood: { messages: latenciesMs.length, acceptedPerSecond: (latenciesMs.length * 1000) / (endedAt - startedAt) },
  }
}

interface Handed {
  readonly label: string
  readonly result: LoadResult
}

function handIn(label: string, work: Case, senders: readonly Sender[], signal: AbortSignal): Promise<Handed[]> {
  return Promise.all(
    senders.map(async (sender, n) => {
      const own = `${label}${n}`
      return { label: own, result: await ownLoad(work, sender, { label: own, perSecond: even.perSecond, signal }) }
    }),
  )
}

async function nineOf(handed: readonly Handed[], sink: OwnSink): Promise<Nine> {
  const ofEach: number[][] = []
  const rates: number[] = []
  for (const { label, result } of handed) {
    const arrivals = await sink.arrivals(label)
    ofEach.push(delays(result.dueAt, arrivals))
    const lastMs = [...arrivals.values()].reduce((one, other) => Math.max(one, other)) - result.dueAt[0]!
    rates.push((arrivals.size * 1000) / Math.max(lastMs, 1))
  }
  return {
    index: jainIndex(rates),
    delayIndex: jainIndex(ofEach.map(one => one.reduce((sum, ms) => sum + ms, 0) / one.length)),
    arrivedMs: percentilesOf(ofEach.flat()),
    worstP95Ms: Math.max(...ofEach.map(one => percentilesOf(one).p95)),
  }
}
