/**
 * `kitte start`: runs the relay; without a configuration the sandbox, which nothing leaves.
 */
import type { Command } from 'commander'
import { configWarnings, loadConfig } from '../base/config.ts'
import { type CliContext, commonOptions, warn } from './context.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('run the relay (--config FILE), or without configuration the sandbox on this machine')
    .action(async (_options: object, command: Command) => {
      const { config: file } = commonOptions(context, command)
      if (file === null) return context.start(null, [])
      // All mistakes are told before anything is opened.
      const config = loadConfig([file], context.variables)
      const warnings = configWarnings(config, [file], context.variables)
      warn(context, warnings)
      await context.start(config, warnings)
    })
}
