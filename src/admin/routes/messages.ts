/**
 * Messages with their timeline: where each recipient stands, every attempt, what was answered and who must act.
 */
import { z } from 'zod'
import type { Event } from '../../mail/event.ts'
import type { Message } from '../../mail/message.ts'
import type { Outcome } from '../../mail/outcome.ts'
import { priorities } from '../../mail/priority.ts'
import type { MessageStates, MessageSummary, QueueRow, RecipientState, Store } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, domainName, given, id, instant, mailbox, mend, next, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { notFound } from '../problem.ts'
import { isOutcome, outcomeAnswer, renderOutcome } from '../render-outcome.ts'
import { isReturned, renderReturned, returnedAnswer } from '../render-returned.ts'
import { type Wait, waitFields, waitsOf } from '../wait-reasons.ts'
import { eventAnswer, renderEvent } from './events.ts'

/**
 * A message to 1000 recipients that is tried for four days has 30,000 events, whose 60 MB nobody reads: of more than
 * these the first 1000 are told, and the latest, with the last outcome of each of 1000 recipients among them.
 */
const mostPages = 6
const eventsAtOnce = 1000

const query = z.strictObject({
  account: accountId.optional(),
  recipient: mailbox.optional(),
  sender: mailbox.optional().meta({ description: 'From address or reverse-path' }),
  senderDomain: domainName.optional(),
  messageIdHeader: id.max(998).optional().meta({ description: 'Message-ID field, with or without angle brackets' }),
  state: z.enum(['queued', 'delivered', 'bounced', 'cancelled'], mend('message-state')).optional(),
  since: instant.optional().meta({ description: 'Received at or after, such as 2026-01-15T03:00:00Z' }),
  until: instant.optional().meta({ description: 'Received at or before' }),
  ...page,
})

const messageAnswer = z.object({
  id: z.string(),
  account: z.string().nullable(),
  credential: z.string().nullable(),
  origin: z.enum(['submission', 'dsn', 'tls-report']),
  reversePath: z.string().meta({ description: 'As submitted; "<>": the null reverse-path' }),
  from: z.string().nullable(),
  senderDomain: z.string(),
  recipients: z.array(z.string()),
  messageIdHeader: z.string(),
  size: z.int(),
  receivedAt: timestamp,
  priority: z.enum(priorities),
  sendAt: timestamp.nullable().meta({ description: 'When its sender wanted it sent; null: at once' }),
  client: z.object({ ehlo: z.string(), address: z.string(), tls: z.string().nullable() }).nullable(),
  counts: z
    .object({ queued: z.int(), delivered: z.int(), bounced: z.int(), cancelled: z.int() })
    .meta({ description: 'Recipients by state; they add up to the recipients accepted' }),
})

const entryAnswer = z.object({
  id: z.string(),
  recipient: z.string(),
  state: z.enum(['due', 'waiting', 'leased', 'held', 'delivered', 'bounced', 'cancelled', 'unknown']),
  nextAttemptAt: timestamp.nullable(),
  expiresAt: timestamp.nullable(),
  heldReason: z.string().nullable(),
  suspension: z.string().nullable().meta({ description: 'That holds it; null: an operator does, or nothing' }),
  ...waitFields,
  mode: z.string().nullable().meta({ description: 'Sending mode of the last attempt' }),
  reply: z.string().nullable().meta({ description: 'The last reply' }),
  class: z.string().nullable().meta({ description: 'Why the last attempt ended as it did' }),
  attempts: z.array(
    outcomeAnswer.extend({
      conversation: z.array(z.string()).meta({
        description: 'What was said with the host where something failed, a line each; empty without a failure',
      }),
    }),
  ),
  returned: z.array(returnedAnswer).meta({
    description:
      'What came back after the delivery: a late bounce, a notice of delay, a complaint. State and counts stay: the next host had taken it, and a recipient with a bounce here did not get it',
  }),
})
const timelineAnswer = messageAnswer.extend({
  mode: z.string().nullable().meta({ description: 'Sending mode of the last attempt of any recipient' }),
  entries: z.array(entryAnswer),
  events: z.array(eventAnswer),
  complete: z.boolean().meta({
    description:
      'False when there were too many events and attempts to answer them all: then those in the middle are left out',
  }),
})

export type MessageAnswer = z.output<typeof messageAnswer>
export type TimelineAnswer = z.output<typeof timelineAnswer>

