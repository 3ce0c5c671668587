/**
 * Send limits as they work together: a mail counts against its account, its sender domain and its credential, and the
 * tightest of them decides.
 */
import { z } from 'zod'
import type { SendLimits } from '../../mail/sender-domain.ts'
import type { LimitUse, Store } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, domainName, id, limits, mend } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { notFound } from '../problem.ts'

const query = z
  .strictObject({ account: accountId.optional(), domain: domainName.optional(), credential: id.optional() })
  .refine(asked => Object.keys(asked).length > 0, mend('limits-of'))

const answer = z.object({
  buckets: z.array(z.object({ key: z.string(), limits })).meta({ description: 'What a mail of these counts against' }),
  effective: limits.meta({ description: 'The smallest number per window' }),
})

export function limitRoutes({ store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/limits',
      id: 'showLimits',
      summary: 'Tells which limits apply to an account, a sender domain, a credential, or all of them together',
      query,
      answer: { status: 200, schema: answer },
      async run({ query }) {
        const buckets = await bucketsOf(store, query)
        return { buckets, effective: smallest(buckets.map(bucket => bucket.limits)) }
      },
    }),
  ]
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

function smallest(all: readonly SendLimits[]): SendLimits {
  const windows = ['perMinute', 'perHour', 'perDay'] as const
  const found = windows.map(
    window => [window, Math.min(...all.map(one => one[window] ?? Number.POSITIVE_INFINITY))] as const,
  )
  return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value)))
}
