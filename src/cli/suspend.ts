/**
 * `kitte suspend`: slices of the mail that are not tried for now, with a reason and an end.
 */
import type { Command } from 'commander'
import type { SuspensionAnswer, SuspensionMadeAnswer } from '../admin/routes/suspensions.ts'
import { type CliContext, connect, show } from './context.ts'
import { accountIdOf } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'
import { untilOf } from './until.ts'

interface AddOptions {
  readonly account?: string
  readonly senderDomain?: string
  readonly domain?: string
  readonly site?: string
  readonly class?: string
  readonly reason: string
  readonly for?: string
  readonly until?: string
  readonly dryRun?: boolean
}

const base = '/v1/suspensions'
const states = {
  holding: 'in force; what waited already is still being held',
  'in-force': 'in force',
  ending: 'over; what it held is being released',
} as const

export function register(program: Command, context: CliContext): void {
  const suspend = program.command('suspend').description('slices of the mail that are not tried for now')
  registerAdd(suspend, context)
  suspend
    .command('list')
    .description('list suspensions with what they hold')
    .action(async (_options: object, command: Command) => {
      const at = timesOf(context, command)
      const found = await connect(context, command).get<{ suspensions: SuspensionAnswer[] }>(base)
      show(context, command, found, ({ suspensions }) => listText(suspensions, at))
    })
  suspend
    .command('end')
    .argument('<id>', 'as "kitte suspend list" prints it')
    .description('end a suspension: what it held goes at once, what an operator holds stays')
    .action(async (id: string, _options: object, command: Command) => {
      const at = timesOf(context, command)
      const ended = await connect(context, command).delete<SuspensionAnswer>(`${base}/${encodeURIComponent(id)}`)
      show(context, command, ended, one => suspensionText(one, at))
    })
}

function registerAdd(suspend: Command, context: CliContext): void {
  suspend
    .command('add')
    .requiredOption('--reason <text>', 'told wherever somebody asks why the mail waits')
    .option('--account <account>', 'mail of one account')
    .option('--sender-domain <name>', 'from one sender domain')
    .option('--domain <name>', 'to one recipient domain')
    .option('--site <site>', 'to one site, as "kitte queue list --by site" prints it')
    .option('--class <class>', 'deferred for one class of reasons')
    .option('--for <duration>', 'ends by itself after 30m, 2h, 1d …')
    .option('--until <time>', '… or then, such as 2026-01-15T18:00:00+09:00')
    .option('--dry-run', 'only count what would be held now')
    .description('hold what waits and fits all of this, and whatever comes later, until it ends')
    .action(async (options: AddOptions, command: Command) => {
      const { reason, dryRun, senderDomain, domain, site } = options
      const api = connect(context, command)
      const account = options.account === undefined ? undefined : await accountIdOf(api, options.account)
      const filter = { account, senderDomain, domain, site, class: options.class }
      const body = { filter, reason, dryRun, until: untilOf(options, context.clock) }
      const at = timesOf(context, command)
      const made = await api.post<SuspensionMadeAnswer>(base, body)
      show(context, command, made, ({ matched, suspension }) =>
        suspension === null ? `${matched} entries would be held now` : suspensionText(suspension, at),
      )
    })
}

function sliceText({ filter }: SuspensionAnswer): string {
  return Object.entries(filter)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

function suspensionText(one: SuspensionAnswer, at: TimeText): string {
  return facts([
    ['suspension', one.id],
    ['of', sliceText(one)],
    ['reason', one.reason],
    ['state', states[one.state]],
    ['holds', `${one.held} entries`],
    ['since', at(one.createdAt)],
    ['until', one.until === null ? 'it is ended' : at(one.until)],
  ])
}

function listText(suspensions: readonly SuspensionAnswer[], at: TimeText): string {
  return table(
    ['suspension', 'of', 'state', 'holds', 'since', 'until', 'reason'],
    suspensions.map(one => [one.id, sliceText(one), one.state, one.held, at(one.createdAt), at(one.until), one.reason]),
    'nothing is suspended',
  )
}
