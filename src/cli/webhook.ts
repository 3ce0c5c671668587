/**
 * `kitte webhook`: receivers of events, how far they have come, and why one does not get any.
 */
import { type Command, InvalidArgumentError } from 'commander'
import type { WebhookAnswer, WebhookShownOnce, WebhookTestAnswer } from '../admin/routes/webhooks.ts'
import { confirm } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, colour, connect, show, tell } from './context.ts'
import { accountIdOf, readAll } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface DraftOptions {
  readonly account?: string
  readonly types?: string
  readonly terminalOnly?: boolean
  readonly batch?: number
  readonly note?: string
}

const pathOf = (id: string, rest = '') => `/v1/webhooks/${encodeURIComponent(id)}${rest}`
const idArgument = ['<id>', 'id of a webhook, as "webhook list" shows it'] as const

export function register(program: Command, context: CliContext): void {
  const webhook = program.command('webhook').description('receivers of events by HTTP')
  registerAdd(webhook, context)
  registerLook(webhook, context)
  registerOrders(webhook, context)
  registerState(webhook, context)
}

function registerAdd(webhook: Command, context: CliContext): void {
  webhook
    .command('add')
    .argument('<url>', 'http or https address of the receiver')
    .option('--account <account>', 'only events of one account, by id or name')
    .option('--types <list>', 'event types separated by commas, exact or by prefix: message.bounced,domain.*')
    .option('--terminal-only', 'of the events of messages only delivered, bounced and cancelled')
    .option('--batch <number>', 'up to so many events in one request, 1 to 500', parseNumber)
    .option('--note <text>', 'for yourself, shown with it')
    .description('register a receiver of events; its secret is printed this once')
    .action(async (url: string, options: DraftOptions, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? undefined : await accountIdOf(api, options.account)
      const { terminalOnly, batch, note } = options
      const body = { url, account, types: options.types?.split(','), terminalOnly, batch, note }
      showSecret(context, command, await api.post<WebhookShownOnce>('/v1/webhooks', body))
    })
  webhook
    .command('rotate-secret')
    .argument(...idArgument)
    .description('make a new secret, printed this once; for a while both sign')
    .action(async (id: string, _options: object, command: Command) => {
      showSecret(context, command, await connect(context, command).post<WebhookShownOnce>(pathOf(id, '/rotate-secret')))
    })
}

function registerLook(webhook: Command, context: CliContext): void {
  webhook
    .command('list')
    .option('--account <account>', 'only those of one account, by id or name')
    .description('list webhooks and how far they are behind')
    .action(async (options: { account?: string }, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? null : await accountIdOf(api, options.account)
      const webhooks = await readAll<WebhookAnswer>(api, '/v1/webhooks', 'webhooks', { account })
      show(context, command, { webhooks }, answer => listText(context, answer.webhooks))
    })
  webhook
    .command('show')
    .argument(...idArgument)
    .description('tell how far it has come, and why it does not go on')
    .action(async (id: string, _options: object, command: Command) => {
      showOne(context, command, await connect(context, command).get<WebhookAnswer>(pathOf(id)))
    })
}

function registerOrders(webhook: Command, context: CliContext): void {
  webhook
    .command('test')
    .argument(...idArgument)
    .description('send a test event now and tell what the receiver answers')
    .action(async (id: string, _options: object, command: Command) => {
      const answer = await connect(context, command).post<WebhookTestAnswer>(pathOf(id, '/test'))
      show(context, command, answer, tested => testText(context, tested))
    })
  webhook
    .command('replay')
    .argument(...idArgument)
    .option('--from <seq>', 'seq of the first event to send; a later one skips events', parseNumber)
    .option('--since <time>', 'the first event at this time or later, such as 2026-01-15T03:00:00Z')
    .description('send events again')
    .action(async (id: string, { from, since }: { from?: number; since?: string }, command: Command) => {
      if ((from === undefined) === (since === undefined))
        throw new CliError('replay needs a place to begin', 'give either --from SEQ or --since TIME')
      showOne(
        context,
        command,
        await connect(context, command).post<WebhookAnswer>(pathOf(id, '/replay'), { from, since }),
      )
    })
}

