/**
 * Warm-ups of sender domains and source addresses: begun, looked at, paused, resumed, ended.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { type Calendar, openCalendar } from '../../base/calendar.ts'
import type { WarmUp, WarmUpTrouble } from '../../mail/warm-up.ts'
import { warmUpChanged } from '../../outcome/delivery-log.ts'
import { capOf } from '../../policy/warm-up.ts'
import type { WarmUpDay, WarmUpName } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { bilingual, domainName, mend, next, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { poolsWith, sourcesOf } from '../pool-fields.ts'
import { invalidField, notFound } from '../problem.ts'
import type { Bilingual } from '../texts.ts'

const source = z
  .string(mend('source'))
  .trim()
  .refine(text => isIP(text) !== 0, mend('source'))
const day = z
  .string(mend('start-day'))
  .regex(/^\d{4}-\d\d-\d\d$/, mend('start-day'))
  .refine(text => Number.isFinite(Date.parse(text)), mend('start-day'))
const caps = z
  .array(z.int(mend('caps')).min(1, mend('caps')), mend('caps'))
  .min(1, mend('caps'))
  .max(366, mend('caps'))

const newWarmUp = z
  .strictObject(
    {
      domain: domainName.optional().meta({ description: 'A registered sender domain …' }),
      source: source.optional().meta({ description: '… or a source address of the configuration' }),
      plan: z
        .string(mend('warm-up-plan'))
        .optional()
        .meta({ description: 'One of warmUp.plans; standard when neither this nor caps is given' }),
      caps: caps.optional().meta({ description: 'Most recipients on the first day, the second …' }),
      startsOn: day.optional().meta({ description: 'Today when absent' }),
    },
    mend('object'),
  )
  .refine(({ domain, source }) => (domain === undefined) !== (source === undefined), mend('warm-up-of'))
const params = z.object({ kind: z.enum(['domain', 'source'], mend('warm-up-kind')), name: z.string(mend('text')) })
const change = z.strictObject({ state: z.enum(['paused', 'running'], mend('warm-up-state')) }, mend('object'))

const warmUpAnswer = z.object({
  kind: z.enum(['domain', 'source']),
  name: z.string(),
  account: z.string().nullable(),
  plan: z.string(),
  caps: z.array(z.int()),
  startsOn: z.iso.date(),
  createdAt: timestamp,
  state: z.enum(['waiting', 'running', 'paused', 'done']),
  step: z.int().meta({ description: 'Which of the caps counts, from 1' }),
  day: z.iso.date().nullable(),
  cap: z.int().nullable().meta({ description: 'Most recipients on that day; null: no limit' }),
  taken: z.int().meta({ description: 'Recipients that have their place on that day' }),
  pause: z.object({ since: z.iso.date(), byHand: z.boolean(), message: bilingual }).nullable(),
})

export type WarmUpAnswer = z.output<typeof warmUpAnswer>

export function warmUpRoutes(dependencies: AdminDependencies): Operation[] {
  const calendar = openCalendar(dependencies.config.timeZone)
  return [...lookRoutes(dependencies), ...changeRoutes(dependencies, calendar)]
}

function lookRoutes({ store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/warm-ups',
      id: 'listWarmUps',
      summary: 'Lists the warm-ups of sender domains and source addresses',
      query: z.strictObject(page),
      answer: { status: 200, schema: z.object({ warmUps: z.array(warmUpAnswer), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const rows = await store.listWarmUps(wanted)
        return { warmUps: rows.map(render), next: nextOf(rows, wanted, row => `${row.kind}/${row.name}`) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/warm-ups/{kind}/{name}',
      id: 'getWarmUp',
      summary: 'Tells how far a warm-up has come, and why it is paused',
      params,
      answer: { status: 200, schema: warmUpAnswer },
      async run({ params }) {
        const warmUp = await store.warmUp(params)
        if (!warmUp) throw notFound({ ja: `${params.name} のウォームアップ`, en: `warm-up of ${params.name}` })
        return render(warmUp)
      },
    }),
  ]
}

function changeRoutes(dependencies: AdminDependencies, calendar: Calendar): Operation[] {
  const { store, clock, log, config } = dependencies
  const today = (): WarmUpDay => ({ today: calendar.dayOf(clock.now()), at: clock.now(), rules: config.warmUp })
  return [
    operation({
      method: 'post',
      path: '/v1/warm-ups',
      id: 'startWarmUp',
      summary: 'Begins a warm-up: daily caps that rise by themselves after good days',
      body: newWarmUp,
      answer: { status: 201, schema: warmUpAnswer },
      problems: ['conflict'],
      location: ({ kind, name }) => `/v1/warm-ups/${kind}/${name}`,
      async run({ body }) {
        const warmUp = await composed(body, dependencies, calendar)
        await store.createWarmUp(warmUp)
        await store.reviewWarmUps(today())
        return render((await store.warmUp(warmUp))!)
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/warm-ups/{kind}/{name}',
      id: 'changeWarmUp',
      summary: 'Pauses a warm-up until it is resumed, or resumes it: what waits for it may go at once',
      params,
      body: change,
      answer: { status: 200, schema: warmUpAnswer },
      problems: ['conflict'],
      async run({ params, body: { state } }) {
        const isPause = state === 'paused'
        const warmUp = await (isPause ? store.pauseWarmUp(params, today()) : store.resumeWarmUp(params, today()))
        warmUpChanged(log, { type: isPause ? 'paused' : 'resumed', warmUp })
        if (!isPause) await wake(params, dependencies)
        return render(warmUp)
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/warm-ups/{kind}/{name}',
      id: 'endWarmUp',
      summary: 'Ends a warm-up: nothing is limited any more, and what waits for it may go at once',
      params,
      async run({ params }) {
        await store.deleteWarmUp(params)
        await wake(params, dependencies)
      },
    }),
  ]
}

async function composed(
  body: z.output<typeof newWarmUp>,
  { store, clock, config }: AdminDependencies,
  calendar: Calendar,
): Promise<WarmUp> {
  const today = calendar.dayOf(clock.now())
  const { startsOn = today } = body
  if (startsOn < today) throw invalidField('startsOn', 'start-day')
  const of = body.domain === undefined ? sourceOf(body.source!, config) : await domainOf(body.domain, store)
  return {
    ...of,
    ...planOf(body, config),
    startsOn,
    createdAt: clock.now(),
    ...{ state: 'running', step: 0, day: null, taken: 0, pause: null, trustedOn: null },
  }
}

async function domainOf(name: string, store: AdminDependencies['store']) {
  const domain = await store.domain(name)
  if (!domain) throw notFound({ ja: `ドメイン ${name} `, en: `domain ${name}` })
  return { kind: 'domain', name: domain.name, account: domain.account } as const
}

function sourceOf(ip: string, config: AdminDependencies['config']) {
  if (!sourcesOf(config).includes(ip)) throw invalidField('source', 'source')
  return { kind: 'source', name: ip, account: null } as const
}

function planOf({ plan, caps }: z.output<typeof newWarmUp>, { warmUp }: AdminDependencies['config']) {
  if (caps !== undefined) return { plan: 'own', caps }
  const found = warmUp.plans.find(({ name }) => name === (plan ?? 'standard'))
  if (found === undefined) throw invalidField('plan', 'warm-up-plan')
  return { plan: found.name, caps: found.caps }
}

/** What waits because of a source waits for any of its pools. */
async function wake({ kind, name }: WarmUpName, { store, config }: AdminDependencies): Promise<void> {
  if (kind === 'domain') await store.wakeWaiting(`warm-up domain ${name}`)
  else for (const pool of poolsWith(name, config)) await store.wakeWaiting(`warm-up pool ${pool}`)
}

