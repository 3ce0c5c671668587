/**
 * Kitte as a process that can be killed and started again on its folder and ports, among a name server and a sink.
 *
 * Its listener is in plain text, so that a tracer can read the replies and a client costs little.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { openZoneBook } from '../../src/sandbox/zone-book.ts'
import { startZoneServer } from '../../src/sandbox/zone-server.ts'
import { freePort, temporaryFolder, waitFor } from './real/program.ts'
import { addCustomer, callApi, configOf, program } from './real/relay-process.ts'
import { type Sink, type SinkOptions, startSink } from './sink.ts'

export interface ProcessWorldOptions {
  /** Default: a folder of its own. */
  readonly dataDir?: string
  /** Keys that differ from `configOf`, by group; lists as a whole. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>> | readonly unknown[]>>
  /** What runs it: a tracer with its options. */
  readonly through?: readonly string[]
  readonly sink?: SinkOptions
}

/** The relay runs; mail from `ours.example` may be handed in, with its records published, and goes to the sink. */
export interface ProcessWorld extends AsyncDisposable {
  readonly relay: ProcessRelay
  readonly sink: Sink
  readonly login: { readonly username: string; readonly password: string }
}

export async function startProcessWorld(options: ProcessWorldOptions = {}): Promise<ProcessWorld> {
  await using started = new AsyncDisposableStack()
  const folder = started.use(temporaryFolder('kitte-process-'))
  const sink = started.use(await startSink(options.sink))
  const book = openZoneBook(join(folder.path, 'zone.json'))
  const publish = (zone: ReturnType<Sink['zone']>) => {
    for (const [name, entry] of Object.entries(zone)) book.set(name, { ...book.entry(name), ...entry })
  }
  publish(sink.zone('sink.example', 'other.example', 'ours.example'))
  const hosts = { mx: 'mx.sink.example', nameServer: 'ns.sink.example' }
  const zone = await startZoneServer({ book, hosts, host: '127.0.0.1', port: 0, clock: systemClock })
  started.defer(() => zone.stop())
  const [port, httpPort] = [await freePort(), await freePort()]
  const relay = started.use(
    new ProcessRelay({ ...options, folder: folder.path, port, httpPort, dnsPort: zone.port, mxPort: sink.port }),
  )
  await relay.start()
  const customer = await addCustomer(relay, 'ours.example')
  publish(customer.zone)
  const { spf, dkim } = await relay.api<{ spf: string; dkim: string }>('POST', '/v1/domains/ours.example/verify')
  if (spf !== 'published' || dkim !== 'published') throw new Error(`ours.example: SPF ${spf}, DKIM ${dkim}`)
  const running = started.move()
  return { relay, sink, login: customer, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

interface ProcessRelayParts extends ProcessWorldOptions {
  readonly folder: string
  readonly port: number
  readonly httpPort: number
  readonly dnsPort: number
  readonly mxPort: number
}

export class ProcessRelay implements AsyncDisposable {
  readonly port: number
  readonly httpPort: number
  readonly dataDir: string
  readonly #parts: ProcessRelayParts
  readonly #configFile: string
  readonly #token = randomBytes(16).toString('hex')
  #process: ChildProcess | null = null
  #output = ''

  constructor(parts: ProcessRelayParts) {
    this.#parts = parts
    this.port = parts.port
    this.httpPort = parts.httpPort
    this.dataDir = parts.dataDir ?? join(parts.folder, 'data')
    this.#configFile = join(parts.folder, 'kitte.yaml')
    // JSON is YAML.
    writeFileSync(this.#configFile, JSON.stringify(this.#config()))
  }

  #config() {
    const listeners = [{ host: '127.0.0.1', port: this.port, tls: 'none' }]
    const config: Record<string, unknown> = configOf({ ...this.#parts, dataDir: this.dataDir, listeners })
    const settings = { submission: {}, ...this.#parts.settings }
    for (const [group, keys] of Object.entries(settings)) {
      config[group] = Array.isArray(keys) ? keys : { ...(config[group] ?? {}), ...keys }
    }
    config.submission = { requireTlsForAuth: false, ...(config.submission as object) }
    return config
  }

  /** Starts the process without waiting for anything. */
  launch(): void {
    const command = [...(this.#parts.through ?? []), process.execPath, program, 'start', '--config', this.#configFile]
    // As it is after it has replaced itself (`base/lean-process.ts`): Node starts once, not twice.
    const env = { ...process.env, KITTE_ADMIN_TOKEN: this.#token, MALLOC_ARENA_MAX: '2' }
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#output = ''
    const take = (chunk: Buffer) => {
      this.#output += chunk
    }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', take)
    this.#process = child
  }

  /** Starts it and waits until it runs. */
  async start(): Promise<void> {
    this.launch()
    await this.running()
  }

  async running(): Promise<void> {
    await waitFor('the relay to run', () => this.#runs())
  }

  #runs(): boolean {
    if (this.hasEnded) throw new Error(`the relay ended:\n${this.#output}`)
    return this.#output.includes('kitte: running')
  }

  /** Sends the signal and waits until the process is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#process === null || this.hasEnded) return
    const gone = once(this.#process, 'close')
    this.#process.kill(signal)
    await gone
  }

  get hasEnded(): boolean {
    return this.#process !== null && (this.#process.exitCode !== null || this.#process.signalCode !== null)
  }

  get pid(): number {
    return this.#process!.pid!
  }

  /** What the process wrote since it was started. */
  get output(): string {
    return this.#output
  }

  api<T>(method: string, path: string, body?: unknown): Promise<T> {
    return callApi(`http://127.0.0.1:${this.#parts.httpPort}${path}`, this.#token, method, body)
  }

  /** Asked without a token, whatever the status. */
  async ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.#parts.httpPort}${path}`)
    return { status: response.status, text: await response.text() }
  }

  /** Lines of the log's files, oldest first. */
  logged(): Record<string, unknown>[] {
    const folder = join(this.dataDir, 'log')
    const files = readdirSync(folder).sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
    return files.flatMap(file => parsed(readFileSync(join(folder, file), 'utf8')))
  }

  /** Resolves when no entry is queued any more. */
  async drained(): Promise<void> {
    const queued = () => this.api<{ counts: { total: number } }>('GET', '/v1/queue?limit=1')
    await waitFor('an empty queue', async () => (await queued()).counts.total === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM')
  }
}

export function parsed(lines: string): Record<string, unknown>[] {
  return lines.split('\n').flatMap(line => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []
    } catch {
      // Cut off by a kill.
      return []
    }
  })
}
