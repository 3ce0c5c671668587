/**
 * `kitte credential`: usernames and passwords for SMTP. A password is printed once, when it is made.
 */
import { Argument, type Command, Option } from 'commander'
import type { CredentialAnswer, CredentialShownOnce } from '../admin/routes/credentials.ts'
import { priorities } from '../mail/priority.ts'
import { confirm } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show, tell } from './context.ts'
import { addLimitOptions, type LimitOptions, limitsOf, limitText } from './limits.ts'
import { accountIdOf, readAll } from './lists.ts'
import { poolOf } from './pool.ts'
import { facts, table } from './table.ts'
import { timesOf } from './times.ts'

interface CreateOptions extends LimitOptions {
  readonly account?: string
  readonly all?: boolean
  readonly username?: string
  readonly priority?: string
}

export function register(program: Command, context: CliContext): void {
  const credential = program.command('credential').description('usernames and passwords for SMTP')
  registerCreate(credential, context)
  registerList(credential, context)
  registerChange(credential, context)
}

function registerCreate(credential: Command, context: CliContext): void {
  const create = credential
    .command('create')
    .option('--account <account>', 'id or name of the account it belongs to')
    .option('--all', 'a credential of the CRM itself: the From address decides the account')
    .option('--username <name>', 'made when not given')
    .addOption(new Option('--priority <priority>', 'of mail that says no other').choices(priorities))
    .description('make a username and password')
  addLimitOptions(create).action(async (options: CreateOptions, command: Command) => {
    if ((options.account === undefined) !== (options.all === true))
      throw new CliError('whose credential is it?', 'give either --account ACCOUNT or --all')
    const api = connect(context, command)
    const owner =
      options.account === undefined ? { scope: 'all' } : { account: await accountIdOf(api, options.account) }
    const body = { ...owner, username: options.username, limits: limitsOf(options), priority: options.priority }
    show(context, command, await api.post<CredentialShownOnce>('/v1/credentials', body), describeOnce)
  })
}

function registerList(credential: Command, context: CliContext): void {
  credential
    .command('list')
    .option('--account <account>', 'only those of one account, by id or name')
    .description('list credentials')
    .action(async (options: { account?: string }, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? null : await accountIdOf(api, options.account)
      const credentials = await readAll<CredentialAnswer>(api, '/v1/credentials', 'credentials', { account })
      const at = timesOf(context, command)
      show(context, command, { credentials }, answer =>
        table(
          ['id', 'username', 'account', 'limits', 'priority', 'created', 'revoked'],
          answer.credentials.map(row => [
            row.id,
            row.username,
            row.account ?? 'all',
            limitText(row.limits),
            row.priority,
            at(row.createdAt),
            at(row.revokedAt),
          ]),
          'no credentials yet; "kitte credential create --account ACCOUNT" makes one',
        ),
      )
    })
}

function registerChange(credential: Command, context: CliContext): void {
  const limit = credential
    .command('limit')
    .argument('<credential>', 'id or username')
    .description('change the limits of a credential')
  credential
    .command('pool')
    .argument('<credential>', 'id or username')
    .argument('<pool>', 'name of a pool; "none": that of its domain or account')
    .description('choose the pool of source addresses its mail leaves by')
    .action(async (given: string, pool: string, _options: object, command: Command) => {
      const { id } = await find(context, command, given)
      const change = { pool: poolOf(pool) }
      const answer = await connect(context, command).patch<CredentialAnswer>(`/v1/credentials/${id}`, change)
      show(context, command, answer, describe)
    })
  addLimitOptions(limit).action(async (given: string, options: LimitOptions, command: Command) => {
    const api = connect(context, command)
    const { id } = await find(context, command, given)
    const change = { limits: limitsOf(options) ?? {} }
    show(context, command, await api.patch<CredentialAnswer>(`/v1/credentials/${id}`, change), describe)
  })
  credential
    .command('priority')
    .argument('<credential>', 'id or username')
    .addArgument(new Argument('<priority>', 'of mail that says no other').choices([...priorities, 'none']))
    .description('change the priority of its mail')
    .action(async (given: string, priority: string, _options: object, command: Command) => {
      const { id } = await find(context, command, given)
      const change = { priority: priority === 'none' ? null : priority }
      const answer = await connect(context, command).patch<CredentialAnswer>(`/v1/credentials/${id}`, change)
      show(context, command, answer, describe)
    })
  credential
    .command('rotate')
    .argument('<credential>', 'id or username')
    .description('replace the password at once')
    .action(async (given: string, _options: object, command: Command) => {
      const { id } = await find(context, command, given)
      const answer = await connect(context, command).post<CredentialShownOnce>(`/v1/credentials/${id}/rotate`)
      show(context, command, answer, describeOnce)
    })
  credential
    .command('revoke')
    .argument('<credential>', 'id or username')
    .option('--yes', 'do not ask')
    .description('refuse a credential from now on, for good')
    .action(async (given: string, options: { yes?: boolean }, command: Command) => {
      const { id, username } = await find(context, command, given)
      await confirm(context, `Whoever logs in as ${username} will be refused, for good.`, options.yes === true)
      await connect(context, command).delete(`/v1/credentials/${id}`)
      tell(context, command, `revoked credential ${id} (${username})`)
    })
}

async function find(context: CliContext, command: Command, idOrUsername: string): Promise<CredentialAnswer> {
  const all = await readAll<CredentialAnswer>(connect(context, command), '/v1/credentials', 'credentials')
  const found = all.find(row => row.id === idOrUsername) ?? all.find(row => row.username === idOrUsername)
  if (!found) throw new CliError(`there is no credential ${idOrUsername}`, '"kitte credential list" shows them all')
  return found
}

function describe(credential: CredentialAnswer): string {
  return facts([
    ['credential', credential.id],
    ['account', credential.account ?? 'all'],
    ['username', credential.username],
    ['limits', limitText(credential.limits)],
    ['priority', credential.priority ?? 'none'],
    ...(credential.pool === null ? [] : [['pool', credential.pool] as const]),
  ])
}

function describeOnce(credential: CredentialShownOnce): string {
  const secret = facts([
    ['username', credential.username],
    ['password', credential.password],
  ])
  return `${describe(credential)}\n\nKeep this now, the password is not shown again:\n${secret}`
}
