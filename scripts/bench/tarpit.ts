/**
 * The case `tarpit`: 20,000 entries wait for a site that answers every command ten seconds late, more for one that takes
 * so many messages a minute and then says 421, while mail to a normal site is handed in at an even rate.
 *
 * The same mail is timed before, with an empty queue. Fails when mail to the normal site is lost or doubled.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, type Case, caseNamed } from './cases.ts'
import { fillStore } from './dead-site-fill.ts'
import { type Relay, startAgain, startZone } from './dead-site-relay.ts'
import { delays } from './fairness.ts'
import { startKitte } from './kitte.ts'
import { type OwnSink, ownLoad, sinkPort, startOwnSink } from './load.ts'
import type { OddCounts, OddSitesMethods } from './odd-sites-thread.ts'
import { allArrived } from './round.ts'
import { type Percentiles, percentilesOf, quotients, type Spread } from './statistics.ts'
import { senderDomain } from './subject.ts'
import { startThread } from './threads.ts'
import { cpuSeconds } from './usage.ts'
import { withinTime } from './within-time.ts'

export interface TarpitOptions {
  readonly entries: number
  readonly messages: number | null
  readonly rounds: number
  readonly timeLimitMs: number
}

/** Of mail to the normal site, from when it was due. */
interface Times {
  readonly acceptedMs: Percentiles
  readonly arrivedMs: Percentiles
  /** CPU time of the relay meanwhile: says more than the clock where others use the machine. */
  readonly cpuSeconds: number
}

export interface TarpitResult {
  readonly name: 'tarpit'
  readonly entries: number
  readonly messages: number
  readonly perSecond: number
  readonly idle: readonly Times[]
  readonly beside: readonly Times[]
  /** p95 beside the two divided by p95 without, round by round. */
  readonly ratios: { readonly acceptedP95: Spread; readonly arrivedP95: Spread }
  readonly throttling: {
    readonly mostPerMinute: number
    readonly entries: number
    readonly minutes: readonly OddCounts[]
    /** In force at the end, and the reply that lowered them. */
    readonly limits: SiteLimits | null
  }
  readonly tarpit: { readonly open: number; readonly accepted: number }
}

interface SiteLimits {
  readonly site: string
  readonly connections: number
  readonly perMinute: number | null
  readonly adapted: { readonly reply: string } | null
}

const slow = { domain: 'tarpit.bench.test', address: addressOf(10), delayMs: 10_000 }
const strict = { domain: 'strict.bench.test', address: addressOf(11), mostPerMinute: 120, entries: 3000 }
/** A minute of mail in a round. */
const even = { sessions: 4, messages: 1200, perSecond: 20 }

export function runTarpit(options: TarpitOptions, folder: string, tell: (text: string) => void): Promise<TarpitResult> {
  return withinTime(options.timeLimitMs, signal => measure(options, folder, tell, signal))
}

async function measure(
  { entries, messages, rounds }: TarpitOptions,
  folder: string,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<TarpitResult> {
  const work = { ...caseNamed('c20'), sessions: even.sessions, messages: messages ?? even.messages }
  await using started = new AsyncDisposableStack()
  mkdirSync(folder)
  const port = await sinkPort(work)
  const sink = started.use(await startOwnSink(work, port))
  const odd = started.use(await startThread<OddSitesMethods>('odd-sites-thread.ts'))
  const { address: tarpit, delayMs } = slow
  await odd.remote.listen({ port, tarpit, delayMs, throttling: strict.address, mostPerMinute: strict.mostPerMinute })
  const subject = await startKitte({ work, sinkPort: port, folder, variables: {} }, 'auto')
  await subject[Symbol.asyncDispose]()
  const { book } = started.use(await startZone(folder))
  for (const { domain, address } of [slow, strict]) {
    book.set(domain, { MX: [[10, `mx.${domain}`]] })
    book.set(`mx.${domain}`, { A: [address] })
  }
  const idle: Times[] = []
  {
    await using relay = await startAgain(folder, subject, signal)
    await warmUp(work, relay, sink, signal)
    for (let round = 1; round <= rounds; round++) idle.push(await flow(`idle${round}`, work, relay, sink, signal, tell))
  }
  const dataDir = join(folder, 'data')
  const fill = { dataDir, from: subject.from, senderDomain, signal }
  await fillStore({ ...fill, entries, domain: slow.domain })
  await fillStore({ ...fill, entries: Math.min(strict.entries, entries), domain: strict.domain })
  await using relay = await startAgain(folder, subject, signal)
  await warmUp(work, relay, sink, signal)
  const beside: Times[] = []
  for (let round = 1; round <= rounds; round++) beside.push(await flow(`odd${round}`, work, relay, sink, signal, tell))
  const { sites } = await relay.read<{ sites: readonly SiteLimits[] }>('/v1/limits/sites')
  const counts = await odd.remote.counts()
  // Or the relay would wait for the tarpit when it is told to stop.
  await odd[Symbol.asyncDispose]()
  const p95 = (times: readonly Times[], of: 'acceptedMs' | 'arrivedMs') => times.map(round => round[of].p95)
  return {
    ...{ name: 'tarpit', entries, messages: work.messages, perSecond: even.perSecond, idle, beside },
    ratios: {
      acceptedP95: quotients(p95(beside, 'acceptedMs'), p95(idle, 'acceptedMs')),
      arrivedP95: quotients(p95(beside, 'arrivedMs'), p95(idle, 'arrivedMs')),
    },
    throttling: {
      mostPerMinute: strict.mostPerMinute,
      entries: Math.min(strict.entries, entries),
      minutes: counts.throttling,
      limits: sites.find(({ site }) => site === `mx.${strict.domain}`) ?? null,
    },
    tarpit: counts.tarpit,
  }
}

/** Compiled code and open connections are part of no round. */
async function warmUp(work: Case, relay: Relay, sink: OwnSink, signal: AbortSignal): Promise<void> {
  const messages = Math.min(100, work.messages)
  const before = (await sink.state()).deliveries
  await ownLoad({ ...work, messages }, relay.subject, { label: `warm${before}`, perSecond: even.perSecond, signal })
  await allArrived(sink, before + messages, signal)
}

async function flow(
  label: string,
  work: Case,
  { subject }: Relay,
  sink: OwnSink,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<Times> {
  const expected = (await sink.state()).deliveries + work.messages
  const before = cpuSeconds(subject.pids)
  const { transactionsMs, dueAt } = await ownLoad(work, subject, { label, perSecond: even.perSecond, signal })
  await allArrived(sink, expected, signal)
  const { deliveries, distinct } = await sink.state()
  if (deliveries !== expected || distinct !== expected)
    throw new Error(`${deliveries} copies arrived, ${distinct} different ones, not ${expected}`)
  const arrivedMs = percentilesOf(delays(dueAt, await sink.arrivals(label)))
  tell(`tarpit, ${label}: p95 from due to arrival ${arrivedMs.p95.toFixed(1)} ms`)
  return { acceptedMs: percentilesOf(transactionsMs), arrivedMs, cpuSeconds: cpuSeconds(subject.pids) - before }
}
