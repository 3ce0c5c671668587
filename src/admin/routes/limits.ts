/**
 * Send limits as they work together: a mail counts against its account, its sender domain and its credential, and the
 * tightest of them decides.
 */
import { z } from 'zod'
import { defaultPool } from '../../delivery/pools.ts'
import type { SendLimits } from '../../mail/sender-domain.ts'
import { type ProviderRule, providerRules, type Reasoned } from '../../policy/provider-rules.ts'
import { type SiteRule, siteRule, siteRules } from '../../policy/site-rules.ts'
import type { LimitUse, Store } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, domainName, id, limits, mend, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { notFound } from '../problem.ts'
import { liveSites, siteAnswer } from '../render-site.ts'
import { render } from './warm-ups.ts'

const query = z
  .strictObject({
    account: accountId.optional(),
    domain: domainName.optional(),
    credential: id.optional(),
    to: domainName.optional().meta({ description: 'A recipient domain, or a name that its MX hosts end in' }),
  })
  .refine(asked => Object.keys(asked).length > 0, mend('limits-of'))

const reasoned = z.object({
  basis: z.enum(['published', 'practice']).meta({ description: "Whose number it is: the provider's own, or ours" }),
  source: z.url().nullable(),
  reason: bilingual,
})
const count = reasoned.extend({ value: z.int() })
const numbers = { connections: z.int(), messagesPerConnection: z.int(), perMinute: z.int().nullable() }
const ruleAnswer = z.object({ suffix: z.string(), name: z.string().nullable(), shared: z.boolean(), ...numbers })
const providerAnswer = z.object({
  name: z.string(),
  suffixes: z.array(z.string()),
  connections: count,
  messagesPerConnection: count,
  perMinute: reasoned.extend({ value: z.int().nullable() }),
})
const sitesAnswer = z.object({
  sites: z.array(siteAnswer).meta({ description: 'Those with work, closed ones and adapted ones' }),
  rules: z
    .array(ruleAnswer)
    .meta({ description: "In the order they are tried: the configuration's, Kitte's, and that for everybody else" }),
  providers: z
    .array(providerAnswer)
    .meta({ description: 'The rules that Kitte ships, with the reason of each number' }),
})
export type SiteLimitsAnswer = z.output<typeof sitesAnswer>

const answer = z.object({
  buckets: z.array(z.object({ key: z.string(), limits })).meta({ description: 'What a mail of these counts against' }),
  effective: limits.meta({ description: 'The smallest number per window' }),
  nextSlotAt: timestamp
    .nullable()
    .meta({ description: 'When another mail of these could leave; null: nothing limits them' }),
  sites: z.array(siteAnswer).meta({ description: 'Of `to`, as far as delivery knows them now' }),
  rule: ruleAnswer.nullable().meta({ description: 'Of `to`, where no site is known yet: what hosts of that name get' }),
  pool: z.string().meta({ description: 'Of source addresses that a mail of these leaves by' }),
  warmUp: z
    .object({ state: z.enum(['waiting', 'running', 'paused', 'done']), cap: z.int().nullable(), taken: z.int() })
    .nullable()
    .meta({ description: 'Of the sender domain: most recipients today, and those that have their place' }),
})

export type LimitsAnswer = z.output<typeof answer>

