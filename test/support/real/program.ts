/**
 * Real programs for tests: found on the machine or skipped aloud, started on loopback, ended by their process id.
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Context } from 'mocha'
import { patienceMs } from '../patience.ts'

/** What a program said and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs until it is stopped. */
export interface Running extends AsyncDisposable {
  readonly process: ChildProcess
  /** Everything it wrote so far, both streams. */
  output(): string
}

/** Exim and OpenSMTPD can't be installed beside Postfix; .ci/run unpacks them here. */
const unpacked = ['exim', 'opensmtpd'].map(name =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kitte', name, 'usr/sbin'),
)
/** Daemons stand where a user's PATH does not reach. */
const folders = [
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/sbin',
  '/sbin',
  '/usr/lib/postfix/sbin',
  ...unpacked,
]

export function findProgram(name: string): string | null {
  return folders.map(folder => join(folder, name)).find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path; without the program the test or suite is skipped, and says why. */
export function needProgram(test: Context, name: string): string {
  return findProgram(name) ?? skipAloud(test, `${name} is not installed (.ci/run installs it)`)
}

/** Postfix and Exim give up their privileges themselves, so they must have some. */
export function needRoot(test: Context): void {
  if (process.getuid?.() !== 0) skipAloud(test, 'needs root')
}

export function skipAloud(test: Context, reason: string): never {
  console.log(`      skipped: ${reason}`)
  return test.skip()
}

/** Runs to its end; `input` goes to stdin. A non-zero code is an answer, not an error. */
export function run(command: string, args: readonly string[], input?: Buffer, timeoutMs = patienceMs): Promise<Ended> {
  return new Promise(resolve => {
    const options = { maxBuffer: 64 * 1024 * 1024, timeout: timeoutMs, env: { ...process.env, LC_ALL: 'C.UTF-8' } }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ code, stdout, stderr: error !== null && code === null ? `${stderr}\n${error.message}` : stderr })
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Starts a program and waits until `ready`; a program that ends before that is an error with all it said. */
export async function start(
  command: string,
  args: readonly string[],
  ready: (output: string) => boolean | Promise<boolean>,
  options: SpawnOptions = {},
  timeoutMs = patienceMs,
): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk
    })
  const ended = once(child, 'exit')
  const running: Running = {
    process: child,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await ended
    },
  }
  const isReady = () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} ended:\n${output}`)
    return ready(output)
  }
  await waitFor(`${command} to be ready`, isReady, timeoutMs).catch(async error => {
    await running[Symbol.asyncDispose]()
    throw new Error(`${error.message}\n${output}`)
  })
  return running
}

/** Asks again and again until the condition holds. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = patienceMs,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

export async function answers(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect(port, host)
  return new Promise(resolve => {
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

/**
 * A port that is free on every given address, for a program that can't say which one it got. It lies below the ports that
 * Linux takes for "any" and for outgoing connections (32768 and up), and none is given twice: nobody gets it meanwhile.
 */
export async function freePort(...hosts: readonly string[]): Promise<number> {
  const addresses = hosts.length === 0 ? ['127.0.0.1'] : hosts
  for (let tries = 0; tries < programPorts; tries++) {
    const port = firstProgramPort + (nextProgramPort++ % programPorts)
    if (await areFree(addresses, port)) return port
  }
  throw new Error(`no port is free on ${addresses.join(', ')}`)
}

const firstProgramPort = 20_000
const programPorts = 12_000
/** Several runs at once begin at different places. */
let nextProgramPort = (process.pid * 100) % programPorts

async function areFree(hosts: readonly string[], port: number): Promise<boolean> {
  for (const host of hosts) if (!(await isFree(host, port))) return false
  return true
}

/** For TCP and UDP: name servers listen on both. */
async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, host)
  const socket = createSocket('udp4').bind(port, host)
  const results = await Promise.allSettled([once(server, 'listening'), once(socket, 'listening')])
  server.close()
  socket.close()
  return results.every(({ status }) => status === 'fulfilled')
}

/** A folder that other users may enter; gone when disposed. */
export function temporaryFolder(prefix: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), prefix))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}
