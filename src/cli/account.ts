/**
 * `kitte account`: customer organisations.
 */
import { type Command, Option } from 'commander'
import type { AccountAnswer } from '../admin/routes/accounts.ts'
import { tlsLevels } from '../mail/tls-level.ts'
import { confirm } from './ask.ts'
import { type CliContext, connect, show, tell } from './context.ts'
import { addLimitOptions, type LimitOptions, limitsOf, limitText } from './limits.ts'
import { accountIdOf, readAll } from './lists.ts'
import { poolOf, poolOption } from './pool.ts'
import { facts, table } from './table.ts'
import { timesOf } from './times.ts'

interface SetOptions extends LimitOptions {
  readonly name?: string
  readonly unaligned?: string
  readonly tls?: string
  readonly feedbackId?: string
  readonly autoSuppress?: string
  readonly pool?: string
}

export function register(program: Command, context: CliContext): void {
  const account = program.command('account').description('customer organisations')
  registerCreate(account, context)
  registerLook(account, context)
  registerSet(account, context)
  registerSuspend(account, context)
  account
    .command('delete')
    .argument('<account>', 'id or name')
    .option('--yes', 'do not ask')
    .description('delete an account without domains, sender addresses and queued mail')
    .action(async (given: string, options: { yes?: boolean }, command: Command) => {
      const api = connect(context, command)
      const id = await accountIdOf(api, given)
      await confirm(context, `Account ${given} and its credentials go for good.`, options.yes === true)
      await api.delete(`/v1/accounts/${id}`)
      tell(context, command, `deleted account ${id}`)
    })
}

function tlsOption(): Option {
  return new Option('--tls <level>', 'protection its mail must have: TLS, or TLS with proof of the host').choices(
    tlsLevels,
  )
}

function feedbackIdOption(): Option {
  return new Option('--feedback-id <whether>', "add Gmail's Feedback-ID to its mail; auto: as configured").choices([
    'on',
    'off',
    'auto',
  ])
}

function autoSuppressOption(): Option {
  const meaning = 'suppress recipients after hard bounces and complaints; auto: as configured'
  return new Option('--auto-suppress <whether>', meaning).choices(['on', 'off', 'auto'])
}

/** Undefined: not said. */
function whether(given: string | undefined): boolean | null | undefined {
  return given === undefined ? undefined : given === 'auto' ? null : given === 'on'
}

function wishesOf({ feedbackId, autoSuppress }: SetOptions) {
  return { feedbackId: whether(feedbackId), autoSuppress: whether(autoSuppress) }
}

function wishText(wish: boolean | null): string {
  return wish === null ? 'as configured' : wish ? 'on' : 'off'
}

function unalignedOption(): Option {
  return new Option('--unaligned <what>', 'mail that the DMARC rules of recipients would fail').choices([
    'send',
    'warn',
    'refuse',
  ])
}

function registerCreate(account: Command, context: CliContext): void {
  const create = account
    .command('create')
    .argument('<name>', 'of the organisation; ids are made')
    .description('register an account')
  addLimitOptions(create)
    .addOption(unalignedOption())
    .addOption(tlsOption())
    .addOption(feedbackIdOption())
    .addOption(autoSuppressOption())
    .action(async (name: string, options: SetOptions, command: Command) => {
      const { unaligned, tls } = options
      const body = { name, limits: limitsOf(options), unaligned, tls, ...wishesOf(options) }
      show(context, command, await connect(context, command).post<AccountAnswer>('/v1/accounts', body), describe)
    })
}

function registerLook(account: Command, context: CliContext): void {
  account
    .command('list')
    .description('list accounts')
    .action(async (_options: object, command: Command) => {
      const accounts = await readAll<AccountAnswer>(connect(context, command), '/v1/accounts', 'accounts')
      const at = timesOf(context, command)
      show(context, command, { accounts }, answer =>
        table(
          ['id', 'name', 'limits', 'unaligned', 'suspended', 'created'],
          answer.accounts.map(row => [
            row.id,
            row.name,
            limitText(row.limits),
            row.unaligned,
            row.suspendedReason,
            at(row.createdAt),
          ]),
          'no accounts yet; "kitte account create NAME" registers one',
        ),
      )
    })
  account
    .command('show')
    .argument('<account>', 'id or name')
    .description('tell about one account')
    .action(async (given: string, _options: object, command: Command) => {
      const api = connect(context, command)
      const path = `/v1/accounts/${await accountIdOf(api, given)}`
      show(context, command, await api.get<AccountAnswer>(path), describe)
    })
}

function registerSet(account: Command, context: CliContext): void {
  const set = account
    .command('set')
    .argument('<account>', 'id or name')
    .option('--name <name>', 'new name')
    .description(
      'change name, limits, the pool its mail leaves by, what happens to unaligned mail or how far mail must be protected',
    )
  addLimitOptions(set)
    .addOption(unalignedOption())
    .addOption(tlsOption())
    .addOption(poolOption())
    .addOption(feedbackIdOption())
    .addOption(autoSuppressOption())
    .action((given: string, options: SetOptions, command: Command) => {
      const { name, unaligned, tls } = options
      const change = {
        name,
        limits: limitsOf(options),
        unaligned,
        tls,
        pool: poolOf(options.pool),
        ...wishesOf(options),
      }
      return patch(context, command, given, change)
    })
}

function registerSuspend(account: Command, context: CliContext): void {
  account
    .command('suspend')
    .argument('<account>', 'id or name')
    .option('--reason <text>', 'what its submissions are told', 'This account is suspended.')
    .description("refuse the account's submissions")
    .action((given: string, { reason }: { reason: string }, command: Command) =>
      patch(context, command, given, { suspendedReason: reason }),
    )
  account
    .command('resume')
    .argument('<account>', 'id or name')
    .description('let a suspended account send again')
    .action((given: string, _options: object, command: Command) =>
      patch(context, command, given, { suspendedReason: null }),
    )
}

async function patch(context: CliContext, command: Command, given: string, change: object): Promise<void> {
  const api = connect(context, command)
  const path = `/v1/accounts/${await accountIdOf(api, given)}`
  show(context, command, await api.patch<AccountAnswer>(path, change), describe)
}

function describe(account: AccountAnswer): string {
  return facts([
    ['account', account.id],
    ['name', account.name],
    ['limits', limitText(account.limits)],
    ['pool', account.pool ?? 'default'],
    ['unaligned', account.unaligned],
    ['tls', account.tls],
    ['feedback-id', wishText(account.feedbackId)],
    ['auto-suppress', wishText(account.autoSuppress)],
    ['suspended', account.suspendedReason ?? 'no'],
  ])
}
