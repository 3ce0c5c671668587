/**
 * Runs the command line in this process, with streams that remember.
 */
import { PassThrough, Writable } from 'node:stream'
import { systemClock } from '../../../src/base/clock.ts'
import type { Config } from '../../../src/base/config.ts'
import { runCli } from '../../../src/cli/program.ts'

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What `start` was called with; empty when it was not. */
  readonly started: readonly (Config | null)[]
  /** What it was told to log. */
  readonly warnings: readonly string[]
}

/** `input`: what comes in on standard input. */
export async function cli(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  input = '',
): Promise<CliRun> {
  const [output, errors] = [remembering(), remembering()]
  const started: (Config | null)[] = []
  const warnings: string[] = []
  const stdin = new PassThrough()
  stdin.end(input)
  const context = {
    input: stdin,
    output: output.stream,
    errors: errors.stream,
    clock: systemClock,
    variables,
    async start(config: Config | null, told: readonly string[]) {
      started.push(config)
      warnings.push(...told)
    },
  }
  const code = await runCli(args, context)
  return { code, out: output.text(), err: errors.text(), started, warnings }
}

function remembering() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return { stream, text: () => text }
}
