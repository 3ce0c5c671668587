/**
 * The case `dead-site`: very many entries wait for a site that refuses every connection, while other mail flows.
 *
 * Two relays stand side by side, one with an empty queue, and take the same mail in turn. Then HTTP is timed at both while
 * mail flows, and the one with the dead site is stopped and started again. Fails when mail is lost or doubled.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, caseNamed } from './cases.ts'
import { fillStore } from './dead-site-fill.ts'
import { type Relay, startAgain, startZone } from './dead-site-relay.ts'
import { startKitte } from './kitte.ts'
import { load, type Sink, sinkPort, startSink } from './load.ts'
import { allArrived } from './round.ts'
import { quantile, quotients, type Spread, spreadOf } from './statistics.ts'
import { senderDomain } from './subject.ts'
import { cpuSeconds, pssBytes } from './usage.ts'
import { withinTime } from './within-time.ts'

export interface DeadSiteOptions {
  readonly entries: number
  readonly messages: number | null
  readonly rounds: number
  readonly timeLimitMs: number
}

interface Rates {
  readonly acceptedPerSecond: number
  readonly perSecond: number
  readonly cpuSecondsPer1000: number
}

export interface Latency {
  readonly path: string
  readonly p50Ms: number
  readonly maxMs: number
}

export interface DeadSiteSide {
  readonly name: string
  readonly entries: number
  readonly databaseBytes: number
  readonly readyMs: number
  readonly acceptedPerSecond: Spread
  readonly perSecond: Spread
  readonly cpuSecondsPer1000: Spread
  /** Ready and not used yet, the most between the rounds, and after all. */
  readonly pssBytes: { readonly before: number; readonly most: number; readonly after: number }
  readonly http: readonly Latency[]
  readonly stopMs: number
  readonly readyAgainMs: number
  /** CPU time of the first start and of the second. */
  readonly readyCpuSeconds: readonly [number, number]
}

export interface DeadSiteResult {
  readonly name: 'dead-site'
  readonly fillSeconds: number
  readonly messages: number
  readonly rounds: number
  readonly sides: readonly DeadSiteSide[]
  /** With the dead site divided by without, round by round. */
  readonly ratios: {
    readonly acceptedPerSecond: Spread
    readonly perSecond: Spread
    readonly cpuSecondsPer1000: Spread
  }
}

interface Side {
  readonly name: string
  readonly folder: string
  readonly entries: number
  readonly relay: Relay
  readonly sink: Sink
  readonly before: number
  readonly databaseBytes: number
  readonly rates: Rates[]
  most: number
}

export const deadDomain = 'dead.bench.test'
/** Nothing listens there. */
const deadAddress = '127.0.0.250'
const samples = 8

const paths = [
  '/readyz',
  '/metrics',
  '/v1/queue',
  `/v1/queue?domain=${deadDomain}`,
  '/v1/queue?domain=site0.bench.test',
  `/v1/queue?senderDomain=${senderDomain}`,
  `/v1/queue?site=mx.${deadDomain}`,
  '/v1/queue?site=none',
  '/v1/queue?class=network',
  ...['due', 'waiting', 'leased', 'held'].map(state => `/v1/queue?state=${state}`),
]

export function runDeadSite(
  options: DeadSiteOptions,
  folder: string,
  tell: (text: string) => void,
): Promise<DeadSiteResult> {
  return withinTime(options.timeLimitMs, signal => measure(options, folder, tell, signal))
}

