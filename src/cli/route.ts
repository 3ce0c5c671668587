/**
 * `kitte route`: mail for a recipient domain or a site goes to other hosts than its MX.
 */
import { type Command, Option } from 'commander'
import type { DetourAnswer } from '../admin/routes/detours.ts'
import { tlsLevels } from '../mail/tls-level.ts'
import { type CliContext, connect, show, tell } from './context.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'
import { untilOf } from './until.ts'

interface AddOptions {
  readonly via: readonly string[]
  readonly note: string
  readonly tls?: string
  readonly for?: string
  readonly until?: string
}

const base = '/v1/routes'

export function register(program: Command, context: CliContext): void {
  const route = program.command('route').description('mail that goes to other hosts than the MX')
  route
    .command('add')
    .argument('<domain>', 'a recipient domain, or the end of the names of its MX hosts')
    .requiredOption('--via <hosts...>', 'hosts to try in this order, with :port where it is another')
    .requiredOption('--note <text>', 'why')
    .addOption(new Option('--tls <level>', 'at least this').choices(tlsLevels))
    .option('--for <duration>', 'ends by itself after 30m, 2h, 1d …')
    .option('--until <time>', '… or then, such as 2026-01-15T18:00:00+09:00')
    .description('send its mail there; what waits follows at its next try ("kitte queue retry" hurries it)')
    .action(async (domain: string, options: AddOptions, command: Command) => {
      const { via: hosts, note, tls } = options
      const body = { domain, hosts, note, tls, until: untilOf(options, context.clock) }
      const at = timesOf(context, command)
      show(context, command, await connect(context, command).post<DetourAnswer>(base, body), made =>
        routeText(made, at),
      )
    })
  route
    .command('list')
    .description('list the routes that lead elsewhere than the MX')
    .action(async (_options: object, command: Command) => {
      const at = timesOf(context, command)
      const found = await connect(context, command).get<{ routes: DetourAnswer[] }>(base)
      show(context, command, found, ({ routes }) =>
        table(
          ['route', 'for', 'goes', 'tls', 'until', 'note'],
          routes.map(one => [one.id, one.domain, one.site, one.tls, at(one.until), one.note]),
          'all mail goes to the MX of its domain',
        ),
      )
    })
  route
    .command('remove')
    .argument('<id>', 'as "kitte route list" prints it')
    .description('send its mail to the MX again')
    .action(async (id: string, _options: object, command: Command) => {
      await connect(context, command).delete(`${base}/${encodeURIComponent(id)}`)
      tell(context, command, `removed route ${id}`)
    })
}

function routeText({ id, domain, site, tls, until, note }: DetourAnswer, at: TimeText): string {
  return facts([
    ['route', id],
    ['for', domain],
    ['goes', site],
    ['tls', tls],
    ['until', until === null ? 'it is removed' : at(until)],
    ['note', note],
  ])
}