export function render(warmUp: WarmUp): WarmUpAnswer {
  const { kind, name, account, plan, caps, startsOn, createdAt, state, step, day, taken, pause } = warmUp
  return {
    ...{ kind, name, account, plan, startsOn, day, taken },
    caps: [...caps],
    createdAt: time(createdAt),
    state: state === 'running' && day === null ? 'waiting' : state,
    step: step + 1,
    cap: capOf(warmUp),
    pause: pause && { since: pause.since, byHand: pause.trouble === null, message: whyPaused(pause.trouble) },
  }
}

const troubles: Readonly<Record<WarmUpTrouble['kind'], Bilingual>> = {
  deferred: { ja: '一時拒否', en: 'deferrals' },
  bounced: { ja: '恒久的な拒否', en: 'refusals' },
  complained: { ja: '苦情', en: 'complaints' },
}

function whyPaused(trouble: WarmUpTrouble | null): Bilingual {
  if (trouble === null)
    return { ja: '手動で停止中です。再開の操作を待ちます。', en: 'Paused by hand, until it is resumed by hand.' }
  const { kind, share, of } = trouble
  const percent = (share * 100).toFixed(1)
  return {
    ja: `応答 ${of} 件のうち ${percent}% が${troubles[kind].ja}でした。その日は送信を止め、翌日からは一段低い上限で送り、問題のない日が一日あれば再開します。`,
    en: `${percent} % of ${of} answers were ${troubles[kind].en}. No more goes on that day; from the next on the cap before counts, until a good day ends the pause.`,
  }
}
