/**
 * `kitte start`: runs the relay; without a configuration the sandbox, which nothing leaves.
 */
import type { Command } from 'commander'
import { loadConfig } from '../base/config.ts'
import { type CliContext, commonOptions } from './context.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('run the relay (--config FILE), or without configuration the sandbox on this machine')
    .action(async (_options: object, command: Command) => {
      const { config } = commonOptions(context, command)
      // All mistakes are told before anything is opened.
      await context.start(config === null ? null : loadConfig([config], context.variables, 'production'))
    })
}
