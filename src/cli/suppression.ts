/**
 * `kitte suppression`: recipients that are not tried again, why, and how to undo it.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SuppressionAnswer } from '../admin/render-suppression.ts'
import type { UndoAnswer } from '../admin/routes/suppressions.ts'
import { suppressionReasons } from '../mail/suppression.ts'
import type { ApiClient, Query } from './api-client.ts'
import { confirm } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, commonOptions, connect, show, tell } from './context.ts'
import { accountIdOf, readAll } from './lists.ts'
import { importFile, importText } from './suppression-import.ts'
import { table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface FilterOptions {
  readonly address?: string
  readonly account?: string
  readonly everyone?: boolean
  readonly reason?: string
  readonly class?: string
  readonly domain?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
}

interface WhoseOptions {
  readonly account?: string
  readonly everyone?: boolean
}

const base = '/v1/suppressions'
const usualLimit = 50

export function register(program: Command, context: CliContext): void {
  const suppression = program.command('suppression').description('recipients that are not tried again')
  registerLook(suppression, context)
  registerAdd(suppression, context)
  registerRemove(suppression, context)
}

function registerLook(suppression: Command, context: CliContext): void {
  filtered(suppression.command('list'))
    .option('--limit <number>', 'rows shown', parseCount, usualLimit)
    .description('list suppressions, narrowed by what is given')
    .action(async (options: FilterOptions & { limit: number }, command: Command) => {
      const api = connect(context, command)
      const query = await queryOf(api, options)
      const suppressions = await readAll<SuppressionAnswer>(api, base, 'suppressions', query, options.limit)
      const at = timesOf(context, command)
      show(context, command, { suppressions }, answer => listText(answer.suppressions, at))
    })
  filtered(suppression.command('export'))
    .addOption(new Option('--format <format>', 'csv, or ndjson: a JSON object a line').choices(['csv', 'ndjson']))
    .description('print all that fit as CSV that "import" takes, or as JSON lines')
    .action(async ({ format, ...options }: FilterOptions & { format?: string }, command: Command) => {
      const api = connect(context, command)
      const { json } = commonOptions(context, command)
      const path = `${base}/export.${format ?? (json ? 'ndjson' : 'csv')}`
      await api.copy(path, await queryOf(api, options), context.output)
    })
}

function registerAdd(suppression: Command, context: CliContext): void {
  whose(suppression.command('add').argument('<address>', 'the recipient'))
    .addOption(reasonOption())
    .option('--note <text>', 'for yourself, shown with it')
    .option('--until <time>', 'it ends then, such as 2026-12-31T15:00:00Z; absent: when it is removed')
    .description('do not try a recipient any more')
    .action(
      async (
        address: string,
        { reason, note, until, ...options }: WhoseOptions & { reason?: string; note?: string; until?: string },
        command: Command,
      ) => {
        const api = connect(context, command)
        const account = await accountOf(api, options)
        const body = { address, account, reason, note, expiresAt: until }
        const made = await api.post<SuppressionAnswer>(base, body)
        show(context, command, made, one => `${one.address} is suppressed for ${one.account ?? 'all accounts'}`)
      },
    )
  whose(
    suppression
      .command('import')
      .argument(
        '<file>',
        'FILE.csv with a first line address,account,reason,expiresAt,note (address is enough; account: an id, or * for all), or FILE.json with a list',
      ),
  )
    .description('suppress the recipients of a file; what "export" prints can be read again')
    .action(async (file: string, options: WhoseOptions, command: Command) => {
      const api = connect(context, command)
      const usual = options.account === undefined && !options.everyone ? undefined : await accountOf(api, options)
      show(context, command, await importFile(api, file, usual), importText)
    })
}

function registerRemove(suppression: Command, context: CliContext): void {
  whose(suppression.command('remove').argument('<address>', 'the recipient'))
    .description('let a recipient be tried again')
    .action(async (address: string, options: WhoseOptions, command: Command) => {
      const api = connect(context, command)
      const account = await accountOf(api, options)
      await api.delete(pathOf(address, account))
      tell(context, command, `${address} is tried again for ${account ?? 'all accounts'}`)
    })
  filtered(suppression.command('undo'))
    .option('--all', 'really all there are')
    .option('--dry-run', 'only tell which ones it would be')
    .option('--yes', "don't ask")
    .description('remove all that fit: what a provider in trouble answered for an hour, say')
    .action(
      async (
        { all, dryRun, yes = false, ...options }: FilterOptions & { all?: boolean; dryRun?: boolean; yes?: boolean },
        command: Command,
      ) => {
        const api = connect(context, command)
        const { scope, ...filter } = await queryOf(api, options)
        const body = { filter: { ...filter, ...(scope === 'all' && { account: null }) }, all }
        if (Object.keys(body.filter).length === 0 && !all)
          throw new CliError(
            'which suppressions are meant?',
            'give options such as --domain; --all is really all of them',
          )
        const matched = await api.post<UndoAnswer>(`${base}/undo`, { ...body, dryRun: true })
        const at = timesOf(context, command)
        if (dryRun || matched.matched === 0) return show(context, command, matched, answer => undoText(answer, at))
        await confirm(context, `${matched.matched} recipients will be tried again`, yes)
        const done = await api.post<UndoAnswer>(`${base}/undo`, body)
        show(context, command, done, answer => `${answer.removed} suppressions were removed`)
      },
    )
}

function filtered(command: Command): Command {
  return whose(command)
    .option('--address <address>', 'one recipient')
    .addOption(reasonOption())
    .option('--class <class>', 'class of the bounce it came from, such as address-unknown')
    .option('--domain <domain>', 'recipient domain')
    .option('--text <text>', 'part of the reply it came from')
    .option('--since <time>', 'made then or later, such as 2026-01-15T03:00:00Z')
    .option('--until <time>', 'made before')
}

function whose(command: Command): Command {
  return command
    .option('--account <account>', 'of one account, by id or name')
    .option('--everyone', 'those of all accounts together')
}

function reasonOption(): Option {
  return new Option('--reason <reason>', 'why').choices(suppressionReasons)
}

async function queryOf(api: ApiClient, { account, everyone, ...fields }: FilterOptions): Promise<Query> {
  const of = account === undefined ? {} : { account: await accountIdOf(api, account) }
  return { ...fields, ...of, ...(everyone && { scope: 'all' }) }
}

/** One of the two must be said: a forgotten account would be everybody's. */
async function accountOf(api: ApiClient, { account, everyone }: WhoseOptions): Promise<string | null> {
  if ((account === undefined) === (everyone !== true))
    throw new CliError('whose suppression is meant?', 'give --account ACCOUNT, or --everyone for all accounts')
  return account === undefined ? null : accountIdOf(api, account)
}

function pathOf(address: string, account: string | null): string {
  const query = account === null ? '' : `?account=${encodeURIComponent(account)}`
  return `${base}/${encodeURIComponent(address)}${query}`
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number of at least 1.')
}

function listText(suppressions: readonly SuppressionAnswer[], at: TimeText): string {
  return table(
    ['recipient', 'account', 'reason', 'since', 'until', 'because'],
    suppressions.map(row => [
      row.address,
      row.account ?? 'all',
      row.reason,
      at(row.createdAt),
      row.expiresAt === null ? 'removed' : at(row.expiresAt),
      row.evidence?.reply ?? (row.evidence === null ? row.note : row.message.en),
    ]),
    'no suppressions',
  )
}

function undoText({ matched, sample }: UndoAnswer, at: TimeText): string {
  const more = matched > sample.length ? `\n… and ${matched - sample.length} more` : ''
  return `${matched} recipients would be tried again\n\n${listText(sample, at)}${more}`
}
