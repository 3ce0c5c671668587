/**
 * `kitte bench --case domains`: registers and checks thousands of sender domains by API, while mail flows.
 *
 * One relay as in production, its customers' name server, a sink, and a client that hands in a bounded number of mails a
 * second; all on loopback. Prints time, memory, CPU, DNS questions and the latency of acceptance in each phase, as JSON
 * with --json. Ends with 1 when a domain is not as it should be at the end, or a mail was refused or lost.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../../test/support/real/program.ts'
import type { FlowMethods } from './flow-thread.ts'
import { describeMachine } from './machine.ts'
import { type Program, startProgram } from './program.ts'
import type { SinkMethods } from './sink-thread.ts'
import { percentilesOf } from './statistics.ts'
import { hostOf, senderDomain } from './subject.ts'
import { startThread } from './threads.ts'
import { cpuSeconds, pssBytes } from './usage.ts'
import type { ZoneMethods } from './zone-thread.ts'

interface DnsText {
  readonly type: string
  readonly name: string
  readonly value: string
}
interface DomainAnswer {
  readonly name: string
  readonly mode: string
  readonly records: readonly DnsText[]
}
interface Line {
  readonly queued: number
  readonly running: number
  readonly done: number
  readonly failed: number
}
type Progress = { readonly checks: Line; readonly keys: Line }
type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>

interface Phase {
  readonly name: string
  readonly seconds: number
  readonly questions: number
  readonly cpuSeconds: number
  /** The most that was seen. */
  readonly memoryMegabytes: number
  readonly mails: number
  readonly refused: number
  /** From the final dot to the answer. */
  readonly acceptMs: ReturnType<typeof percentilesOf>
}

