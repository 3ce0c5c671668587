/**
 * `kitte bench --case orders`: a postmaster's questions and orders at a full queue, by HTTP, while mail flows.
 *
 * One relay as in production whose store holds entries of many accounts, domains, sites and classes and as many finished
 * messages; their sites refuse every connection. Prints how soon each call answers, how long each order takes, what the
 * acceptance of mail took meanwhile and the most memory; as JSON with --json. Ends with 1 when mail was refused or lost,
 * an order did not do what it says, or the counts of /metrics did not add up at every look.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { samplesOf, sumOf } from '../../test/support/exposition.ts'
import { addressOf, caseNamed } from './cases.ts'
import { type Relay, startAgain, startZone } from './dead-site-relay.ts'
import type { FlowMethods } from './flow-thread.ts'
import { startKitte } from './kitte.ts'
import { sinkPort, startOwnSink } from './load.ts'
import { describeMachine } from './machine.ts'
import * as filled from './orders-fill.ts'
import { ordersText } from './orders-report.ts'
import { percentilesOf, quantile } from './statistics.ts'
import { startThread } from './threads.ts'
import { pssBytes } from './usage.ts'
import { withinTime } from './within-time.ts'

export interface Accepted {
  readonly mails: number
  readonly refused: number
  /** From when a mail was due to its 250. */
  readonly acceptMs: ReturnType<typeof percentilesOf>
}

export interface Question {
  readonly what: string
  readonly p50Ms: number
  readonly maxMs: number
}

export interface OrderTaken extends Accepted {
  readonly what: string
  readonly changed: number
  /** Until the answer of the call that ordered it. */
  readonly answeredMs: number
  /** Until it was done. */
  readonly seconds: number
  readonly pssBytes: number
}

export interface OrdersResult {
  readonly machine: Awaited<ReturnType<typeof describeMachine>>
  readonly entries: number
  readonly finished: number
  readonly rate: number
  readonly fillSeconds: number
  readonly readyMs: number
  readonly alone: Accepted
  readonly besideQuestions: Accepted
  readonly questions: readonly Question[]
  readonly orders: readonly OrderTaken[]
  /** What is finished deleted by retention, in a second run of the relay; null: not asked for. */
  readonly purge: OrderTaken | null
  readonly problems: readonly string[]
}

interface Operation {
  readonly id: string
  readonly total: number
  readonly done: number
  readonly state: string
}
interface OrderAnswer {
  readonly changed: number
  readonly operation: Operation | null
}
interface Suspension {
  readonly id: string
  readonly state: string
  readonly held: number
}
type Act = () => Promise<{ readonly changed: number; readonly answeredMs: number }>

