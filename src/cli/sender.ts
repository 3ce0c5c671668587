/**
 * `kitte sender`: sender addresses, and the SMTP servers some of them send through.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SenderAnswer } from '../admin/routes/senders.ts'
import { confirm, readSecret } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, print, show } from './context.ts'
import { accountIdOf, readAll } from './lists.ts'
import { facts, table } from './table.ts'

interface SmtpOptions {
  /** False: --no-smtp. */
  readonly smtp?: boolean
  readonly smtpHost?: string
  readonly smtpPort?: number
  readonly smtpUser?: string
  readonly smtpTls?: string
  readonly smtpPasswordFile?: string
  readonly note?: string
}

const pathOf = (address: string) => `/v1/senders/${encodeURIComponent(address)}`

export function register(program: Command, context: CliContext): void {
  const sender = program.command('sender').description('sender addresses')
  registerWrite(sender, context)
  registerLook(sender, context)
  sender
    .command('delete')
    .argument('<address>', 'a registered sender address')
    .option('--yes', 'do not ask')
    .description('delete a sender address')
    .action(async (address: string, options: { yes?: boolean }, command: Command) => {
      await confirm(
        context,
        `Mail from ${address} will be refused unless its domain is registered.`,
        options.yes === true,
      )
      await connect(context, command).delete(pathOf(address))
      print(context, `deleted sender address ${address}`)
    })
}

function registerWrite(sender: Command, context: CliContext): void {
  const create = sender
    .command('create')
    .argument('<address>', 'a From address, such as sales@example.co.jp')
    .requiredOption('--account <account>', 'id or name of its account')
    .description('register a sender address')
  addSmtpOptions(create).action(
    async (address: string, options: SmtpOptions & { account: string }, command: Command) => {
      const api = connect(context, command)
      const account = await accountIdOf(api, options.account)
      const body = { address, account, note: options.note, smtp: await smtpOf(context, options) }
      show(context, command, await api.post<SenderAnswer>('/v1/senders', body), describe)
    },
  )
  const set = sender
    .command('set')
    .argument('<address>', 'a registered sender address')
    .description('change note or SMTP server')
  addSmtpOptions(set)
    .option('--no-smtp', 'remove its SMTP server')
    .action(async (address: string, options: SmtpOptions, command: Command) => {
      const smtp = options.smtp === false ? null : await smtpOf(context, options)
      const answer = await connect(context, command).patch<SenderAnswer>(pathOf(address), { note: options.note, smtp })
      show(context, command, answer, describe)
    })
}

function addSmtpOptions(command: Command): Command {
  return command
    .option('--note <text>', 'for yourself, shown with it')
    .option('--smtp-host <host>', 'send its mail through this SMTP server')
    .option('--smtp-port <port>', '587 when not given', parsePort)
    .option('--smtp-user <name>', 'username there')
    .addOption(new Option('--smtp-tls <how>', 'required when not given').choices(['required', 'opportunistic']))
    .option('--smtp-password-file <file>', 'its first line is the password; "-": standard input; else it is asked for')
}

async function smtpOf(context: CliContext, options: SmtpOptions): Promise<object | undefined> {
  const { smtpHost: host, smtpPort: port, smtpUser: username, smtpTls: tls, smtpPasswordFile: file } = options
  if (host === undefined && username === undefined) {
    if (port === undefined && tls === undefined && file === undefined) return undefined
  }
  if (host === undefined || username === undefined)
    throw new CliError('an SMTP server needs a host and a username', 'give --smtp-host HOST and --smtp-user NAME')
  return { host, port, username, tls, password: await readSecret(context, `Password of ${username}`, file ?? null) }
}

function registerLook(sender: Command, context: CliContext): void {
  sender
    .command('list')
    .option('--account <account>', 'only those of one account, by id or name')
    .description('list sender addresses')
    .action(async (options: { account?: string }, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? null : await accountIdOf(api, options.account)
      const senders = await readAll<SenderAnswer>(api, '/v1/senders', 'senders', { account })
      show(context, command, { senders }, answer =>
        table(
          ['address', 'account', 'SMTP server', 'note'],
          answer.senders.map(row => [row.address, row.account, serverText(row), row.note]),
          'no sender addresses yet; "kitte sender create ADDRESS --account ACCOUNT" registers one',
        ),
      )
    })
  sender
    .command('show')
    .argument('<address>', 'a registered sender address')
    .description('tell about one sender address')
    .action(async (address: string, _options: object, command: Command) => {
      show(context, command, await connect(context, command).get<SenderAnswer>(pathOf(address)), describe)
    })
}

function parsePort(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) < 65536) return Number(text)
  throw new InvalidArgumentError('Write a port from 1 to 65535.')
}

function serverText({ smtp }: SenderAnswer): string | null {
  return smtp && `${smtp.host}:${smtp.port}`
}

function describe(sender: SenderAnswer): string {
  const { smtp } = sender
  return facts([
    ['address', sender.address],
    ['account', sender.account],
    ['SMTP server', smtp ? `${smtp.host}:${smtp.port} as ${smtp.username}, TLS ${smtp.tls}` : 'none'],
    ['note', sender.note || null],
  ])
}