const root = join(import.meta.dirname, '../..')
const entriesAtOnce = 1000
const lookEveryMs = 500
const tell = (text: string) => process.stderr.write(`${text}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const { values } = parseArgs({
  options: {
    ...{ domains: { type: 'string', default: '5000' }, rate: { type: 'string', default: '20' } },
    ...{ bits: { type: 'string', default: '2048' }, alone: { type: 'string', default: '15' } },
    ...{ folder: { type: 'string' }, json: { type: 'boolean', default: false } },
  },
})
const [count, rate, bits, aloneSeconds] = [values.domains, values.rate, values.bits, values.alone].map(Number)

const folder = mkdtempSync(join(values.folder ?? tmpdir(), 'kitte-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
await using zone = await startThread<ZoneMethods>('zone-thread.ts')
await using sink = await startThread<SinkMethods>('sink-thread.ts')
// In a thread of its own: answers of 3 MB are read in this one, and must not count as the relay's time.
await using flow = await startThread<FlowMethods>('flow-thread.ts')
const dnsPort = await zone.remote.listen()
const sinkPort = await sink.remote.listen(['127.0.0.2'], 0)
await zone.remote.publish([
  [hostOf('ns'), { A: ['127.0.0.1'] }],
  [hostOf('spf'), { TXT: ['v=spf1 ip4:127.0.0.0/8 ~all'] }],
  ['site0.bench.test', { MX: [[10, 'mx.site0.bench.test']] }],
  ['mx.site0.bench.test', { A: ['127.0.0.2'] }],
])
const ports = { submission: await freePort(), http: await freePort() }
const token = randomBytes(16).toString('hex')
await using relay = await startRelay()
const call = apiAt(ports.http)
const account = (await call<{ id: string }>('POST', '/v1/accounts', { name: 'Bench' })).id
const credential = await call<{ username: string; password: string }>('POST', '/v1/credentials', { account })
await publishSender()
const phases: Phase[] = []
await flow.remote.start({
  door: { host: '127.0.0.1', port: ports.submission, starttls: false, auth: credential },
  from: `bench@${senderDomain}`,
  recipient: 'someone@site0.bench.test',
  perSecond: rate!,
})
const names = Array.from({ length: count! }, (_, n) => `customer${n}.test`)
await phase('mail alone', () => sleep(aloneSeconds! * 1000))
await phase(`registering ${count} domains`, register)
await phase('making keys, first checks', idle)
await phase('publishing their records', publishAll)
await phase(`checking ${count} domains`, async () => {
  await call('POST', '/v1/domains/verify', { all: true })
  await idle()
})
const accepted = await flow.remote.stop()
const result = {
  machine: await describeMachine(folder),
  domains: count,
  bits,
  rate,
  phases,
  problems: await problemsOf(accepted),
}
if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
else process.stdout.write(textOf())
process.exitCode = result.problems.length === 0 ? 0 : 1

function startRelay(): Promise<Program> {
  const file = join(folder, 'kitte.yaml')
  const configuration = {
    hostname: hostOf('relay'),
    dataDir: join(folder, 'data'),
    log: { stdout: false },
    submission: { listeners: [{ host: '127.0.0.1', port: ports.submission, tls: 'none' }], requireTlsForAuth: false },
    http: { host: '127.0.0.1', port: ports.http },
    dns: { servers: [`127.0.0.1:${dnsPort}`], allowPrivateAuthorities: true, authorityPort: dnsPort },
    delivery: { port: sinkPort, allowPrivateAddresses: true, ipv6: false },
    signing: { rsaBits: bits },
    spf: { mechanisms: ['ip4:127.0.0.1', `include:${hostOf('spf')}`], sendingIps: ['127.0.0.1'] },
    relayDomain: { name: hostOf('relay'), bounceHost: hostOf('bounce.relay') },
  }
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration))
  return startProgram(process.execPath, [join(root, 'src/kitte.ts'), 'start', '--config', file], {
    variables: { KITTE_ADMIN_TOKEN: token },
    ready: output => output.includes('kitte: running'),
  })
}

function apiAt(port: number): Call {
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }
}

async function publishSender(): Promise<void> {
  const made = await call<DomainAnswer>('POST', '/v1/domains', { name: senderDomain, account })
  await publish([made])
  const { mode } = await call<DomainAnswer>('POST', `/v1/domains/${senderDomain}/verify`)
  if (mode !== 'spf-dkim') throw new Error(`${senderDomain} travels as ${mode}`)
}

function publish(domains: readonly DomainAnswer[]): Promise<void> {
  const texts = domains.flatMap(({ records }) => records.filter(({ type }) => type === 'TXT'))
  return zone.remote.publish(texts.map(({ name, value }) => [name, { TXT: [value] }]))
}

async function register(): Promise<void> {
  for (let at = 0; at < names.length; at += entriesAtOnce) {
    const domains = names.slice(at, at + entriesAtOnce).map(name => ({ name, account }))
    const { counts } = await call<{ counts: { created: number } }>('POST', '/v1/domains/bulk', { domains })
    if (counts.created !== domains.length)
      throw new Error(`of ${domains.length} domains ${counts.created} were created`)
  }
}

/** Until nothing waits for a key or a check. */
async function idle(): Promise<void> {
  for (let told = 0; ; ) {
    const { checks, keys } = await call<Progress>('GET', '/v1/domains/checks')
    if ([checks, keys].every(({ queued, running }) => queued + running === 0)) return
    if (performance.now() > told + 30_000) {
      tell(`  keys: ${keys.done} made, ${keys.queued} wait; checks: ${checks.done} done, ${checks.queued} wait`)
      told = performance.now()
    }
    await sleep(lookEveryMs)
  }
}

async function* everyDomain(): AsyncGenerator<DomainAnswer[]> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: { domains: DomainAnswer[]; next: string | null } = await call('GET', `/v1/domains?limit=500${query}`)
    yield page.domains
    cursor = page.next
  }
}

async function publishAll(): Promise<void> {
  for await (const domains of everyDomain()) await publish(domains)
}

async function phase(name: string, work: () => Promise<unknown>): Promise<void> {
  tell(name)
  let memory = 0
  const look = () => {
    memory = Math.max(memory, pssBytes([relay.pid]))
  }
  const looking = setInterval(look, 1000)
  const [questions, cpu, begun] = [await zone.remote.questions(), cpuSeconds([relay.pid]), performance.now()]
  await flow.remote.take()
  await work()
  clearInterval(looking)
  look()
  const { latenciesMs, refused } = await flow.remote.take()
  phases.push({
    name,
    seconds: (performance.now() - begun) / 1000,
    questions: (await zone.remote.questions()) - questions,
    cpuSeconds: cpuSeconds([relay.pid]) - cpu,
    memoryMegabytes: memory / 1e6,
    ...{ mails: latenciesMs.length, refused, acceptMs: percentilesOf(latenciesMs) },
  })
}

async function problemsOf(accepted: number): Promise<string[]> {
  const problems: string[] = []
  const wrong: string[] = []
  let seen = 0
  for await (const domains of everyDomain()) {
    seen += domains.length
    wrong.push(...domains.filter(({ mode }) => mode !== 'spf-dkim').map(({ name, mode }) => `${name} ${mode}`))
  }
  if (seen !== count! + 1) problems.push(`${seen} domains are registered`)
  if (wrong.length > 0)
    problems.push(`${wrong.length} domains do not count as published: ${wrong.slice(0, 3).join(', ')}`)
  const refused = phases.reduce((sum, one) => sum + one.refused, 0)
  if (refused > 0) problems.push(`${refused} mails were refused`)
  for (let left = 60; left > 0 && (await sink.remote.state()).deliveries < accepted; left--) await sleep(lookEveryMs)
  const { deliveries } = await sink.remote.state()
  if (deliveries !== accepted) problems.push(`of ${accepted} accepted mails ${deliveries} arrived`)
  return problems
}

function textOf(): string {
  const rows = phases.map(one =>
    [
      one.name.padEnd(28),
      one.seconds.toFixed(1).padStart(8),
      String(one.questions).padStart(10),
      one.cpuSeconds.toFixed(1).padStart(8),
      one.memoryMegabytes.toFixed(0).padStart(8),
      String(one.mails).padStart(8),
      ...[one.acceptMs.p50, one.acceptMs.p95, one.acceptMs.p99, one.acceptMs.max].map(ms => ms.toFixed(1).padStart(8)),
    ].join(' '),
  )
  const { cpu, cores, node } = result.machine
  const head =
    'phase                               s   DNS q.    CPU s       MB    mails      p50      p95      p99   max ms'
  const end =
    result.problems.length === 0 ? 'all domains count as published, all mail arrived' : result.problems.join('\n')
  return `${cpu}, ${cores} cores, Node ${node}; RSA ${bits}; ${rate} mails/s\n\n${head}\n${rows.join('\n')}\n\n${end}\n`
}
