/**
 * A Kitte that was set up and stopped, started again on the folder it left: timed from the command to /readyz.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { openZoneBook } from '../../src/sandbox/zone-book.ts'
import { startZoneServer } from '../../src/sandbox/zone-server.ts'
import { type Program, startProgram } from './program.ts'
import { hostOf, type Subject } from './subject.ts'
import { cpuSeconds } from './usage.ts'

export interface Relay extends AsyncDisposable {
  readonly subject: Subject
  /** From the command to the first 200 of /readyz. */
  readonly readyMs: number
  /** CPU time of that start: says more than the clock where others use the machine. */
  readonly readyCpuSeconds: number
  /** Milliseconds that the answer took, whole. */
  get(path: string): Promise<number>
  /** What it answers. */
  read<T>(path: string): Promise<T>
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  text(path: string): Promise<string>
  /** Milliseconds from SIGTERM to the end of the process. */
  stop(): Promise<number>
}

interface Configuration {
  readonly http: { readonly port: number }
  readonly dns: { readonly servers: readonly string[] }
}

export interface Zone extends AsyncDisposable {
  readonly book: ReturnType<typeof openZoneBook>
}

const root = join(import.meta.dirname, '../..')
const pollMs = 20

/** The zone that the folder's relay asks. */
export async function startZone(folder: string): Promise<Zone> {
  const book = openZoneBook(join(folder, 'zone.json'))
  const port = Number(configurationIn(folder).dns.servers[0]!.split(':')[1])
  const hosts = { mx: hostOf('mx'), nameServer: hostOf('ns') }
  const zone = await startZoneServer({ book, hosts, host: '127.0.0.1', port, clock: systemClock })
  return { book, [Symbol.asyncDispose]: () => zone.stop() }
}

/** `before`: what it was when it was set up; its ports and its customer stay. */
export async function startAgain(folder: string, before: Subject, signal: AbortSignal): Promise<Relay> {
  const token = randomBytes(16).toString('hex')
  const address = `http://127.0.0.1:${configurationIn(folder).http.port}`
  const textOf = async (path: string, method = 'GET', body?: unknown): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${address}${path}`, { method, headers, ...init })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text
  }
  const get = async (path: string): Promise<number> => {
    const startedAt = performance.now()
    await textOf(path)
    return performance.now() - startedAt
  }
  const startedAt = performance.now()
  const args = [join(root, 'src/kitte.ts'), 'start', '--config', join(folder, 'kitte.yaml')]
  const program = await startProgram(process.execPath, args, { variables: { KITTE_ADMIN_TOKEN: token } })
  try {
    await untilReady(program, get, signal)
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw error
  }
  const readyMs = performance.now() - startedAt
  const readyCpuSeconds = cpuSeconds([program.pid])
  return {
    subject: { ...before, pids: [program.pid], output: program.output },
    readyMs,
    readyCpuSeconds,
    get,
    read: async <T>(path: string) => JSON.parse(await textOf(path)) as T,
    call: async <T>(method: string, path: string, body?: unknown) => JSON.parse(await textOf(path, method, body)) as T,
    text: path => textOf(path),
    async stop() {
      const stoppedAt = performance.now()
      await program[Symbol.asyncDispose]()
      return performance.now() - stoppedAt
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

async function untilReady(program: Program, get: Relay['get'], signal: AbortSignal): Promise<void> {
  let ended = false
  void program.ended.then(() => {
    ended = true
  })
  while (!(await get('/readyz').then(Boolean, () => false))) {
    if (ended) throw new Error(`Kitte ended at its start\n${program.output()}`)
    await sleep(pollMs, undefined, { signal })
  }
}

function configurationIn(folder: string): Configuration {
  return JSON.parse(readFileSync(join(folder, 'kitte.yaml'), 'utf8')) as Configuration
}
