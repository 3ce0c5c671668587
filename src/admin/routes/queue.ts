/**
 * The queue: what waits and why, and the operator's commands on it: hold, release, retry, reschedule, cancel.
 */
import { z } from 'zod'
import type { OutcomeClass } from '../../mail/outcome.ts'
import { priorities } from '../../mail/priority.ts'
import type { QueueVerb } from '../../mail/queue-operation.ts'
import { mostOf } from '../../outcome/bulk-orders.ts'
import { classes } from '../../outcome/classes.ts'
import { rescheduled } from '../../outcome/delivery-log.ts'
import type { QueueColumn, QueueCounts, QueueFilter, QueueOverview, QueueRow } from '../../store/store.ts'
import { meaningOf } from '../class-meaning.ts'
import type { AdminDependencies } from '../dependencies.ts'
import {
  accountId,
  bilingual,
  domainName,
  given,
  id,
  instant,
  mailbox,
  mend,
  next,
  page,
  text,
  time,
  timestamp,
} from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { invalidField } from '../problem.ts'
import { liveSites, siteAnswer } from '../render-site.ts'
import { type Wait, waitFields, waitsOf } from '../wait-reasons.ts'
import { operationAnswer, renderOrder } from './queue-operations.ts'

/** Rows per grouping: the biggest are what an operator looks for. */
const groupsShown = 50

const classNames = Object.keys(classes) as [OutcomeClass, ...OutcomeClass[]]
const filterFields = {
  message: id.optional(),
  entry: id.optional(),
  account: accountId.optional(),
  senderDomain: domainName.optional(),
  domain: domainName.optional().meta({ description: 'Recipient domain' }),
  recipient: mailbox.optional(),
  state: z.enum(['due', 'waiting', 'leased', 'held'], mend('queue-state')).optional(),
  class: z.enum(classNames, mend('class')).optional().meta({ description: 'Class of the last deferral' }),
  site: text(1, 2000, 'site')
    .optional()
    .meta({ description: 'Site of the last attempt, as in by.site; `none`: not known yet' }),
  priority: z.enum(priorities, mend('priority')).optional(),
}
const scheduledMeaning = { description: 'Waits for the moment its sender named (true), or does not' }
const scheduledInQuery = z
  .enum(['true', 'false'], mend('yes-no'))
  .transform(text => text === 'true')
  .optional()
  .meta(scheduledMeaning)
const commandFilter = z.strictObject(
  { ...filterFields, scheduled: z.boolean(mend('yes-no')).optional().meta(scheduledMeaning) },
  mend('object'),
)

const commandFields = {
  filter: commandFilter.optional(),
  all: z.boolean(mend('yes-no')).optional().meta({ description: 'Needed to mean the whole queue' }),
  dryRun: z.boolean(mend('yes-no')).optional().meta({ description: 'Only count what would be changed' }),
}
const meansSomething = ({ filter, all }: { filter?: object | undefined; all?: boolean | undefined }) =>
  all === true || Object.keys(filter ?? {}).length > 0
const command = z
  .strictObject(
    {
      ...commandFields,
      reason: text(1, 500, 'reason').optional().meta({ description: 'Kept with held and cancelled entries' }),
    },
    mend('object'),
  )
  .refine(meansSomething, mend('filter-or-all'))
const rescheduling = z
  .strictObject(
    {
      ...commandFields,
      sendAt: instant.nullable().meta({ description: 'When to send, such as 2026-01-16T00:00:00Z; null: now' }),
    },
    mend('object'),
  )
  .refine(meansSomething, mend('filter-or-all'))
type Command = z.output<typeof command>

