/**
 * Suspensions: slices of the mail that are not tried for now, with a reason and an end.
 */
import { z } from 'zod'
import type { OutcomeClass } from '../../mail/outcome.ts'
import type { Suspension } from '../../mail/suspension.ts'
import { classes } from '../../outcome/classes.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, domainName, given, id, instant, mend, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidField, notFound } from '../problem.ts'

const classNames = Object.keys(classes) as [OutcomeClass, ...OutcomeClass[]]
const filter = z
  .strictObject(
    {
      account: accountId.optional(),
      senderDomain: domainName.optional(),
      domain: domainName.optional().meta({ description: 'Recipient domain' }),
      site: text(1, 2000, 'site').optional().meta({ description: 'As in by.site of the queue' }),
      class: z
        .enum(classNames, mend('class'))
        .optional()
        .meta({ description: 'Class of the last deferral: mail is tried once before it fits' }),
    },
    mend('object'),
  )
  .refine(fields => Object.keys(fields).length > 0, mend('suspension-filter'))
  .meta({ description: 'All given fields must hold' })
const newSuspension = z.strictObject(
  {
    filter,
    reason: text(1, 500, 'reason').meta({ description: 'Told wherever somebody asks why the mail waits' }),
    until: instant.nullable().optional().meta({
      description: 'Ends by itself then; absent or null: when it is ended. Mail goes on growing old meanwhile',
    }),
    dryRun: z.boolean(mend('yes-no')).optional().meta({ description: 'Only count what would be held now' }),
  },
  mend('object'),
)

const suspensionAnswer = z.object({
  id: z.string(),
  filter: z.record(z.string(), z.string()),
  reason: z.string(),
  createdAt: timestamp,
  until: timestamp.nullable(),
  state: z.enum(['holding', 'in-force', 'ending']).meta({
    description: 'holding: what waited already is still being held; ending: what it holds is being released',
  }),
  held: z.int().meta({ description: 'Entries it holds now' }),
})
const madeAnswer = z.object({
  dryRun: z.boolean(),
  matched: z.int().meta({ description: 'Entries that wait and fit, before anything was changed' }),
  suspension: suspensionAnswer.nullable().meta({ description: 'Null with dryRun' }),
})
export type SuspensionAnswer = z.output<typeof suspensionAnswer>
export type SuspensionMadeAnswer = z.output<typeof madeAnswer>

const params = z.object({ id })
const path = '/v1/suspensions'

export function suspensionRoutes({ store, suspensions, clock }: AdminDependencies): Operation[] {
  /** Null: it is gone, with the last entry it held. */
  async function shown({ id }: Pick<Suspension, 'id'>): Promise<SuspensionAnswer | null> {
    return (await all()).find(one => one.id === id) ?? null
  }

  async function all(): Promise<SuspensionAnswer[]> {
    const [standing, held] = await Promise.all([store.suspensions(), store.countSuspended()])
    return standing.map(({ endedAt, caught, ...one }) => ({
      ...render(one, held.get(one.id) ?? 0),
      state: endedAt !== null ? 'ending' : caught ? 'in-force' : 'holding',
    }))
  }

  return [
    operation({
      method: 'post',
      path,
      id: 'addSuspension',
      summary: 'Suspends a slice of the mail: what waits is held now, what comes later as it comes',
      body: newSuspension,
      answer: { status: 201, schema: madeAnswer },
      repeatable: false,
      async run({ body: { filter: fields, reason, until = null, dryRun = false } }) {
        if (until !== null && until <= clock.now()) throw invalidField('until', 'future')
        const filter = given(fields)
        const { total, held } = await store.countQueue(filter)
        const matched = total - held
        if (dryRun) return { dryRun, matched, suspension: null }
        return { dryRun, matched, suspension: await shown(await suspensions.suspend({ filter, reason, until })) }
      },
    }),
    operation({
      method: 'get',
      path,
      id: 'listSuspensions',
      summary: 'Lists suspensions, oldest first',
      answer: { status: 200, schema: z.object({ suspensions: z.array(suspensionAnswer) }) },
      run: async () => ({ suspensions: await all() }),
    }),
    operation({
      method: 'delete',
      path: `${path}/{id}`,
      id: 'endSuspension',
      summary: 'Ends a suspension and releases exactly what it held; what an operator holds stays',
      params,
      answer: { status: 200, schema: suspensionAnswer },
      async run({ params: { id } }) {
        const ended = await suspensions.resume(id)
        if (ended === null) throw notFound({ ja: `停止 ${id} `, en: `suspension ${id}` })
        return (await shown(ended)) ?? { ...render(ended, 0), state: 'ending' as const }
      },
    }),
  ]
}

function render({ id, filter, reason, createdAt, until }: Suspension, held: number) {
  return {
    id,
    filter: { ...filter } as Record<string, string>,
    reason,
    createdAt: time(createdAt),
    until: time(until),
    held,
  }
}