async function measure(
  { entries, messages, rounds }: DeadSiteOptions,
  folder: string,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<DeadSiteResult> {
  const plain = caseNamed('c20')
  const work = { ...plain, messages: messages ?? plain.messages }
  await using started = new AsyncDisposableStack()
  mkdirSync(folder)
  const fillSeconds = { taken: 0 }
  const sides: Side[] = []
  for (const count of [0, entries]) sides.push(await startSide(work, count, folder, started, fillSeconds, signal))
  for (const { name, relay } of sides) tell(`dead-site, ${name}: ready after ${(relay.readyMs / 1000).toFixed(1)} s`)
  for (let round = 0; round <= rounds; round++)
    for (const side of sides) {
      const rates = await flow(side, work, `round${round}`, signal)
      if (round > 0) side.rates.push(rates)
      tell(`dead-site, round ${round} of ${rounds}, ${side.name}: end to end ${rates.perSecond.toFixed(0)}/s`)
    }
  const results: DeadSiteSide[] = []
  for (const side of sides) results.push(await conclude(side, work, signal))
  return {
    name: 'dead-site',
    fillSeconds: fillSeconds.taken,
    messages: work.messages,
    rounds,
    sides: results,
    ratios: ratiosOf(sides),
  }
}

async function startSide(
  work: Case,
  entries: number,
  parent: string,
  started: AsyncDisposableStack,
  fillSeconds: { taken: number },
  signal: AbortSignal,
): Promise<Side> {
  const folder = join(parent, String(entries))
  mkdirSync(folder)
  const port = await sinkPort(work)
  const sink = started.use(await startSink(work, port, folder))
  const subject = await startKitte({ work, sinkPort: port, folder, variables: {} }, 'auto')
  await subject[Symbol.asyncDispose]()
  const { book } = started.use(await startZone(folder))
  book.set(deadDomain, { MX: [[10, `mx.${deadDomain}`]] })
  book.set(`mx.${deadDomain}`, { A: [deadAddress] })
  const dataDir = join(folder, 'data')
  const startedAt = performance.now()
  await fillStore({ dataDir, entries, from: subject.from, senderDomain, domain: deadDomain, signal })
  fillSeconds.taken += (performance.now() - startedAt) / 1000
  const databaseBytes = statSync(join(dataDir, 'kitte.db')).size
  const relay = started.use(await startAgain(folder, subject, signal))
  const before = pssBytes(relay.subject.pids)
  const name = entries === 0 ? 'empty queue' : `${entries.toLocaleString('en')} entries for a dead site`
  return { name, folder, entries, relay, sink, before, databaseBytes, rates: [], most: before }
}

/** All of a round's mail through a relay, until the last has arrived. */
async function flow(side: Side, work: Case, label: string, signal: AbortSignal): Promise<Rates> {
  const { sink, relay } = side
  const { subject } = relay
  const [before, cpu] = [await sink.state(), cpuSeconds(subject.pids)]
  const expected = before.deliveries + work.messages
  const { startedAt, endedAt } = await load(work, subject, label, signal)
  const arrivedAt = await allArrived(sink, expected, signal)
  const used = cpuSeconds(subject.pids) - cpu
  side.most = Math.max(side.most, pssBytes(subject.pids))
  const { deliveries, distinct } = await sink.state()
  if (deliveries !== expected || distinct !== expected)
    throw new Error(`${side.name}: ${deliveries} copies arrived, ${distinct} different ones, not ${expected}`)
  return {
    acceptedPerSecond: (work.messages * 1000) / (endedAt - startedAt),
    perSecond: (work.messages * 1000) / (arrivedAt - startedAt),
    cpuSecondsPer1000: (used * 1000) / work.messages,
  }
}

async function conclude(side: Side, work: Case, signal: AbortSignal): Promise<DeadSiteSide> {
  const { name, folder, entries, relay, before, databaseBytes, rates } = side
  const http = await timeHttp(side, work, signal)
  const after = pssBytes(relay.subject.pids)
  const stopMs = await relay.stop()
  await using again = await startAgain(folder, relay.subject, signal)
  const spread = (measure: keyof Rates) => spreadOf(rates.map(round => round[measure]))
  return {
    ...{ name, entries, databaseBytes, readyMs: relay.readyMs },
    acceptedPerSecond: spread('acceptedPerSecond'),
    perSecond: spread('perSecond'),
    cpuSecondsPer1000: spread('cpuSecondsPer1000'),
    pssBytes: { before, most: Math.max(side.most, after), after },
    ...{ http, stopMs, readyAgainMs: again.readyMs },
    readyCpuSeconds: [relay.readyCpuSeconds, again.readyCpuSeconds],
  }
}

/** While mail flows, one request at a time; longer than the mail when that is through first. */
async function timeHttp(side: Side, work: Case, signal: AbortSignal): Promise<Latency[]> {
  const flowing = flow(side, work, 'http', signal)
  const times = new Map(paths.map(path => [path, [] as number[]]))
  const asking = (async () => {
    for (let sample = 0; sample < samples; sample++)
      for (const [path, own] of times) own.push(await side.relay.get(path))
  })()
  await Promise.all([flowing, asking])
  return [...times].map(([path, own]) => ({ path, p50Ms: quantile(own, 0.5), maxMs: quantile(own, 1) }))
}

function ratiosOf([empty, dead]: readonly Side[]): DeadSiteResult['ratios'] {
  const ratio = (measure: keyof Rates) =>
    quotients(
      dead!.rates.map(round => round[measure]),
      empty!.rates.map(round => round[measure]),
    )
  return {
    acceptedPerSecond: ratio('acceptedPerSecond'),
    perSecond: ratio('perSecond'),
    cpuSecondsPer1000: ratio('cpuSecondsPer1000'),
  }
}
