/**
 * Webhooks: where events are sent to, how far that has come, and what receivers said.
 *
 * A secret is answered when it is made and never again. Failures of receivers are part of a webhook's status.
 */
import { z } from 'zod'
import type { DeliveryFailure } from '../../mail/webhook.ts'
import { parseEndpoint } from '../../webhooks/endpoint-url.ts'
import { isTypePattern } from '../../webhooks/event-filter.ts'
import { tellFailure } from '../../webhooks/failures.ts'
import type { ShownOnce, WebhookView } from '../../webhooks/service.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, given, id, instant, mend, next, page, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { invalidField } from '../problem.ts'

const params = z.object({ id })
const url = z
  .string(mend('webhook-url'))
  .transform(value => value.trim())
  .refine(value => parseEndpoint(value) !== null, mend('webhook-url'))
const types = z
  .array(z.string(mend('webhook-types')).refine(isTypePattern, mend('webhook-types')), mend('webhook-types'))
  .min(1, mend('webhook-types'))
  .max(50, mend('webhook-types'))
  .meta({ description: 'Event types, exact or by prefix: message.bounced, domain.*, *' })
const terminalOnly = z
  .boolean(mend('yes-no'))
  .meta({ description: 'Of the events of messages only delivered, bounced and cancelled' })
const batch = z
  .int(mend('batch'))
  .min(1, mend('batch'))
  .max(500, mend('batch'))
  .meta({ description: 'Events in one request. 1: the body is the event; more: {version, events}' })
const note = text(0, 1000, 'note')

const newWebhook = z.strictObject(
  {
    url,
    account: accountId.nullable().optional().meta({ description: 'Absent: events of all accounts and of the relay' }),
    types: types.optional(),
    terminalOnly: terminalOnly.optional(),
    batch: batch.optional(),
    note: note.optional(),
  },
  mend('object'),
)
const webhookChange = z
  .strictObject(
    {
      ...{ url, types, terminalOnly, batch, note },
      state: z.enum(['enabled', 'paused'], mend('webhook-state')),
      reason: text(1, 500, 'reason').meta({ description: 'Why it is paused' }),
    },
    mend('object'),
  )
  .partial()
  .refine(change => Object.keys(change).length > 0, mend('nothing-to-change'))
const replay = z
  .strictObject(
    {
      from: z.int(mend('replay')).min(1, mend('replay')).optional().meta({ description: 'seq of the next event' }),
      since: instant.optional().meta({ description: 'The first event at this time or later' }),
    },
    mend('object'),
  )
  .refine(({ from, since }) => (from === undefined) !== (since === undefined), mend('replay'))

const failureAnswer = z.object({
  at: timestamp,
  reason: z.string(),
  status: z.int().nullable().meta({ description: 'Null: there was no answer' }),
  message: bilingual,
  fix: bilingual,
  reply: z.string().meta({ description: "The beginning of the answer's body" }),
})
const webhookAnswer = z.object({
  id: z.string(),
  url: z.string(),
  account: z.string().nullable(),
  types: z.array(z.string()),
  terminalOnly: z.boolean(),
  batch: z.int(),
  note: z.string(),
  state: z.enum(['enabled', 'paused']),
  stateReason: z.string().nullable().meta({ description: 'Why it is paused; gone: its receiver answered 410' }),
  createdAt: timestamp,
  previousSecretUntil: timestamp.nullable().meta({ description: 'Until then the secret before signs too' }),
  cursor: z.int().meta({ description: 'seq of the last event that was taken or passed over' }),
  lag: z.int().meta({ description: 'Events it has still to look at; not all of them may be wanted' }),
  failures: z.int().meta({ description: 'Failed requests in a row' }),
  nextTryAt: timestamp.nullable(),
  lastSuccess: z.object({ at: timestamp, status: z.int() }).nullable(),
  lastFailure: failureAnswer.nullable(),
})
const shownOnce = webhookAnswer.extend({
  secret: z.string().meta({ description: 'Checks the signatures; shown this once' }),
})
const testAnswer = z.object({
  delivered: z.boolean(),
  status: z.int().nullable(),
  ms: z.int(),
  failure: failureAnswer.nullable(),
})

export type WebhookAnswer = z.output<typeof webhookAnswer>
export type WebhookShownOnce = z.output<typeof shownOnce>
export type WebhookTestAnswer = z.output<typeof testAnswer>

export function webhookRoutes(dependencies: AdminDependencies): Operation[] {
  return [...changeRoutes(dependencies), ...lookRoutes(dependencies), ...orderRoutes(dependencies)]
}

