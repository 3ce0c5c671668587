/**
 * The command line over this process: its streams, its arguments, its exit code.
 *
 * `run.ts` with all it brings along is loaded by `kitte start` only, so that the other commands answer at once.
 */
import { systemClock } from './base/clock.ts'
import { register as account } from './cli/account.ts'
import { register as bench } from './cli/bench.ts'
import { register as checkConfig } from './cli/check-config.ts'
import type { CliContext } from './cli/context.ts'
import { register as credential } from './cli/credential.ts'
import { register as domain } from './cli/domain.ts'
import { register as explain } from './cli/explain.ts'
import { runCli } from './cli/program.ts'
import { register as queue } from './cli/queue.ts'
import { register as relay } from './cli/relay.ts'
import { register as sandbox } from './cli/sandbox.ts'
import { register as sender } from './cli/sender.ts'
import { register as start } from './cli/start.ts'
import { register as tail } from './cli/tail.ts'

const commands = [start, checkConfig, account, credential, domain, sender, relay, queue, tail, explain, sandbox, bench]

const context: CliContext = {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  clock: systemClock,
  variables: undefined,
  start: async (config, warnings) => (await import('./run.ts')).run(config, warnings),
}

// A reader that has seen enough (`kitte queue list | head`) is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await runCli(process.argv.slice(2), context, commands)