const tell = (text: string) => process.stderr.write(`${text}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const { values } = parseArgs({
  options: {
    ...{ entries: { type: 'string', default: '100000' }, rate: { type: 'string', default: '50' } },
    ...{ alone: { type: 'string', default: '10' }, 'time-limit': { type: 'string', default: '1800' } },
    // The janitor's next round is up to a minute away.
    forget: { type: 'string', default: 'yes' },
    ...{ folder: { type: 'string' }, json: { type: 'boolean', default: false } },
  },
})
const [entries = 0, rate = 0, aloneSeconds = 0, timeLimit = 0] = [
  values.entries,
  values.rate,
  values.alone,
  values['time-limit'],
].map(Number)
/** Accounts of the waiting mail. */
const accountCount = 50
const accounts = Array.from({ length: accountCount }, (_, account) => `account${account}`)
/** Of each question; the smallest runs only show that it works. */
const samples = entries < 1000 ? 1 : 5
/** Of the flow of mail: what one mail waits for does not hold up the others, as with a CRM. */
const connections = 8
const lookEveryMs = samples === 1 ? 25 : 250
/** Until nothing waits at the end. */
const endMs = 30_000
const warmUpMs = 2000
const deadAddress = '127.0.0.250'
const queue = (query: string) => `/v1/queue?${query}`
const messages = (query: string) => `/v1/messages?${query}`

const folder = mkdtempSync(join(values.folder ?? tmpdir(), 'kitte-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const problems: string[] = []
const result = await withinTime(timeLimit * 1000, measure)
process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : ordersText(result))
process.exitCode = result.problems.length === 0 ? 0 : 1

async function measure(signal: AbortSignal): Promise<OrdersResult> {
  await using started = new AsyncDisposableStack()
  const machine = describeMachine(folder)
  // The smallest runs go on beside it: nobody reads their figures.
  if (samples > 1) await machine
  const work = caseNamed('c20')
  const port = await sinkPort(work)
  const sink = started.use(await startOwnSink(work, port))
  const relayFolder = join(folder, 'relay')
  mkdirSync(relayFolder)
  writeFileSync(join(relayFolder, 'zone.json'), JSON.stringify(deadZone()))
  const subject = await startKitte({ work, sinkPort: port, folder: relayFolder, variables: {} }, 'auto')
  await subject[Symbol.asyncDispose]()
  const dataDir = join(relayFolder, 'data')
  const startedAt = performance.now()
  await filled.fillStore({ dataDir, entries, finished: entries, accounts, signal })
  const fillSeconds = (performance.now() - startedAt) / 1000
  tell(`${entries} entries and as many finished messages stand in the store after ${fillSeconds.toFixed(0)} s`)
  started.use(await startZone(relayFolder))
  const relay = started.use(await startAgain(relayFolder, subject, signal))
  // In a thread of its own: what is read and parsed here must not count as the relay's time.
  const flow = started.use(await startThread<FlowMethods>('flow-thread.ts'))
  const door = { host: '127.0.0.1', port: subject.port, starttls: false, auth: null }
  const mail = { door, from: subject.from, recipient: 'someone@site0.bench.test', perSecond: rate, connections }
  await flow.remote.start(mail)
  const seen = async (): Promise<Accepted> => {
    const { latenciesMs, refused } = await flow.remote.take()
    return { mails: latenciesMs.length, refused, acceptMs: percentilesOf(latenciesMs) }
  }
  // Connections are made, code is warm.
  if (aloneSeconds > 0) await sleep(warmUpMs)
  await seen()
  await sleep(aloneSeconds * 1000)
  const alone = await seen()
  const questions = await ask(relay)
  const besideQuestions = await seen()
  const orders: OrderTaken[] = []
  const cancelledBefore = await cancelledBy(relay)
  for (const [what, act] of ordersAt(relay, port)) {
    tell(what)
    await seen()
    orders.push(await take(what, act, relay, seen))
  }
  const accepted = await flow.remote.stop()
  await checkEnd(relay, accepted, cancelledBefore, async () => (await sink.state()).deliveries)
  await relay.stop()
  const forget = async (): Promise<OrderTaken> => {
    tell('forget what is finished')
    keepHistory(join(relayFolder, 'kitte.yaml'), '10s')
    const again = started.use(await startAgain(relayFolder, subject, signal))
    await flow.remote.start(mail)
    const taken = await take('forget what is finished', () => forgotten(again), again, seen)
    await flow.remote.stop()
    return taken
  }
  const purge = values.forget === 'no' ? null : await forget()
  const refused = [...orders, ...(purge ? [purge] : []), alone, besideQuestions].reduce(
    (sum, one) => sum + one.refused,
    0,
  )
  if (refused > 0) problems.push(`${refused} mails were refused`)
  return {
    machine: await machine,
    ...{ entries, finished: entries, rate, fillSeconds, readyMs: relay.readyMs },
    ...{ alone, besideQuestions, questions, orders, purge, problems },
  }
}

/** Nothing listens at the sites of what waits. */
function deadZone() {
  const records = filled.deadDomains.flatMap(({ domain, site }) => [
    [domain, { MX: [[10, site]] }] as const,
    [site, { A: [deadAddress] }] as const,
  ])
  return Object.fromEntries(records)
}

/** Each several times over, one after the other. */
async function ask(relay: Relay): Promise<Question[]> {
  const number = Math.floor(entries / 2)
  const [waiting, ended] = [entries + number, number]
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString()
  const [recipient, sender] = [filled.recipientOf(ended), filled.senderOf(ended, accountCount)]
  const period = `since=${day(11)}&until=${day(10)}`
  const paths = [
    ...['/metrics', '/v1/queue', '/v1/queue?limit=500', `/v1/queue?recipient=${filled.recipientOf(waiting)}`],
    ...['account=account7', `senderDomain=${filled.senderDomainOf(7)}`, 'domain=d0.dead.test'].map(queue),
    ...[`site=${filled.siteOf(0)}`, 'site=none', 'class=network', 'priority=bulk'].map(queue),
    ...['due', 'waiting', 'leased', 'held'].map(state => queue(`state=${state}`)),
    queue('account=account7&domain=d0.dead.test&class=network&state=waiting'),
    ...['', `messageIdHeader=${filled.messageIdOf(ended)}`, `recipient=${recipient}`, `sender=${sender}`].map(messages),
    ...[`recipient=${recipient}&${period}`, `recipient=nobody@d0.dead.test`, period].map(messages),
    ...['queued', 'delivered', 'bounced', 'cancelled'].map(state => messages(`state=${state}`)),
    messages(`state=cancelled&${period}`),
    messages(`account=account7&state=bounced&${period}`),
    messages(`sender=${sender}&state=cancelled`),
    messages(`senderDomain=${filled.senderDomainOf(7)}&state=cancelled&until=${day(15)}`),
    messages(`sender=${sender}&recipient=${recipient}&state=delivered`),
  ]
  const found: Question[] = []
  for (const path of paths) found.push(await timed(`GET ${path}`, () => relay.text(path)))
  found.push(await timed('GET /v1/messages, 20 pages by cursor of one sender', () => pagesOf(relay, sender)))
  for (const verb of ['hold', 'release', 'retry', 'cancel'])
    for (const wanted of [{ all: true }, { filter: { domain: 'd0.dead.test', class: 'network' } }]) {
      const body = { ...wanted, dryRun: true }
      found.push(
        await timed(`dry run: ${verb} ${JSON.stringify(wanted)}`, () => relay.call('POST', `/v1/queue/${verb}`, body)),
      )
    }
  const suspension = { filter: { class: 'network' }, reason: 'bench', dryRun: true }
  found.push(await timed('dry run: suspend class=network', () => relay.call('POST', '/v1/suspensions', suspension)))
  return found
}

async function timed(what: string, act: () => Promise<unknown>): Promise<Question> {
  const times: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const begun = performance.now()
    await act()
    times.push(performance.now() - begun)
  }
  return { what, p50Ms: quantile(times, 0.5), maxMs: quantile(times, 1) }
}

/** The slowest page counts as the answer. */
async function pagesOf(relay: Relay, sender: string): Promise<void> {
  let cursor: string | null = ''
  for (let page = 0; page < 20 && cursor !== null; page++) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer: { next: string | null } = await relay.read(`/v1/messages?sender=${sender}&limit=50${after}`)
    cursor = answer.next
  }
}

/** In this order, each beginning with what the one before left. */
function ordersAt(relay: Relay, port: number): [string, Act][] {
  const order = (verb: string, wanted: object) => () => orderOf(relay, verb, wanted)
  const slice = { filter: { domain: 'd0.dead.test', class: 'network' } }
  const all = { all: true }
  let suspension = ''
  return [
    ['hold all', order('hold', all)],
    ['release all', order('release', all)],
    ['hold a domain and class', order('hold', slice)],
    ['release a domain and class', order('release', slice)],
    [
      'suspend a class',
      async () => {
        const begun = performance.now()
        const wanted = { filter: { class: 'network' }, reason: 'bench' }
        suspension = (await relay.call<{ suspension: Suspension }>('POST', '/v1/suspensions', wanted)).suspension.id
        const answeredMs = performance.now() - begun
        const { held } = await suspensionWhen(relay, suspension, one => one?.state === 'in-force')
        return { changed: held, answeredMs }
      },
    ],
    [
      'end the suspension',
      async () => {
        const { held } = await suspensionWhen(relay, suspension, () => true)
        const begun = performance.now()
        await relay.call('DELETE', `/v1/suspensions/${suspension}`)
        const answeredMs = performance.now() - begun
        await suspensionWhen(relay, suspension, one => one === undefined)
        return { changed: held, answeredMs }
      },
    ],
    [
      'reroute a domain and retry it',
      async () => {
        const filter = { domain: `d${filled.domainCount - 1}.dead.test` }
        const hosts = [`${addressOf(0)}:${port}`]
        await relay.call('POST', '/v1/routes', { domain: filter.domain, hosts, note: 'bench' })
        const { changed, answeredMs } = await orderOf(relay, 'retry', { filter })
        const left = () => relay.read<{ counts: { total: number } }>(queue(`domain=${filter.domain}`))
        while ((await left()).counts.total > 0) await sleep(lookEveryMs)
        return { changed, answeredMs }
      },
    ],
    ['retry all', order('retry', all)],
    ['cancel all', order('cancel', all)],
    ['cancel what was in flight', order('cancel', all)],
  ]
}

async function orderOf(relay: Relay, verb: string, wanted: object) {
  const begun = performance.now()
  const { changed, operation } = await relay.call<OrderAnswer>('POST', `/v1/queue/${verb}`, wanted)
  const answeredMs = performance.now() - begun
  if (operation === null) return { changed, answeredMs }
  for (;;) {
    const { state, done } = await relay.read<Operation>(`/v1/queue/operations/${operation.id}`)
    if (state !== 'running') {
      if (state !== 'done') problems.push(`the order to ${verb} is ${state}`)
      return { changed: done, answeredMs }
    }
    await sleep(lookEveryMs)
  }
}

async function suspensionWhen(
  relay: Relay,
  id: string,
  isSo: (one: Suspension | undefined) => boolean,
): Promise<Suspension> {
  for (;;) {
    const { suspensions } = await relay.read<{ suspensions: readonly Suspension[] }>('/v1/suspensions')
    const one = suspensions.find(known => known.id === id)
    if (isSo(one)) return one ?? { id, state: 'gone', held: 0 }
    await sleep(lookEveryMs)
  }
}

async function take(what: string, act: Act, relay: Relay, seen: () => Promise<Accepted>): Promise<OrderTaken> {
  let most = 0
  let over = false
  const looking = (async () => {
    for (; !over; await sleep(lookEveryMs)) {
      most = Math.max(most, pssBytes(relay.subject.pids))
      await checkCounts(relay, what)
    }
  })()
  const begun = performance.now()
  const { changed, answeredMs } = await act()
  const seconds = (performance.now() - begun) / 1000
  over = true
  await looking
  return { what, changed, answeredMs, seconds, pssBytes: most, ...(await seen()) }
}

/** JSON is YAML. */
function keepHistory(file: string, keep: string): void {
  const configuration = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...configuration, queue: { keepHistory: keep } }))
}

/** The oldest goes first, so all is gone with the last one. The janitor comes once a minute. */
async function forgotten(relay: Relay) {
  const last = messages(`messageIdHeader=${filled.messageIdOf(2 * entries - 1)}`)
  while ((await relay.read<{ messages: readonly unknown[] }>(last)).messages.length > 0) await sleep(lookEveryMs)
  return { changed: 2 * entries, answeredMs: 0 }
}

async function checkCounts(relay: Relay, when: string): Promise<number> {
  const found = samplesOf(await relay.text('/metrics'))
  const total = (action: string) => sumOf(found, `kitte_recipients_${action}_total`)
  const queued = sumOf(found, 'kitte_recipients_queued')
  const ended = total('delivered') + total('bounced') + total('cancelled')
  if (total('accepted') !== ended + queued)
    problems.push(`${when}: ${total('accepted')} accepted, ${ended} ended, ${queued} queued`)
  return queued
}

async function cancelledBy(relay: Relay): Promise<number> {
  return sumOf(samplesOf(await relay.text('/metrics')), 'kitte_recipients_cancelled_total')
}

/** Everything was cancelled or arrived: what went around, and of the flow what no order to cancel met in the queue. */
async function checkEnd(
  relay: Relay,
  accepted: number,
  cancelledBefore: number,
  deliveries: () => Promise<number>,
): Promise<void> {
  for (let left = endMs / lookEveryMs; left > 0 && (await checkCounts(relay, 'at the end')) > 0; left--)
    await sleep(lookEveryMs)
  const queued = await checkCounts(relay, 'at the end')
  if (queued > 0) problems.push(`${queued} recipients still wait at the end`)
  const cancelled = (await cancelledBy(relay)) - cancelledBefore
  const arrived = await deliveries()
  if (arrived + cancelled !== accepted + entries)
    problems.push(
      `${arrived} mails arrived and ${cancelled} were cancelled, of ${accepted} of the flow and ${entries} before`,
    )
}
