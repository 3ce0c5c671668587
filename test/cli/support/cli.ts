/**
 * Runs the command line in this process, with streams that remember.
 */
import { PassThrough, Writable } from 'node:stream'
import { systemClock } from '../../../src/base/clock.ts'
import type { Config } from '../../../src/base/config.ts'
import { register as account } from '../../../src/cli/account.ts'
import { register as checkConfig } from '../../../src/cli/check-config.ts'
import { register as credential } from '../../../src/cli/credential.ts'
import { register as domain } from '../../../src/cli/domain.ts'
import { register as explain } from '../../../src/cli/explain.ts'
import { runCli } from '../../../src/cli/program.ts'
import { register as queue } from '../../../src/cli/queue.ts'
import { register as relay } from '../../../src/cli/relay.ts'
import { register as sandbox } from '../../../src/cli/sandbox.ts'
import { register as sender } from '../../../src/cli/sender.ts'
import { register as start } from '../../../src/cli/start.ts'
import { register as tail } from '../../../src/cli/tail.ts'

const commands = [start, checkConfig, account, credential, domain, sender, relay, queue, tail, explain, sandbox]

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
  const code = await runCli(args, context, commands)
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