function changeRoutes({ webhooks, store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/webhooks',
      id: 'createWebhook',
      summary: 'Registers a receiver of events from now on; its secret is shown this once',
      body: newWebhook,
      answer: { status: 201, schema: shownOnce },
      problems: ['conflict'],
      location: webhook => `/v1/webhooks/${webhook.id}`,
      async run({ body: { url, account = null, types = ['*'], terminalOnly = false, batch = 1, note = '' } }) {
        if (account !== null && !(await store.account(account))) throw invalidField('account', 'no-account')
        return renderOnce(await webhooks.create({ url, account, types, terminalOnly, batch, note }))
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/webhooks/{id}',
      id: 'changeWebhook',
      summary: 'Changes, pauses or resumes a webhook; what happened while it was paused is sent afterwards',
      params,
      body: webhookChange,
      answer: { status: 200, schema: webhookAnswer },
      async run({ params, body: { reason, state, ...edit } }) {
        const stateReason = state === 'enabled' ? null : reason
        return render(await webhooks.change(params.id, given({ ...edit, state, stateReason })))
      },
    }),
    operation({
      method: 'post',
      path: '/v1/webhooks/{id}/rotate-secret',
      id: 'rotateWebhookSecret',
      summary: 'Makes a new secret, shown this once; for a while both sign',
      params,
      answer: { status: 200, schema: shownOnce },
      run: async ({ params }) => renderOnce(await webhooks.rotateSecret(params.id)),
    }),
    operation({
      method: 'delete',
      path: '/v1/webhooks/{id}',
      id: 'deleteWebhook',
      summary: 'Removes a webhook',
      params,
      run: ({ params }) => webhooks.remove(params.id),
    }),
  ]
}

function lookRoutes({ webhooks }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/webhooks',
      id: 'listWebhooks',
      summary: 'Lists webhooks with the state of their delivery',
      query: z.strictObject({ account: accountId.optional(), ...page }),
      answer: { status: 200, schema: z.object({ webhooks: z.array(webhookAnswer), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const views = await webhooks.list(given({ account: query.account }), wanted)
        return { webhooks: views.map(render), next: nextOf(views, wanted, view => view.id) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/webhooks/{id}',
      id: 'getWebhook',
      summary: 'Tells how far a webhook has come, and what its receiver said last',
      params,
      answer: { status: 200, schema: webhookAnswer },
      run: async ({ params }) => render(await webhooks.view(params.id)),
    }),
  ]
}

function orderRoutes({ webhooks, store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/webhooks/{id}/replay',
      id: 'replayWebhook',
      summary: 'Sends events again from a seq or a time on; a later seq skips what can not be delivered',
      params,
      body: replay,
      answer: { status: 200, schema: webhookAnswer },
      async run({ params, body: { from, since } }) {
        // Whatever happens until then would never be told.
        if (from !== undefined && from > (await store.eventRange()).newest + 1)
          throw invalidField('from', 'replay-beyond')
        return render(await webhooks.replay(params.id, from === undefined ? { since: since! } : { seq: from }))
      },
    }),
    operation({
      method: 'post',
      path: '/v1/webhooks/{id}/test',
      id: 'testWebhook',
      summary: 'Sends a test event now, also while paused, and tells what the receiver answered',
      params,
      answer: { status: 200, schema: testAnswer },
      async run({ params }) {
        const result = await webhooks.test(params.id)
        const failure = result.taken ? null : renderFailure(result.failure)
        return {
          delivered: result.taken,
          status: result.taken ? result.status : failure!.status,
          ms: result.ms,
          failure,
        }
      },
    }),
  ]
}

function renderOnce({ webhook, secret }: ShownOnce): WebhookShownOnce {
  return { ...render(webhook), secret }
}

function render({ progress, ...webhook }: WebhookView): WebhookAnswer {
  const { cursor, failures, nextTryAt, lastSuccess, lastFailure } = progress
  const { id, url, account, terminalOnly, batch, note, state, stateReason, lag } = webhook
  return {
    ...{ id, url, account, terminalOnly, batch, note, state, stateReason, cursor, lag, failures },
    types: [...webhook.types],
    createdAt: time(webhook.createdAt),
    previousSecretUntil: time(webhook.previousSecretUntil),
    nextTryAt: time(nextTryAt),
    lastSuccess: lastSuccess && { at: time(lastSuccess.at), status: lastSuccess.status },
    lastFailure: lastFailure && renderFailure(lastFailure),
  }
}

function renderFailure(failure: DeliveryFailure): z.output<typeof failureAnswer> {
  const { at, reason, status, reply } = failure
  return { at: time(at), reason, status, ...tellFailure(failure), reply }
}