const countsAnswer = z.object({
  total: z.int(),
  due: z.int(),
  waiting: z.int(),
  leased: z.int(),
  held: z.int(),
  oldestReceivedAt: timestamp.nullable(),
})
const groups = z.array(z.object({ value: z.string(), count: z.int(), oldestReceivedAt: timestamp.nullable() }))
const entryAnswer = z.object({
  id: z.string(),
  message: z.string(),
  account: z.string().nullable(),
  senderDomain: z.string(),
  from: z.string().nullable(),
  recipient: z.string(),
  domain: z.string(),
  state: z.enum(['due', 'waiting', 'leased', 'held']),
  attempts: z.int(),
  receivedAt: timestamp,
  nextAttemptAt: timestamp,
  expiresAt: timestamp,
  heldReason: z.string().nullable(),
  suspension: z.string().nullable().meta({ description: 'That holds it; null: an operator does, or nothing' }),
  class: z.string().nullable(),
  classMessage: bilingual.nullable(),
  who: bilingual.nullable().meta({ description: 'Who must act' }),
  next: bilingual.nullable().meta({ description: 'What to do' }),
  lastReply: z.string().nullable(),
  lastHost: z.string().nullable(),
  lastSite: z.string().nullable(),
  priority: z.enum(priorities),
  scheduled: z.boolean().meta({ description: 'Not tried before the moment its sender named, which is nextAttemptAt' }),
  ...waitFields,
  inDoubt: z.boolean(),
})
const queueAnswer = z.object({
  counts: countsAnswer,
  by: z.object({
    site: groups,
    domain: groups,
    account: groups,
    senderDomain: groups,
    class: groups,
    priority: groups,
  }),
  sites: z.array(siteAnswer).meta({ description: 'Sites as delivery sees them now; empty while it does not answer' }),
  entries: z.array(entryAnswer),
  next,
})
const commandAnswer = z.object({
  dryRun: z.boolean(),
  matched: countsAnswer.meta({ description: 'What the filter fits, before anything was changed' }),
  changed: z.int().meta({ description: 'Entries changed; with dryRun: that would be' }),
})
const orderAnswer = commandAnswer.extend({
  inFlight: z.int().meta({
    description:
      'Held or cancelled while they are being sent: those may be delivered yet, and are held or cancelled if not',
  }),
  operation: operationAnswer.nullable().meta({
    description: 'With 202: too many entries to wait for; changed is 0, and /v1/queue/operations/{id} tells more',
  }),
})

export type QueueAnswer = z.output<typeof queueAnswer>
export type QueueCountsAnswer = z.output<typeof countsAnswer>
export type QueueCommandAnswer = z.output<typeof commandAnswer>
export type QueueOrderAnswer = z.output<typeof orderAnswer>

/** What a command does, and which of the matching entries it can change. */
interface Verb {
  readonly name: QueueVerb
  readonly summary: string
  readonly narrow: (filter: QueueFilter) => QueueFilter
  readonly changes: (counts: QueueCounts, filter: QueueFilter) => Promise<number>
}

export function queueRoutes(dependencies: AdminDependencies): Operation[] {
  const { store, live } = dependencies
  return [
    operation({
      method: 'get',
      path: '/v1/queue',
      id: 'showQueue',
      summary: 'Counts what waits, groups it, and lists entries',
      query: z.strictObject({ ...filterFields, scheduled: scheduledInQuery, ...page }),
      answer: { status: 200, schema: queueAnswer },
      async run({ query: { limit, cursor, ...fields } }) {
        const wanted = pageOf({ limit, cursor })
        const filter = given(fields)
        const [{ counts, by, rows }, sites] = await Promise.all([
          store.queueOverview(filter, wanted, groupsShown),
          liveSites(live),
        ])
        const waitOf = await waitsOf(rows, dependencies)
        const entries = rows.map(row => renderRow(row, waitOf(row)))
        const next = nextOf(rows, wanted, row => row.entry.id)
        return { counts: renderCounts(counts), by: renderGroups(by), sites, entries, next }
      },
    }),
    ...verbsOf(dependencies).map(verb => commandOperation(dependencies, verb)),
    rescheduleOperation(dependencies),
  ]
}

function commandOperation({ store, queue, bulkOrders }: AdminDependencies, verb: Verb): Operation {
  return operation({
    method: 'post',
    path: `/v1/queue/${verb.name}`,
    id: `${verb.name}Queue`,
    summary: verb.summary,
    body: command,
    answer: { status: 200, schema: orderAnswer, goesOn: ({ operation }) => operation !== null },
    async run({ body }) {
      const filter = verb.narrow(given(body.filter ?? {}))
      const counts = await store.countQueue(filter)
      const matched = renderCounts(counts)
      const total = await verb.changes(counts, filter)
      const reason = reasonOf(body)
      if (body.dryRun) return { dryRun: true, matched, changed: total, inFlight: 0, operation: null }
      if (total > bulkOrders.above) {
        const order = await bulkOrders.begin({ verb: verb.name, filter, reason, total })
        return { dryRun: false, matched, changed: 0, inFlight: 0, operation: renderOrder(order) }
      }
      const goOn = (changed: number) => changed < mostOf({ verb: verb.name, total })
      return { dryRun: false, matched, ...(await queue[verb.name](filter, reason, goOn)), operation: null }
    },
  })
}

