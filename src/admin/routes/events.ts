/**
 * Events: what happened, in order, for readers that keep a cursor.
 */
import { z } from 'zod'
import { type Event, eventTypes } from '../../mail/event.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, domainName, given, id, mend, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { pageOf } from '../paging.ts'
import { withSentences } from '../render-check.ts'
import { isOutcome, renderOutcome } from '../render-outcome.ts'
import { isReturned, renderReturned } from '../render-returned.ts'

const query = z.strictObject({
  after: z
    .string(mend('after'))
    .regex(/^\d{1,15}$/, mend('after'))
    .transform(Number)
    .optional()
    .meta({ description: 'Only events with a greater seq' }),
  type: z.enum(eventTypes, mend('event-type')).optional(),
  account: accountId.optional(),
  message: id.optional(),
  domain: domainName.optional(),
  limit: page.limit,
})

export const eventAnswer = z.object({
  seq: z.int(),
  type: z.enum(eventTypes),
  at: timestamp,
  account: z.string().nullable(),
  message: z.string().optional(),
  entry: z.string().optional(),
  recipient: z.string().optional(),
  domain: z.string().optional(),
  data: z.unknown().meta({
    description:
      'Depends on the type; for outcomes the attempt with its reply and class, for records what was found before and after',
  }),
})

export function eventRoutes({ store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/events',
      id: 'listEvents',
      summary: 'Lists what happened, oldest first; give `after` of the answer to go on',
      query,
      answer: {
        status: 200,
        schema: z.object({
          events: z.array(eventAnswer),
          after: z
            .int()
            .meta({ description: 'Seq of the last event looked at, whether it fits or not: ask again with it' }),
          deletedThrough: z.int().meta({
            description:
              'Up to this seq events may have been deleted by queue.keepHistory: who asked with a smaller `after` has missed some',
          }),
        }),
      },
      async run({ query: { limit, ...filter } }) {
        const most = pageOf({ limit }).limit
        // Asked first: what is written meanwhile is then read next time, at most.
        const { newest, purgedThrough } = await store.eventRange()
        const events = await store.events(given(filter), most)
        const last = events.at(-1)?.seq ?? 0
        // From beyond the newest, as after a backup was restored, a reader goes back to where it is.
        const after = events.length < most ? Math.max(newest, last) : last
        return { events: events.map(renderEvent), after, deletedThrough: purgedThrough }
      },
    }),
  ]
}

export function renderEvent({ seq, type, at, account, data, ...about }: Event): z.output<typeof eventAnswer> {
  const { message, entry, recipient, domain } = about
  return {
    seq,
    type,
    at: time(at),
    account,
    ...given({ message, entry, recipient, domain }),
    data: shownData(type, data),
  }
}

function shownData(type: Event['type'], data: unknown): unknown {
  if (type === 'domain.check_changed' || type === 'domain.record_lost') return withSentences(data)
  if (isReturned(data)) return renderReturned(data)
  return isOutcome(data) ? renderOutcome(data) : data
}