export function messageRoutes({ store, whereabouts, config }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/messages',
      id: 'listMessages',
      summary: 'Finds messages, newest first',
      query,
      answer: { status: 200, schema: z.object({ messages: z.array(messageAnswer), next }) },
      async run({ query: { limit, cursor, messageIdHeader, ...filter } }) {
        const wanted = pageOf({ limit, cursor })
        const bare = messageIdHeader?.replace(/^<(.*)>$/, '$1')
        const messages = await store.listMessages(given({ ...filter, messageIdHeader: bare }), wanted)
        return { messages: messages.map(render), next: nextOf(messages, wanted, row => row.message.id) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/messages/{id}',
      id: 'getMessage',
      summary: 'Tells what happened to one message: recipients, attempts, replies, mode, class',
      params: z.object({ id }),
      answer: { status: 200, schema: timelineAnswer },
      async run({ params }) {
        const summary = await store.message(params.id)
        if (!summary) throw notFound({ ja: `メッセージ ${params.id} `, en: `message ${params.id}` })
        const [queued, events] = await Promise.all([queuedEntries(store, params.id), timeline(store, params.id)])
        const waitOf = await waitsOf([...queued.values()], { whereabouts, config })
        return renderTimeline(summary, queued, waitOf, events)
      },
    }),
  ]
}

async function queuedEntries(store: Store, message: string): Promise<Map<string, QueueRow>> {
  const rows = new Map<string, QueueRow>()
  for (let after: string | undefined; ; ) {
    const some = await store.listQueue({ message }, { limit: eventsAtOnce, ...(after !== undefined && { after }) })
    for (const row of some) rows.set(row.entry.id, row)
    if (some.length < eventsAtOnce) return rows
    after = some.at(-1)!.entry.id
  }
}

interface Told {
  readonly events: readonly Event[]
  readonly complete: boolean
}

async function timeline(store: Store, message: string): Promise<Told> {
  const pages: (readonly Event[])[] = []
  let complete = true
  for (let after = 0; ; ) {
    const some = await store.events({ message, after }, eventsAtOnce)
    pages.push(some)
    if (pages.length > mostPages) {
      pages.splice(1, 1)
      complete = false
    }
    if (some.length < eventsAtOnce) return { events: pages.flat(), complete }
    after = some.at(-1)!.seq
  }
}

function renderTimeline(
  summary: MessageStates,
  queued: ReadonlyMap<string, QueueRow>,
  waitOf: (row: QueueRow | undefined) => Wait,
  { events, complete }: Told,
) {
  const outcomes = events.map(event => event.data).filter(isOutcome)
  const byEntry = Map.groupBy(outcomes, outcome => outcome.entry)
  const returned = Map.groupBy(events.map(event => event.data).filter(isReturned), found => found.entry)
  const { message, states } = summary
  return {
    ...render(summary),
    mode: lastMode(outcomes),
    entries: message.envelope.recipients.map((recipient, index) => {
      const entry = `${message.id}.${index}`
      const stands = { entry, recipient: recipient.address, state: states[index] ?? null }
      return {
        ...renderEntry(stands, queued.get(entry), byEntry.get(entry) ?? [], waitOf(queued.get(entry))),
        returned: (returned.get(entry) ?? []).map(renderReturned),
      }
    }),
    events: events.map(renderEvent),
    complete,
  }
}

interface Stands {
  readonly entry: string
  readonly recipient: string
  readonly state: RecipientState | null
}

function renderEntry(
  { entry, recipient, state }: Stands,
  row: QueueRow | undefined,
  outcomes: readonly Outcome[],
  wait: Wait,
): Omit<z.output<typeof entryAnswer>, 'returned'> {
  const attempts = outcomes.map(outcome => ({
    ...renderOutcome(outcome),
    conversation: [...(outcome.facts?.conversation ?? [])],
  }))
  const last = attempts.at(-1)
  return {
    id: entry,
    recipient,
    state: row?.state ?? (state === null || state === 'queued' ? finalState(last?.action) : state),
    nextAttemptAt: time(row?.entry.nextAttemptAt ?? null),
    expiresAt: time(row?.entry.expiresAt ?? null),
    heldReason: row?.entry.heldReason ?? null,
    suspension: row?.entry.suspension ?? null,
    ...wait,
    mode: lastMode(outcomes),
    reply: last?.reply ?? row?.entry.lastReply ?? null,
    class: last?.class ?? row?.lastClass ?? null,
    attempts,
  }
}

/** Settled between our questions. */
function finalState(action: Outcome['action'] | undefined): 'delivered' | 'bounced' | 'cancelled' | 'unknown' {
  return action === undefined || action === 'deferred' ? 'unknown' : action
}

function lastMode(outcomes: readonly Outcome[]): string | null {
  return outcomes.findLast(outcome => outcome.facts !== null)?.facts?.mode ?? null
}

function render({ message, counts }: MessageSummary): MessageAnswer {
  const { id, account, credential, origin, from, senderDomain, messageIdHeader, size } = message
  return {
    ...{ id, account, credential, origin, from, senderDomain, messageIdHeader, size },
    reversePath: message.envelope.reversePath ?? '<>',
    recipients: message.envelope.recipients.map(({ address }) => address),
    receivedAt: time(message.receivedAt),
    priority: message.priority ?? 'normal',
    sendAt: time(message.releaseAt ?? null),
    client: renderClient(message),
    counts,
  }
}

function renderClient({ client }: Message) {
  return client ? { ehlo: client.ehlo, address: client.address, tls: client.tls } : null
}