function rescheduleOperation({ store, config, clock, log }: AdminDependencies): Operation {
  return operation({
    method: 'post',
    path: '/v1/queue/reschedule',
    id: 'rescheduleQueue',
    summary: 'Sends scheduled entries at another moment, or now',
    body: rescheduling,
    answer: { status: 200, schema: commandAnswer },
    async run({ body }) {
      const now = clock.now()
      const releaseAt = body.sendAt ?? now
      if (releaseAt > now + config.submission.maxFutureRelease) throw invalidField('sendAt', 'send-at-late')
      const filter = { ...given(body.filter ?? {}), scheduled: true }
      const counts = await store.countQueue(filter)
      const changed = body.dryRun ? counts.total - counts.leased : await store.reschedule(filter, releaseAt, now)
      if (!body.dryRun) rescheduled(log, { entries: changed, ...told(filter), releaseAt })
      return { dryRun: body.dryRun === true, matched: renderCounts(counts), changed }
    },
  })
}

/** A retry of the whole queue must not send what is scheduled; who names an entry or a message means it. */
function unscheduled(filter: QueueFilter): QueueFilter {
  const named = filter.entry !== undefined || filter.message !== undefined || filter.scheduled !== undefined
  return named ? filter : { ...filter, scheduled: false }
}

const asGiven = (filter: QueueFilter) => filter

function reasonOf({ reason }: Command): string {
  return reason ?? 'by an operator'
}

function verbsOf({ store }: AdminDependencies): readonly Verb[] {
  return [
    {
      name: 'hold',
      narrow: asGiven,
      summary: 'Keeps entries from being tried until they are released',
      changes: async ({ total, held }) => total - held,
    },
    {
      name: 'release',
      narrow: asGiven,
      summary: 'Lets held entries go again; not those a suspension holds',
      // Where nothing is suspended all that is held is an operator's: counting a million own holds takes two seconds.
      changes: async ({ held }, filter) =>
        (await store.countSuspended()).size === 0 ? held : store.countOwnHolds(filter),
    },
    {
      name: 'retry',
      narrow: unscheduled,
      summary: 'Makes waiting entries due now; scheduled ones only where the filter names them, a message or an entry',
      changes: async ({ waiting }) => waiting,
    },
    {
      name: 'cancel',
      narrow: asGiven,
      summary: 'Takes entries out of the queue for good, without a report to the sender',
      changes: async ({ total, leased }) => total - leased,
    },
  ]
}

/** What the log line says of a filter; a recipient domain is told as the site. */
function told({ message, account, senderDomain, recipient, domain, site = domain }: QueueFilter) {
  return { message, account, senderDomain, recipient, site }
}

function renderGroups(by: QueueOverview['by']): z.output<typeof queueAnswer>['by'] {
  const rendered = (column: QueueColumn) =>
    by[column].map(({ oldestReceivedAt, ...group }) => ({ ...group, oldestReceivedAt: time(oldestReceivedAt) }))
  return {
    site: rendered('site'),
    domain: rendered('domain'),
    account: rendered('account'),
    senderDomain: rendered('senderDomain'),
    class: rendered('class'),
    priority: rendered('priority'),
  }
}

function renderCounts(counts: QueueCounts): QueueCountsAnswer {
  return { ...counts, oldestReceivedAt: time(counts.oldestReceivedAt) }
}

function renderRow(row: QueueRow, wait: Wait): z.output<typeof entryAnswer> {
  const { entry, message, state, lastClass, scheduled } = row
  return {
    id: entry.id,
    message: message.id,
    account: message.account,
    senderDomain: message.senderDomain,
    from: message.from,
    recipient: entry.recipient.address,
    domain: entry.domain,
    state,
    attempts: entry.attempts,
    receivedAt: time(message.receivedAt),
    nextAttemptAt: time(entry.nextAttemptAt),
    expiresAt: time(entry.expiresAt),
    heldReason: entry.heldReason ?? null,
    suspension: entry.suspension ?? null,
    class: lastClass,
    ...meaningOf(lastClass),
    lastReply: entry.lastReply ?? null,
    lastHost: entry.lastHost ?? null,
    lastSite: entry.lastSite ?? null,
    priority: message.priority ?? 'normal',
    scheduled,
    ...wait,
    inDoubt: entry.inDoubt,
  }
}
