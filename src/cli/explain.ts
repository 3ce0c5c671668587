/**
 * `kitte explain`: the whole story of one message in order: who handed it in, every attempt with what was said, what it
 * means and who must act, and where each recipient stands now.
 */
import type { Command } from 'commander'
import type { ReturnedAnswer } from '../admin/render-returned.ts'
import type { MessageAnswer, TimelineAnswer } from '../admin/routes/messages.ts'
import type { ApiClient } from './api-client.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, colour, connect, show } from './context.ts'
import { facts } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

type Attempt = TimelineAnswer['entries'][number]['attempts'][number]
type TimelineEvent = TimelineAnswer['events'][number]

const colours = { delivered: 'green', deferred: 'yellow', bounced: 'red', cancelled: 'red' } as const

export function register(program: Command, context: CliContext): void {
  program
    .command('explain')
    .argument('<id>', "Kitte's id as printed in the 250 after DATA, an entry's id, or the Message-ID field")
    .description('tell what happened to one message')
    .option('--conversation', 'with what was said in SMTP where an attempt failed')
    .action(async (id: string, { conversation = false }: { conversation?: boolean }, command: Command) => {
      const api = connect(context, command)
      const at = timesOf(context, command)
      const timeline = await api.get<TimelineAnswer>(
        `/v1/messages/${encodeURIComponent(await messageIdOf(api, id, at))}`,
      )
      show(context, command, timeline, found => story(context, found, at, conversation))
    })
}

/** Mail programs show the Message-ID field, our 250 and log the short id, the queue ids of entries. */
async function messageIdOf(api: ApiClient, id: string, at: TimeText): Promise<string> {
  if (!id.includes('@')) return id.split('.')[0]!
  const { messages } = await api.get<{ messages: MessageAnswer[] }>('/v1/messages', { messageIdHeader: id, limit: 2 })
  if (messages.length === 0)
    throw new CliError(
      `no message with the Message-ID ${id} is known`,
      'history is kept for queue.keepHistory; what was refused stands only in the log: kitte tail --no-follow',
    )
  if (messages.length > 1)
    throw new CliError(
      `several messages have the Message-ID ${id}`,
      messages
        .map(found => `kitte explain ${found.id}   (${at(found.receivedAt)}, to ${found.recipients[0]})`)
        .join('\n'),
    )
  return messages[0]!.id
}

function story(context: CliContext, message: TimelineAnswer, at: TimeText, conversation: boolean): string {
  const said = conversation ? conversationsOf(message) : new Map<string, readonly string[]>()
  return [
    heading(message, at),
    ...message.events.map(event => eventText(context, event, at, said)),
    ...(message.complete ? [] : ['… what happened in the middle is left out: there is too much of it']),
    standing(context, message, at),
  ].join('\n\n')
}

function heading(message: TimelineAnswer, at: TimeText): string {
  const { client, counts } = message
  return facts([
    ['message', message.id],
    ['Message-ID', `<${message.messageIdHeader}>`],
    ['from', message.from ?? '<>'],
    ['reverse-path', message.reversePath],
    ['sender domain', message.senderDomain],
    ['account', message.account],
    ['size', `${message.size} octets`],
    ['received', at(message.receivedAt)],
    ...(message.priority === 'normal' ? [] : [['priority', message.priority] as const]),
    ...(message.sendAt === null ? [] : [['send at', at(message.sendAt)] as const]),
    ...(client === null
      ? [['origin', message.origin === 'submission' ? 'submission' : 'a report of this relay'] as const]
      : [['client', `${client.ehlo} [${client.address}], ${client.tls ?? 'without TLS'}`] as const]),
    [
      'recipients',
      `${message.recipients.length}: ${counts.delivered} delivered, ${counts.bounced} bounced, ${counts.cancelled} cancelled, ${counts.queued} queued`,
    ],
  ])
}

type Conversations = ReadonlyMap<string, readonly string[]>

/** In the order of events. Recipients who shared a transaction share its conversation, which is told once. */
function conversationsOf({ entries, events }: TimelineAnswer): Conversations {
  const all = new Map(entries.flatMap(({ attempts }) => attempts.map(one => [nameOf(one), one.conversation] as const)))
  const told = new Map<string, string>()
  const shown = new Map<string, readonly string[]>()
  for (const { data } of events) {
    const lines = isAttempt(data) ? all.get(nameOf(data)) : undefined
    if (!isAttempt(data) || lines === undefined || lines.length === 0) continue
    const whose = told.get(lines.join('\n'))
    shown.set(nameOf(data), whose === undefined ? lines : [`… the same conversation as above, of ${whose}`])
    if (whose === undefined) told.set(lines.join('\n'), `${data.recipient}, try ${data.attempt}`)
  }
  return shown
}

function nameOf({ entry, attempt, action }: Omit<Attempt, 'conversation'>): string {
  return `${entry} ${attempt} ${action}`
}

function eventText(context: CliContext, event: TimelineEvent, at: TimeText, said: Conversations): string {
  if (isAttempt(event.data)) return `${at(event.at)}  ${attemptText(context, event.data, at, said)}`
  if (isReturned(event.data)) return `${at(event.at)}  ${returnedText(context, event.data)}`
  const about = event.recipient === undefined ? '' : `  ${event.recipient}`
  const details = detailsOf(event.data, at)
  return `${at(event.at)}  ${event.type.replace('message.', '')}${about}${details === '' ? '' : `\n${indent(details)}`}`
}

