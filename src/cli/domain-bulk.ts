/**
 * `kitte domain import`, `verify --all` and `checks`: sender domains by the thousand.
 */
import type { Command } from 'commander'
import type { AccountAnswer } from '../admin/routes/accounts.ts'
import type { BulkAnswer, ChecksQueued, EntryResult, ProgressAnswer } from '../admin/routes/bulk.ts'
import type { ApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show } from './context.ts'
import { readCsv } from './csv.ts'
import { readListFile } from './list-file.ts'
import { accountIdOf, readAll } from './lists.ts'
import { facts, table } from './table.ts'

interface Entry {
  readonly name: string
  readonly account?: string
  readonly selector?: string
  readonly bits?: number
}

/** Of one call. */
const entriesAtOnce = 1000
const lookEveryMs = 500
const columns = ['name', 'account', 'selector', 'bits']

export function registerBulk(domain: Command, context: CliContext): void {
  domain
    .command('import')
    .argument(
      '<file>',
      'FILE.csv with a first line name,account,selector,bits (name is enough), or FILE.json with a list',
    )
    .option('--account <account>', 'id or name of the account of entries that name none')
    .description('register the sender domains of a file; those registered already stay as they are')
    .action(async (file: string, options: { account?: string }, command: Command) => {
      const entries = entriesOf(file)
      const api = connect(context, command)
      const answer = await importAll(api, await withAccounts(api, entries, options.account ?? null))
      show(context, command, answer, importText)
    })
  domain
    .command('checks')
    .description('tell how far the queued checks and keys of many domains have come')
    .action(async (_options: object, command: Command) => {
      show(context, command, await connect(context, command).get<ProgressAnswer>('/v1/domains/checks'), progressText)
    })
}

export interface VerifyAllOptions {
  readonly account?: string
  readonly wait: boolean
}

/** Queues the checks and waits until the line is empty. */
export async function verifyAll(context: CliContext, command: Command, { account, wait }: VerifyAllOptions) {
  const api = connect(context, command)
  const which = account === undefined ? { all: true } : { filter: { account: await accountIdOf(api, account) } }
  const queued = await api.post<ChecksQueued>('/v1/domains/verify', which)
  const progress = async () => api.get<ProgressAnswer>('/v1/domains/checks')
  let now = await progress()
  while (wait && now.checks.queued + now.checks.running > 0) {
    await context.clock.sleep(lookEveryMs)
    now = await progress()
  }
  show(context, command, { ...queued, ...now }, answer => {
    const { failed } = answer.checks
    const said = wait ? `were checked${failed > 0 ? `, ${failed} could not be` : ''}` : 'wait for their check'
    return `${answer.queued} domains ${said}; "kitte domain list" shows how they stand`
  })
}

function entriesOf(file: string): Entry[] {
  const text = readListFile(file)
  if (/\.json$/i.test(file)) return fromJson(text)
  if (/\.csv$/i.test(file)) return fromCsv(text)
  throw new CliError(`${file} is of no known kind`, 'name a file that ends in .csv or .json')
}

function fromJson(text: string): Entry[] {
  try {
    const list: unknown = JSON.parse(text)
    const entries = Array.isArray(list) ? list : (list as { domains?: unknown } | null)?.domains
    if (Array.isArray(entries) && entries.every(entry => typeof entry === 'object' && entry !== null)) return entries
  } catch (cause) {
    throw new CliError(`the file is not JSON: ${(cause as Error).message}`, 'write a list: [{"name": "example.jp"}]', {
      cause,
    })
  }
  throw new CliError('the file holds no list of domains', 'write a list: [{"name": "example.jp", "account": "Acme"}]')
}

function fromCsv(text: string): Entry[] {
  const rows = readCsv(text)
  const named = Object.keys(rows[0]?.fields ?? {})
  if (rows.length === 0) throw new CliError('the file names no domains', 'write a line for each after the first line')
  const strange = named.filter(name => !columns.includes(name))
  if (!named.includes('name') || strange.length > 0)
    throw new CliError(
      `the first line names ${named.join(', ')}`,
      `the first line must name the columns: name, and account, selector, bits where wanted, separated by commas`,
    )
  return rows.map(({ fields: { name = '', account, selector, bits } }) => ({
    name,
    ...(account ? { account } : {}),
    ...(selector ? { selector } : {}),
    ...(bits ? { bits: Number(bits) } : {}),
  }))
}

/** Accounts are known by name to people, by id to the API. */
async function withAccounts(api: ApiClient, entries: readonly Entry[], usual: string | null): Promise<Entry[]> {
  const accounts = await readAll<AccountAnswer>(api, '/v1/accounts', 'accounts')
  const ids = new Map<string, string>()
  for (const wanted of new Set(entries.map(({ account }) => account ?? usual))) {
    if (wanted === null)
      throw new CliError('an entry names no account', 'add a column account, or give --account ACCOUNT')
    const found = accounts.filter(({ id, name }) => id === wanted || name === wanted)
    if (found.length === 0)
      throw new CliError(`there is no account ${wanted}`, '"kitte account list" shows them all; nothing was registered')
    if (found.length > 1)
      throw new CliError(
        `${found.length} accounts are named ${wanted}`,
        `use the id: ${found.map(({ id }) => id).join(', ')}`,
      )
    ids.set(wanted, found[0]!.id)
  }
  return entries.map(entry => ({ ...entry, account: ids.get((entry.account ?? usual)!)! }))
}

async function importAll(api: ApiClient, entries: readonly Entry[]): Promise<BulkAnswer> {
  const results: EntryResult[] = []
  const counts = { created: 0, exists: 0, conflict: 0, invalid: 0 }
  for (let at = 0; at < entries.length; at += entriesAtOnce) {
    const domains = entries.slice(at, at + entriesAtOnce)
    const answer = await api.post<BulkAnswer>('/v1/domains/bulk', { domains })
    results.push(...answer.results)
    for (const [result, count] of Object.entries(answer.counts)) counts[result as keyof typeof counts] += count
  }
  return { results, counts }
}

function importText({ results, counts }: BulkAnswer): string {
  const { created, exists, conflict, invalid } = counts
  const sum = `${created} created, ${exists} registered already, ${conflict} of other accounts, ${invalid} not usable`
  const refused = results.filter(({ result }) => result === 'conflict' || result === 'invalid')
  const next = '"kitte domain checks" tells how far their keys and checks are'
  if (refused.length === 0) return `${sum}\n${next}`
  const rows = refused.map(row => [row.name, row.result, reasonOf(row)])
  return [sum, table(['domain', 'result', 'reason'], rows, ''), next].join('\n\n')
}

function reasonOf({ message, errors }: EntryResult): string {
  return [message?.en, ...errors.map(({ field, detail }) => `${field}: ${detail}`)].filter(Boolean).join('; ')
}

function progressText({ checks, keys }: ProgressAnswer): string {
  const line = ({ queued, running, done, failed }: ProgressAnswer['checks']) =>
    `${queued} waiting, ${running} under way, ${done} done${failed > 0 ? ` (${failed} failed)` : ''}`
  return facts([
    ['checks', line(checks)],
    ['keys', line(keys)],
  ])
}
