/**
 * Accounts: customer organisations with their limits; suspended ones can't submit.
 */
import { z } from 'zod'
import { newId } from '../../base/ids.ts'
import type { Account } from '../../mail/account.ts'
import { tlsLevels } from '../../mail/tls-level.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { given, id, limits, limitsChange, mend, mergeLimits, next, page, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { assertPool, pool, wakePools } from '../pool-fields.ts'
import { notFound } from '../problem.ts'

const name = text(1, 200, 'name')
const unaligned = z
  .enum(['send', 'warn', 'refuse'], mend('unaligned'))
  .meta({ description: "What happens to mail that the recipient's DMARC rules would fail" })
const tls = z.enum(tlsLevels, mend('tls')).meta({
  description:
    'How far its mail must be protected on the way out: as far as hosts can, by TLS, or by TLS with proof of the host',
})
const feedbackId = z.boolean(mend('yes-no')).nullable().meta({
  description:
    'Whether its mail gets a Feedback-ID; null: where submission.feedbackId.add in the configuration says all',
})
const autoSuppress = z.boolean(mend('yes-no')).nullable().meta({
  description:
    'Whether hard bounces and complaints suppress recipients of its mail; null: as suppressions.hardBounces and complaints in the configuration say',
})
const params = z.object({ id })

const newAccount = z.strictObject(
  {
    name,
    limits: limitsChange.optional(),
    unaligned: unaligned.optional(),
    pool: pool.optional(),
    tls: tls.optional(),
    feedbackId: feedbackId.optional(),
    autoSuppress: autoSuppress.optional(),
  },
  mend('object'),
)
const accountChange = z
  .strictObject(
    {
      name,
      limits: limitsChange,
      pool,
      unaligned,
      tls,
      feedbackId,
      autoSuppress,
      suspendedReason: text(1, 500, 'reason')
        .nullable()
        .meta({ description: 'Set: submissions are refused with this text; null: the account may send again' }),
    },
    mend('object'),
  )
  .partial()
  .refine(change => Object.keys(change).length > 0, mend('nothing-to-change'))

const accountAnswer = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: timestamp,
  limits,
  pool,
  unaligned: z.enum(['send', 'warn', 'refuse']),
  tls: z.enum(tlsLevels),
  feedbackId,
  autoSuppress,
  suspendedReason: z.string().nullable(),
})

export type AccountAnswer = z.output<typeof accountAnswer>

export function accountRoutes({ store, clock, config }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/accounts',
      id: 'createAccount',
      summary: 'Registers a customer organisation',
      body: newAccount,
      answer: { status: 201, schema: accountAnswer },
      location: account => `/v1/accounts/${account.id}`,
      async run({ body }) {
        assertPool(body.pool, config)
        const account: Account = {
          id: newId(clock.now()),
          name: body.name,
          createdAt: clock.now(),
          limits: mergeLimits({}, body.limits),
          pool: body.pool ?? null,
          unaligned: body.unaligned ?? 'warn',
          suspendedReason: null,
          ...(body.tls && { tls: body.tls }),
          ...(typeof body.feedbackId === 'boolean' && { feedbackId: body.feedbackId }),
          ...(typeof body.autoSuppress === 'boolean' && { autoSuppress: body.autoSuppress }),
        }
        await store.createAccount(account)
        return render(account)
      },
    }),
    operation({
      method: 'get',
      path: '/v1/accounts',
      id: 'listAccounts',
      summary: 'Lists accounts',
      query: z.strictObject(page),
      answer: { status: 200, schema: z.object({ accounts: z.array(accountAnswer), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const accounts = await store.listAccounts(wanted)
        return { accounts: accounts.map(render), next: nextOf(accounts, wanted, account => account.id) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/accounts/{id}',
      id: 'getAccount',
      summary: 'Tells about one account',
      params,
      answer: { status: 200, schema: accountAnswer },
      async run({ params }) {
        return render(await find(store, params.id))
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/accounts/{id}',
      id: 'changeAccount',
      summary: 'Renames, limits, suspends or resumes an account',
      params,
      body: accountChange,
      answer: { status: 200, schema: accountAnswer },
      async run({ params, body }) {
        assertPool(body.pool, config)
        const account = await find(store, params.id)
        const limits = body.limits && mergeLimits(account.limits, body.limits)
        const changed = await store.updateAccount(params.id, given({ ...body, limits }))
        if (body.pool !== undefined) await wakePools(store, config)
        return render(changed)
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/accounts/{id}',
      id: 'deleteAccount',
      summary: 'Deletes an account that has no domains, sender addresses or queued mail',
      params,
      problems: ['conflict'],
      run: ({ params }) => store.deleteAccount(params.id),
    }),
  ]
}

async function find(store: AdminDependencies['store'], id: string): Promise<Account> {
  const account = await store.account(id)
  if (!account) throw notFound({ ja: `アカウント ${id} `, en: `account ${id}` })
  return account
}

function render({ createdAt, ...account }: Account): AccountAnswer {
  const {
    id,
    name,
    limits,
    pool = null,
    unaligned,
    suspendedReason,
    tls = 'opportunistic',
    feedbackId = null,
    autoSuppress = null,
  } = account
  const wishes = { unaligned, tls, feedbackId, autoSuppress }
  return { id, name, createdAt: time(createdAt), limits, pool, ...wishes, suspendedReason }
}