function attemptText(context: CliContext, attempt: Attempt, at: TimeText, said: Conversations): string {
  const word = colour(context, colours[attempt.action], attempt.action)
  const tried = attempt.durations === null ? '' : `, try ${attempt.attempt}`
  const lines = [
    `${attempt.repliedBy === 'remote' ? `${attempt.remoteMta ?? 'the other side'} said` : 'Kitte says'}: ${attempt.reply}`,
    ...(attempt.action === 'delivered' ? [] : meaningOf(attempt)),
    ...travelOf(attempt),
    ...(said.get(nameOf(attempt)) ?? []).map(line => `  ${line}`),
    ...(attempt.inDoubt
      ? ['in doubt: this try or an earlier one may have been taken unnoticed, so it may come twice']
      : []),
    ...(attempt.nextAttemptAt === null ? [] : [`next try: ${at(attempt.nextAttemptAt)}`]),
  ]
  return `${word} ${attempt.recipient}${tried}\n${indent(lines.join('\n'))}`
}

const returnedWords = { bounce: 'bounced later', delay: 'delayed later', complaint: 'complaint' } as const

/** A late bounce changes no outcome, or counts would change that were told long ago. */
const staysDelivered =
  '\n    the next host had taken it, so it counts as delivered; it did not reach the recipient\n    次のサーバーが受け取ったため配信済みに数えますが、宛先には届いていません'

/** What came back after the delivery. */
function returnedText(context: CliContext, found: ReturnedAnswer): string {
  const word = colour(context, found.kind === 'delay' ? 'yellow' : 'red', returnedWords[found.kind])
  const { reply, reportingMta, remoteMta, finalRecipient, system, feedbackType, client } = found
  const lines = [
    ...(reply === null ? [] : [`${remoteMta ?? reportingMta ?? 'the other side'} said: ${reply}`]),
    ...meaningOf({ ...found, class: found.class ?? feedbackType ?? found.kind }),
    ...(finalRecipient === null ? [] : [`forwarded there to ${finalRecipient}`]),
    `told by ${reportingMta ?? 'a mail'}${system === null ? '' : ` (${system})`} from [${client}], read as ${found.format}`,
  ]
  return `${word} ${found.recipient}\n${indent(lines.join('\n'))}`
}

function meaningOf({
  class: found,
  message,
  next,
  who,
}: Pick<Attempt, 'class' | 'message' | 'next' | 'who'>): string[] {
  return [
    `${found}: ${message.en}`,
    `  ${message.ja}`,
    `to act: ${who.en}（${who.ja}）`,
    `what to do: ${next.en}`,
    `  ${next.ja}`,
  ]
}

function travelOf(attempt: Attempt): string[] {
  const { mode, modeMessage, signatures, remoteMta, remoteIp, sourceIp, tls, tlsPolicy, durations } = attempt
  if (mode === null || modeMessage === null || durations === null) return []
  const source = sourceIp === null ? '' : ` from ${sourceIp}`
  return [
    `mode ${mode}: ${modeMessage.en}（${modeMessage.ja}）`,
    `signed: ${signatures.length === 0 ? 'no' : signatures.join(', ')}; reverse-path ${attempt.reversePath}`,
    ...(remoteMta === null
      ? []
      : [
          `host ${remoteMta}${remoteIp === null ? '' : ` [${remoteIp}]`}${source}; ${tls ?? 'plain text'}${tlsPolicy === null ? '' : ` (asked for by ${tlsPolicy})`}`,
        ]),
    `took ${Math.round(durations.totalMs)} ms: signing ${Math.round(durations.signMs)}, connecting ${Math.round(durations.connectMs)}, sending ${Math.round(durations.sendMs)}`,
  ]
}

function standing(context: CliContext, { entries }: TimelineAnswer, at: TimeText): string {
  const lines = entries.map(entry => {
    const word =
      entry.state in colours ? colour(context, colours[entry.state as keyof typeof colours], entry.state) : entry.state
    const later = entry.returned.map(({ kind }) => `, ${returnedWords[kind]}`).join('')
    const held = entry.heldReason === null ? '' : `: ${entry.heldReason}`
    const next = entry.nextAttemptAt === null || entry.state === 'held' ? '' : `, next try ${at(entry.nextAttemptAt)}`
    const until = entry.expiresAt === null ? '' : `, given up ${at(entry.expiresAt)}`
    const why = entry.waitMessage === null ? '' : `\n    ${entry.waitMessage.en}\n    ${entry.waitMessage.ja}`
    const stays = entry.returned.some(({ kind }) => kind === 'bounce') ? staysDelivered : ''
    return `  ${entry.recipient}: ${word}${later}${held}${next}${until}${why}${stays}`
  })
  return ['now', ...lines].join('\n')
}

function isReturned(data: unknown): data is ReturnedAnswer {
  return typeof data === 'object' && data !== null && 'kind' in data && 'format' in data && 'who' in data
}

function isAttempt(data: unknown): data is Attempt {
  return typeof data === 'object' && data !== null && 'action' in data && 'who' in data
}

const words: Readonly<Record<string, string>> = {
  reversePath: 'reverse-path',
  releaseAt: 'to be sent at',
  original: 'report on',
}

/** Plain facts of an event, `name: value` each. */
function detailsOf(data: unknown, at: TimeText): string {
  if (typeof data !== 'object' || data === null) return ''
  // A sentence in both languages says what `reason` says in one.
  const told = Object.values(data).find(isBilingual)
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== told?.en)
    .map(([name, value]) =>
      isBilingual(value) ? `${value.en}\n  ${value.ja}` : `${words[name] ?? name}: ${plainText(name, value, at)}`,
    )
    .join('\n')
}

function isBilingual(value: unknown): value is { readonly ja: string; readonly en: string } {
  return typeof value === 'object' && value !== null && 'ja' in value && 'en' in value
}

function plainText(name: string, value: unknown, at: TimeText): string {
  if (name.endsWith('At') && typeof value === 'number') return at(new Date(value).toISOString())
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
