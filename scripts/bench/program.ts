/**
 * Programs of a run: started on loopback, each the leader of a group of its own, and ended by that id whatever happens.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '../../test/support/real/program.ts'

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** Resolves with its exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>
  output(): string
}

export interface ProgramOptions {
  readonly variables?: Readonly<Record<string, string>>
  /** Its standard output goes there. */
  readonly outputFile?: string
  readonly ready?: (output: string) => boolean | Promise<boolean>
}

/** A relay that was told to end finishes what it has under way; then it is made to. */
const endWithinMs = 15_000

export async function startProgram(
  command: string,
  args: readonly string[],
  { variables = {}, outputFile, ready }: ProgramOptions = {},
): Promise<Program> {
  const stdout = outputFile === undefined ? 'pipe' : openSync(outputFile, 'w')
  const child = spawn(command, args, {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, ...variables },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000)
    })
  await once(child, 'spawn')
  const { pid } = child
  const killAtExit = () => signalGroup(pid!, 'SIGKILL')
  // Before the folder goes in which they work.
  process.prependListener('exit', killAtExit)
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', killAtExit)
    return code as number | null
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const program: Program = {
    pid: pid!,
    ended,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (!isRunning()) return
      signalGroup(pid!, 'SIGTERM')
      const inTime = await Promise.race([ended.then(() => true), sleep(endWithinMs, false, { ref: false })])
      if (!inTime) signalGroup(pid!, 'SIGKILL')
      await ended
    },
  }
  if (ready) await waitUntilReady(program, command, isRunning, ready)
  return program
}

async function waitUntilReady(
  program: Program,
  command: string,
  isRunning: () => boolean,
  ready: (output: string) => boolean | Promise<boolean>,
): Promise<void> {
  try {
    await waitFor(`${command} to be ready`, () => {
      if (!isRunning()) throw new Error(`${command} ended`)
      return ready(program.output())
    })
  } catch (error) {
    await program[Symbol.asyncDispose]()
    throw new Error(`${(error as Error).message}\n${program.output()}`, { cause: error })
  }
}

/** The group can be gone already. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
