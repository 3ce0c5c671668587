/**
 * `kitte check-config`: whether the relay would start with a configuration, and the values that would count.
 */
import type { Command } from 'commander'
import { configWarnings, effectiveValues, loadConfig } from '../base/config.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, commonOptions, show, warn } from './context.ts'
import { facts } from './table.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('check-config')
    .argument('[file]', 'without: --config or KITTE_CONFIG')
    .description('check a configuration and print every value that counts')
    .action((given: string | undefined, _options: object, command: Command) => {
      const file = given ?? commonOptions(context, command).config
      if (file === null) throw new CliError('which configuration?', 'kitte check-config FILE')
      const config = loadConfig([file], context.variables)
      warn(context, configWarnings(config, [file], context.variables))
      const values = effectiveValues([file], context.variables)
      show(context, command, Object.fromEntries(values), answer => {
        const lines = facts(Object.entries(answer).map(([key, value]) => [key, JSON.stringify(value)]))
        return `${file}: ok\n\n${lines}`
      })
    })
}
