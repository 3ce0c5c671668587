/**
 * `kitte sender`: sender addresses, and the SMTP servers some of them send through.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TestAnswer } from '../admin/own-server.ts'
import type { SavedSenderAnswer, SenderAnswer } from '../admin/routes/senders.ts'
import type { ApiClient } from './api-client.ts'
import { confirm, readSecret } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show, tell } from './context.ts'
import { accountIdOf, readAll } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface SmtpOptions {
  /** False: --no-smtp. */
  readonly smtp?: boolean
  readonly smtpHost?: string
  readonly smtpPort?: number
  readonly smtpUser?: string
  readonly smtpTls?: string
  readonly smtpPasswordFile?: string
  readonly smtpConnections?: number
  readonly smtpMessagesPerConnection?: number
  readonly smtpPerMinute?: number
  readonly test?: string
  readonly note?: string
}

const pathOf = (address: string) => `/v1/senders/${encodeURIComponent(address)}`

export function register(program: Command, context: CliContext): void {
  const sender = program.command('sender').description('sender addresses')
  registerWrite(sender, context)
  registerLook(sender, context)
  registerTest(sender, context)
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
      tell(context, command, `deleted sender address ${address}`)
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
      const smtp = await smtpOf(context, options, null)
      const body = { address, account, note: options.note, smtp, test: smtp && options.test }
      show(
        context,
        command,
        await api.post<SavedSenderAnswer>('/v1/senders', body),
        describe(timesOf(context, command)),
      )
    },
  )
  const set = sender
    .command('set')
    .argument('<address>', 'a registered sender address')
    .description('change note or SMTP server')
  addSmtpOptions(set)
    .option('--no-smtp', 'remove its SMTP server')
    .action(async (address: string, options: SmtpOptions, command: Command) => {
      const api = connect(context, command)
      const smtp = options.smtp === false ? null : await changedSmtp(api, address, context, options)
      const body = { note: options.note, smtp, test: smtp ? options.test : undefined }
      show(
        context,
        command,
        await api.patch<SavedSenderAnswer>(pathOf(address), body),
        describe(timesOf(context, command)),
      )
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
    .option('--smtp-connections <number>', 'connections to it at once', parseLimit)
    .option('--smtp-messages-per-connection <number>', 'messages on each of them', parseLimit)
    .option('--smtp-per-minute <number>', 'recipients a minute', parseLimit)
    .addOption(
      new Option('--test <what>', 'try the settings: report what comes of it, require that they work, or skip').choices(
        ['report', 'require', 'skip'],
      ),
    )
}

async function smtpOf(
  context: CliContext,
  options: SmtpOptions,
  now: SenderAnswer['smtp'],
): Promise<object | undefined> {
  const { smtpPasswordFile: file } = options
  if (!saysSmtp(options)) return undefined
  const host = options.smtpHost ?? now?.host
  const username = options.smtpUser ?? now?.username
  if (host === undefined || username === undefined)
    throw new CliError('an SMTP server needs a host and a username', 'give --smtp-host HOST and --smtp-user NAME')
  // The password that is there stays, as long as it is for the same login.
  const keeps = file === undefined && now !== null && options.smtpUser === undefined
  const password = keeps ? undefined : await readSecret(context, `Password of ${username}`, file ?? null)
  const { smtpPort: port = now?.port, smtpTls: tls = now?.tls } = options
  return { host, port, username, tls, password, limits: limitsOf(options) }
}

function saysSmtp(options: SmtpOptions): boolean {
  return Object.entries(options).some(([name, value]) => name.startsWith('smtp') && value !== undefined)
}

/** Undefined: those that are there stay. */
function limitsOf(options: SmtpOptions): object | undefined {
  const { smtpConnections: connections, smtpMessagesPerConnection: messagesPerConnection, smtpPerMinute } = options
  if ((connections ?? messagesPerConnection ?? smtpPerMinute) === undefined) return undefined
  return { connections, messagesPerConnection, perMinute: smtpPerMinute }
}

/** What is not said stays: only the server knows it. */
async function changedSmtp(
  api: ApiClient,
  address: string,
  context: CliContext,
  options: SmtpOptions,
): Promise<object | undefined> {
  if (!saysSmtp(options)) return undefined
  // Another server has another login.
  if (options.smtpHost !== undefined) return smtpOf(context, options, null)
  const { smtp } = await api.get<SenderAnswer>(pathOf(address))
  return smtpOf(context, options, smtp)
}

function registerTest(sender: Command, context: CliContext): void {
  sender
    .command('test')
    .argument('<address>', 'a registered sender address with an SMTP server of its own')
    .description('try its SMTP server: connection, TLS and login, no mail')
    .action(async (address: string, _options: object, command: Command) => {
      show(context, command, await connect(context, command).post<TestAnswer>(`${pathOf(address)}/test`), testText)
    })
}

function testText({ finding, message }: TestAnswer): string {
  return `${finding}: ${message.ja}\n${message.en}`
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
      show(
        context,
        command,
        await connect(context, command).get<SenderAnswer>(pathOf(address)),
        describe(timesOf(context, command)),
      )
    })
}

function parsePort(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) < 65536) return Number(text)
  throw new InvalidArgumentError('Write a port from 1 to 65535.')
}

function serverText({ smtp }: SenderAnswer): string | null {
  return smtp && `${smtp.host}:${smtp.port}`
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number of at least 1.')
}

const describe = (at: TimeText) => (sender: SavedSenderAnswer) => {
  const { smtp, test } = sender
  return facts([
    ['address', sender.address],
    ['account', sender.account],
    ['SMTP server', smtp ? `${smtp.host}:${smtp.port} as ${smtp.username}, TLS ${smtp.tls}` : 'none'],
    ...(smtp
      ? [['limits', limitsText(smtp.limits)] as const, ['trouble', troubleText(smtp.trouble, at)] as const]
      : []),
    ...(test ? [['test', testText(test)] as const] : []),
    ['note', sender.note || null],
  ])
}

function troubleText(trouble: NonNullable<SenderAnswer['smtp']>['trouble'], at: TimeText): string {
  if (trouble === null) return 'none'
  const { since, reply, message, next } = trouble
  return [`since ${at(since)}: ${reply}`, message.ja, next.ja, message.en, next.en].join('\n')
}

function limitsText({ connections, messagesPerConnection, perMinute }: NonNullable<SenderAnswer['smtp']>['limits']) {
  const rate = perMinute === null ? 'no limit per minute' : `${perMinute} recipients a minute`
  return `${connections} connections, ${messagesPerConnection} messages on each, ${rate}`
}
