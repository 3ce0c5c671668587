/**
 * Orders to the queue that go on in the background: how far they are, and stopping them.
 */
import { z } from 'zod'
import type { Order } from '../../outcome/bulk-orders.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { id, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { notFound } from '../problem.ts'

export const operationAnswer = z.object({
  id: z.string(),
  verb: z.enum(['hold', 'release', 'retry', 'cancel']),
  filter: z.record(z.string(), z.unknown()),
  total: z
    .int()
    .meta({ description: 'Entries it would change when it began; done may be more, as mail goes on coming' }),
  done: z.int().meta({ description: 'Entries it has changed' }),
  inFlight: z.int().nullable().meta({
    description: 'Being sent when it ended: held or cancelled unless that delivers them. Null while it goes on',
  }),
  state: z.enum(['running', 'done', 'stopped', 'failed']).meta({
    description: 'A restart of the relay does not end it. done may stay below total: entries leave the queue meanwhile',
  }),
  createdAt: timestamp,
  endedAt: timestamp.nullable(),
  error: z.string().nullable(),
})
export type QueueOperationAnswer = z.output<typeof operationAnswer>

const params = z.object({ id })
const path = '/v1/queue/operations'
const unknown = (id: string) => notFound({ ja: `キューの一括操作 ${id} `, en: `order to the queue ${id}` })

export function queueOperationRoutes({ store, bulkOrders }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path,
      id: 'listQueueOperations',
      summary: 'Lists orders to many entries, newest first; the last hundred that ended are kept',
      answer: { status: 200, schema: z.object({ operations: z.array(operationAnswer) }) },
      run: async () => ({ operations: (await store.queueOperations()).map(renderOrder) }),
    }),
    operation({
      method: 'get',
      path: `${path}/{id}`,
      id: 'getQueueOperation',
      summary: 'Tells how far an order to many entries is',
      params,
      answer: { status: 200, schema: operationAnswer },
      async run({ params: { id } }) {
        const order = await store.queueOperation(id)
        if (order === null) throw unknown(id)
        return renderOrder(order)
      },
    }),
    operation({
      method: 'delete',
      path: `${path}/{id}`,
      id: 'stopQueueOperation',
      summary: 'Stops an order after the slice under way; what was done stays done',
      params,
      answer: { status: 200, schema: operationAnswer },
      async run({ params: { id } }) {
        const order = await bulkOrders.stopOrder(id)
        if (order === null) throw unknown(id)
        return renderOrder(order)
      },
    }),
  ]
}

export function renderOrder({
  id,
  verb,
  filter,
  total,
  done,
  inFlight,
  state,
  createdAt,
  endedAt,
  error,
}: Order): QueueOperationAnswer {
  return {
    id,
    verb,
    filter: { ...filter },
    total,
    done,
    inFlight: inFlight ?? null,
    state,
    createdAt: time(createdAt),
    endedAt: time(endedAt),
    error,
  }
}