export function limitRoutes({ store, live, config }: AdminDependencies): Operation[] {
  /** What the receiving side is given: by the sites a recipient domain's mail went to, or by the name of its hosts. */
  async function receiving(to: string | undefined) {
    if (to === undefined) return { sites: [], rule: null }
    const found = (await store.countQueueBy('site', { domain: to }, sitesShown)).map(({ value }) => value)
    // A sender's own server takes mail for everybody; it is none of the receiver's.
    const known = new Set(found.filter(value => !value.startsWith('smtp:')))
    const sites = (await liveSites(live)).filter(({ site }) => known.has(site) || endsIn(site, to))
    return { sites, rule: sites.length > 0 ? null : renderRule(siteRule(siteRules(config.sites), [to])) }
  }

  return [
    operation({
      method: 'get',
      path: '/v1/limits/sites',
      id: 'showSiteLimits',
      summary:
        'Tells what each site may get now and why, the rules behind it, and the reason of each number Kitte ships',
      answer: { status: 200, schema: sitesAnswer },
      async run() {
        return {
          sites: await liveSites(live),
          rules: siteRules(config.sites).map(renderRule),
          providers: providerRules.map(renderProvider),
        }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/limits',
      id: 'showLimits',
      summary: 'Tells which limits apply to an account, a sender domain, a credential, or all of them together',
      query,
      answer: { status: 200, schema: answer },
      async run({ query }) {
        const buckets = await bucketsOf(store, query)
        const effective = smallest(buckets.map(bucket => bucket.limits))
        const slot = await store.nextSlot(buckets)
        const departure = await departureOf(store, query)
        return { buckets, effective, nextSlotAt: time(slot), ...(await receiving(query.to)), ...departure }
      },
    }),
  ]
}

const sitesShown = 20

function endsIn(site: string, name: string): boolean {
  return site.split(',').some(host => host === name || host.endsWith(`.${name}`))
}

function renderRule(rule: SiteRule): z.output<typeof ruleAnswer> {
  const { suffix, name, shared, connections, messagesPerConnection, perMinute } = rule
  return { suffix, name: name ?? null, shared: shared ?? false, connections, messagesPerConnection, perMinute }
}

function renderProvider({ name, suffixes, connections, messagesPerConnection, perMinute }: ProviderRule) {
  return {
    ...{ name, suffixes: [...suffixes] },
    connections: renderReasoned(connections),
    messagesPerConnection: renderReasoned(messagesPerConnection),
    perMinute: renderReasoned(perMinute),
  }
}

function renderReasoned<T>({ value, basis, source, ja, en }: Reasoned<T>) {
  return { value, basis, source: source ?? null, reason: { ja, en } }
}

/** A domain and a credential bring their account along. */
async function bucketsOf(store: Store, asked: z.output<typeof query>): Promise<LimitUse[]> {
  const domain = asked.domain === undefined ? null : await store.domain(asked.domain)
  if (asked.domain !== undefined && !domain)
    throw notFound({ ja: `ドメイン ${asked.domain} `, en: `domain ${asked.domain}` })
  const credential = asked.credential === undefined ? null : await store.credential(asked.credential)
  if (asked.credential !== undefined && !credential)
    throw notFound({ ja: `認証情報 ${asked.credential} `, en: `credential ${asked.credential}` })
  const owner = asked.account ?? domain?.account ?? credential?.account ?? null
  const account = owner === null ? null : await store.account(owner)
  if (owner !== null && !account) throw notFound({ ja: `アカウント ${owner} `, en: `account ${owner}` })
  return [
    ...(account ? [{ key: `account:${account.id}`, limits: account.limits }] : []),
    ...(domain ? [{ key: `domain:${domain.name}`, limits: domain.limits }] : []),
    ...(credential ? [{ key: `credential:${credential.id}`, limits: credential.limits }] : []),
  ]
}

/** Whom `bucketsOf` has found. */
async function departureOf(store: Store, asked: z.output<typeof query>) {
  const domain = asked.domain === undefined ? null : await store.domain(asked.domain)
  const credential = asked.credential === undefined ? null : await store.credential(asked.credential)
  const owner = asked.account ?? domain?.account ?? credential?.account ?? null
  const account = owner === null ? null : await store.account(owner)
  const warmUp = domain && (await store.warmUp({ kind: 'domain', name: domain.name }))
  const shown = warmUp && render(warmUp)
  return {
    pool: credential?.pool ?? domain?.pool ?? account?.pool ?? defaultPool,
    warmUp: shown && { state: shown.state, cap: shown.cap, taken: shown.taken },
  }
}

function smallest(all: readonly SendLimits[]): SendLimits {
  const windows = ['perMinute', 'perHour', 'perDay'] as const
  const found = windows.map(
    window => [window, Math.min(...all.map(one => one[window] ?? Number.POSITIVE_INFINITY))] as const,
  )
  return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value)))
}
