/**
 * `kitte message`: finds messages, queued and done, and answers "did my mail to … arrive?".
 *
 * With --recipient each message is told with where that recipient stands: what was answered, what it means, who must act
 * and what to do, in Japanese and English. `kitte explain` tells the rest.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MessageAnswer, TimelineAnswer } from '../admin/routes/messages.ts'
import { parseMailbox } from '../mail/address.ts'
import type { ApiClient } from './api-client.ts'
import { type CliContext, colour, connect, show } from './context.ts'
import { accountIdOf, readAll } from './lists.ts'
import { table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface FindOptions {
  readonly recipient?: string
  readonly sender?: string
  readonly senderDomain?: string
  readonly account?: string
  readonly state?: string
  readonly messageId?: string
  readonly since?: string
  readonly until?: string
  readonly limit: number
}

type Entry = TimelineAnswer['entries'][number]
interface Found extends MessageAnswer {
  /** Of the recipient that was asked for. */
  readonly entry?: Entry
}

/** A screenful. */
const messagesShown = 20
const states = ['queued', 'delivered', 'bounced', 'cancelled'] as const
const words: Readonly<Record<string, readonly [string, 'green' | 'yellow' | 'red']>> = {
  delivered: ['delivered / 配信済み', 'green'],
  bounced: ['bounced / 送信エラー', 'red'],
  cancelled: ['cancelled / 取消', 'red'],
  held: ['held / 保留', 'yellow'],
  unknown: ['not known any more / 記録なし', 'yellow'],
}

export function register(program: Command, context: CliContext): void {
  program
    .command('message')
    .description('messages, queued and done')
    .command('list')
    .option('--recipient <address>', 'to this recipient, with what became of each')
    .option('--sender <address>', 'from this From address or reverse-path')
    .option('--sender-domain <name>', 'from this sender domain')
    .option('--account <account>', 'of one account, by id or name')
    .addOption(new Option('--state <state>', 'with a recipient in this state').choices(states))
    .option('--message-id <id>', 'with this Message-ID field')
    .option('--since <time>', 'received then or later, such as 2026-01-15T09:00:00+09:00')
    .option('--until <time>', 'received before')
    .option('--limit <messages>', 'messages to list', parseCount, messagesShown)
    .description('find messages, newest first')
    .action(async (options: FindOptions, command: Command) => {
      const api = connect(context, command)
      const messages = await find(api, options)
      const at = timesOf(context, command)
      show(context, command, { messages }, answer => text(context, answer.messages, options, at))
    })
}

async function find(api: ApiClient, { limit, messageId, account, ...filter }: FindOptions): Promise<Found[]> {
  const of = account === undefined ? {} : { account: await accountIdOf(api, account) }
  const query = { ...filter, ...of, messageIdHeader: messageId }
  const messages = await readAll<MessageAnswer>(api, '/v1/messages', 'messages', query, limit)
  if (filter.recipient === undefined) return messages
  const recipient = (parseMailbox(filter.recipient) ?? filter.recipient).toLowerCase()
  const found: Found[] = []
  for (const message of messages) found.push(await withRecipient(api, message, recipient))
  return found
}

async function withRecipient(api: ApiClient, message: MessageAnswer, recipient: string): Promise<Found> {
  const { entries } = await api.get<TimelineAnswer>(`/v1/messages/${message.id}`)
  const entry = entries.find(one => one.recipient.toLowerCase() === recipient)
  return entry === undefined ? message : { ...message, entry }
}

function text(context: CliContext, messages: readonly Found[], { recipient }: FindOptions, at: TimeText): string {
  if (messages.length === 0)
    return 'no such message was taken within queue.keepHistory; what was refused stands in the log: kitte tail --no-follow --outcome refused\n該当するメールはありません。受付時に拒否されたメールはログにあります: kitte tail --no-follow --outcome refused'
  if (recipient === undefined) return listText(messages, at)
  return messages.map(message => foundText(context, message, at)).join('\n\n')
}

function listText(messages: readonly Found[], at: TimeText): string {
  return table(
    ['received', 'message', 'from', 'recipients', 'queued', 'delivered', 'bounced', 'cancelled'],
    messages.map(({ receivedAt, id, from, recipients, counts }) => [
      ...[at(receivedAt), id, from ?? '<>', recipientsText(recipients)],
      ...states.map(state => counts[state]),
    ]),
  )
}

function recipientsText([first, ...others]: readonly string[]): string {
  return others.length === 0 ? String(first) : `${first} and ${others.length} more`
}

function foundText(context: CliContext, message: Found, at: TimeText): string {
  const head = `${at(message.receivedAt)}  from ${message.from ?? '<>'}  [${message.id}]`
  if (message.entry === undefined) return head
  const { recipient, state, nextAttemptAt, attempts, waitMessage, returned } = message.entry
  const [word, style] = words[state] ?? ['waiting / 配信待ち', 'yellow']
  const last = attempts.at(-1)
  const lines = [
    `${recipient}: ${colour(context, style, word)}${last === undefined || state !== last.action ? '' : ` ${at(last.at)}`}`,
    ...(nextAttemptAt === null ? [] : [`next try / 次回の送信  ${at(nextAttemptAt)}`]),
    ...(waitMessage === null ? [] : [waitMessage.ja, waitMessage.en]),
    ...(last === undefined ? [] : [`${last.remoteMta ?? 'Kitte'}: ${last.reply}`]),
    ...(last === undefined || last.action === 'delivered' ? [] : meaning(last)),
    ...returned.flatMap(one => [`came back later / 後から届いた通知: ${one.reply ?? one.kind}`, ...meaning(one)]),
  ]
  return [head, ...lines.map(line => `    ${line}`)].join('\n')
}

function meaning({ message, who, next }: Pick<Entry['attempts'][number], 'message' | 'who' | 'next'>): string[] {
  return [message.ja, `  対応者: ${who.ja}。${next.ja}`, message.en, `  to act: ${who.en}. ${next.en}`]
}

function parseCount(given: string): number {
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given)
  throw new InvalidArgumentError('Write a whole number from 1 to 9999.')
}
