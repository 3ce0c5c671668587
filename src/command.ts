/**
 * The command line over this process: its streams, its arguments, its exit code.
 *
 * `run.ts` with all it brings along is loaded by `kitte start` only, so that the other commands answer at once.
 */
import { systemClock } from './base/clock.ts'
import type { CliContext } from './cli/context.ts'
import { runCli } from './cli/program.ts'

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

process.exitCode = await runCli(process.argv.slice(2), context)