function registerState(webhook: Command, context: CliContext): void {
  webhook
    .command('pause')
    .argument(...idArgument)
    .option('--reason <text>', 'shown with it')
    .description('send nothing until it is resumed; events wait for it')
    .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
      const body = { state: 'paused', reason }
      showOne(context, command, await connect(context, command).patch<WebhookAnswer>(pathOf(id), body))
    })
  webhook
    .command('resume')
    .argument(...idArgument)
    .description('go on where it was, at once')
    .action(async (id: string, _options: object, command: Command) => {
      const body = { state: 'enabled' }
      showOne(context, command, await connect(context, command).patch<WebhookAnswer>(pathOf(id), body))
    })
  webhook
    .command('remove')
    .argument(...idArgument)
    .option('--yes', 'do not ask')
    .description('remove a webhook')
    .action(async (id: string, { yes }: { yes?: boolean }, command: Command) => {
      const warning = 'Its receiver gets no more events.\n受信側へのイベントの送信を終了します。'
      await confirm(context, warning, yes === true)
      await connect(context, command).delete(pathOf(id))
      tell(context, command, `removed webhook ${id}`)
    })
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number of at least 1.')
}

function showSecret(context: CliContext, command: Command, answer: WebhookShownOnce): void {
  show(context, command, answer, ({ id, url, secret }) =>
    [
      facts([
        ['webhook', id],
        ['url', url],
        ['secret', secret],
      ]),
      'The secret is not shown again. このシークレットは再表示できません。',
    ].join('\n'),
  )
}

function showOne(context: CliContext, command: Command, answer: WebhookAnswer): void {
  const at = timesOf(context, command)
  show(context, command, answer, webhook => oneText(context, webhook, at))
}

function oneText(context: CliContext, webhook: WebhookAnswer, at: TimeText): string {
  const { lastSuccess, lastFailure, failures } = webhook
  return facts([
    ['webhook', webhook.id],
    ['url', webhook.url],
    ['account', webhook.account ?? 'all'],
    ['events', `${webhook.types.join(', ')}${webhook.terminalOnly ? ' (terminal only)' : ''}`],
    ['batch', webhook.batch],
    ['state', stateText(context, webhook)],
    ['cursor', `${webhook.cursor}, ${webhook.lag} behind`],
    ['taken', lastSuccess && `${at(lastSuccess.at)} with ${lastSuccess.status}`],
    ...(failures > 0 ? [['next try', `${at(webhook.nextTryAt)}, ${failures} failed in a row`] as const] : []),
    ...(lastFailure ? failureFacts(lastFailure, at) : []),
    ['note', webhook.note || null],
  ])
}

function failureFacts(failure: NonNullable<WebhookAnswer['lastFailure']>, at: TimeText) {
  const { message, fix, reply } = failure
  return [
    ['failed', `${at(failure.at)}\n${message.ja}\n${message.en}`] as const,
    ['fix', `${fix.ja}\n${fix.en}`] as const,
    ...(reply === '' ? [] : [['reply', reply] as const]),
  ]
}

function stateText(context: CliContext, { state, stateReason, failures }: WebhookAnswer): string {
  if (state === 'paused')
    return colour(context, 'yellow', `停止中 / paused${stateReason === null ? '' : ` (${stateReason})`}`)
  return failures > 0 ? colour(context, 'red', '失敗 / failing') : colour(context, 'green', '有効 / enabled')
}

function listText(context: CliContext, webhooks: readonly WebhookAnswer[]): string {
  return table(
    ['webhook', 'url', 'account', 'events', 'state', 'behind'],
    webhooks.map(row => [row.id, row.url, row.account ?? 'all', row.types.join(','), stateText(context, row), row.lag]),
    'no webhooks; "kitte webhook add URL" registers a receiver',
  )
}

function testText(context: CliContext, { delivered, status, ms, failure }: WebhookTestAnswer): string {
  if (delivered) return colour(context, 'green', `taken with ${status} after ${ms} ms`)
  const { message, fix, reply } = failure!
  return facts([
    ['not taken', `${message.ja}\n${message.en}`],
    ['fix', `${fix.ja}\n${fix.en}`],
    ...(reply === '' ? [] : [['reply', reply] as const]),
  ])
}
