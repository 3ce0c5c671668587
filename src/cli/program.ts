/**
 * The command line as a whole: the commands, the options they share, and how their failures are told.
 *
 * A failure is one message on stderr with its mend below, and exit code 1; a bug is told with its stack.
 */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../base/config-error.ts'
import { CliError } from './cli-error.ts'
import { commands, type Register } from './commands.ts'
import type { CliContext } from './context.ts'

/** Runs one command; answers the exit code. */
export async function runCli(
  argv: readonly string[],
  context: CliContext,
  registers: readonly Register[] = commands,
): Promise<number> {
  try {
    await programOf(context, registers).parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    return report(context, error)
  }
}

/** All commands, ready to be parsed or looked at. */
export function programOf(context: CliContext, registers: readonly Register[] = commands): Command {
  const program = createProgram(context)
  for (const register of registers) register(program, context)
  return program
}

/** Subcommands inherit output and exit behaviour, so these must be set before they are added. */
function createProgram(context: CliContext): Command {
  return new Command('kitte')
    .description('Kitte, a self-hosted SMTP relay')
    .exitOverride()
    .configureOutput({
      writeOut: text => context.output.write(text),
      writeErr: text => context.errors.write(text),
      getOutHelpWidth: () => context.output.columns ?? 100,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(kitte help COMMAND tells more)')
    .option('--config <file>', 'configuration of the relay (KITTE_CONFIG; without: the sandbox)')
    .option('--api <url>', 'address of a running relay (KITTE_API)')
    .option('--json', "print the API's JSON")
}

function report(context: CliContext, error: unknown): number {
  // Commander has printed its own: help, or what is wrong with the arguments.
  if (error instanceof CommanderError) return error.exitCode
  context.errors.write(`${describe(error)}\n`)
  return 1
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return `kitte: ${error.message}`
  if (!(error instanceof CliError)) return `kitte: ${error instanceof Error ? error.stack : String(error)}`
  const mend = error.mend === '' ? '' : `\n${error.mend.replace(/^/gm, '  ')}`
  return `kitte: ${error.message}${mend}`
}
