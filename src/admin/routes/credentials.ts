/**
 * Credentials for SMTP AUTH: made here, the password shown once and stored hashed.
 */
import { z } from 'zod'
import { newId, randomText } from '../../base/ids.ts'
import { hashPassword, newPassword } from '../../base/password.ts'
import type { Credential } from '../../mail/account.ts'
import { priorities } from '../../mail/priority.ts'
import { Conflict } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import {
  accountId,
  given,
  id,
  limits,
  limitsChange,
  mend,
  mergeLimits,
  next,
  page,
  time,
  timestamp,
} from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { assertPool, pool, wakePools } from '../pool-fields.ts'
import { invalidField, notFound } from '../problem.ts'

const params = z.object({ id })
const priority = z.enum(priorities, mend('priority')).meta({ description: 'Of mail that says no other' })

const newCredential = z
  .strictObject(
    {
      account: accountId.optional().meta({ description: 'Id of the account it belongs to' }),
      scope: z
        .enum(['account', 'all'], mend('scope'))
        .optional()
        .meta({ description: 'all: a credential of the CRM itself; the From address decides the account' }),
      username: z
        .string(mend('username'))
        .regex(/^[A-Za-z0-9._@+-]{1,64}$/, mend('username'))
        .optional()
        .meta({ description: 'Made when absent' }),
      limits: limitsChange.optional(),
      priority: priority.optional(),
      pool: pool.optional(),
    },
    mend('object'),
  )
  .refine(({ account, scope }) => (account === undefined) === (scope === 'all'), mend('account-or-scope'))
const credentialChange = z
  .strictObject(
    { limits: limitsChange.optional(), priority: priority.nullable().optional(), pool: pool.optional() },
    mend('object'),
  )
  .refine(change => Object.keys(change).length > 0, mend('credential-change'))

const credentialAnswer = z.object({
  id: z.string(),
  account: z.string().nullable(),
  scope: z.enum(['account', 'all']),
  username: z.string(),
  limits,
  priority: priority.nullable().meta({ description: 'Of mail that says no other; null: none, so normal or bulk' }),
  pool,
  createdAt: timestamp,
  revokedAt: timestamp.nullable(),
})
const shownOnce = credentialAnswer.extend({ password: z.string().meta({ description: 'Shown this once' }) })

export type CredentialAnswer = z.output<typeof credentialAnswer>
export type CredentialShownOnce = z.output<typeof shownOnce>

export function credentialRoutes({ store, clock, config }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/credentials',
      id: 'createCredential',
      summary: 'Makes a username and password for SMTP; the password is shown this once',
      body: newCredential,
      answer: { status: 201, schema: shownOnce },
      problems: ['conflict'],
      location: credential => `/v1/credentials/${credential.id}`,
      async run({ body }) {
        if (body.account !== undefined && !(await store.account(body.account)))
          throw invalidField('account', 'no-account')
        assertPool(body.pool, config)
        const password = newPassword()
        const credential: Credential = {
          id: newId(clock.now()),
          account: body.account ?? null,
          scope: body.account === undefined ? 'all' : 'account',
          username: body.username ?? randomText(16),
          passwordHash: await hashPassword(password),
          limits: mergeLimits({}, body.limits),
          priority: body.priority ?? null,
          pool: body.pool ?? null,
          createdAt: clock.now(),
          revokedAt: null,
        }
        await store.createCredential(credential)
        return { ...render(credential), password }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/credentials',
      id: 'listCredentials',
      summary: 'Lists credentials, revoked ones too',
      query: z.strictObject({ account: accountId.optional(), ...page }),
      answer: { status: 200, schema: z.object({ credentials: z.array(credentialAnswer), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const credentials = await store.listCredentials(given({ account: query.account }), wanted)
        return { credentials: credentials.map(render), next: nextOf(credentials, wanted, row => row.id) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/credentials/{id}',
      id: 'getCredential',
      summary: 'Tells about one credential, without its password',
      params,
      answer: { status: 200, schema: credentialAnswer },
      async run({ params }) {
        return render(await find(store, params.id))
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/credentials/{id}',
      id: 'changeCredential',
      summary: 'Changes limits and priority of a credential, and the pool its mail leaves by',
      params,
      body: credentialChange,
      answer: { status: 200, schema: credentialAnswer },
      async run({ params, body }) {
        assertPool(body.pool, config)
        const credential = await find(store, params.id)
        const change = {
          ...(body.limits && { limits: mergeLimits(credential.limits, body.limits) }),
          ...(body.pool !== undefined && { pool: body.pool }),
          ...(body.priority !== undefined && { priority: body.priority }),
        }
        const changed = await store.updateCredential(params.id, change)
        if (body.pool !== undefined) await wakePools(store, config)
        return render(changed)
      },
    }),
    operation({
      method: 'post',
      path: '/v1/credentials/{id}/rotate',
      id: 'rotateCredential',
      summary: 'Replaces the password at once; the new one is shown this once',
      params,
      answer: { status: 200, schema: shownOnce },
      problems: ['conflict'],
      async run({ params }) {
        const { revokedAt, account } = await find(store, params.id)
        if (revokedAt !== null) throw new Conflict('This credential is revoked; make a new one.', account)
        const password = newPassword()
        const change = { passwordHash: await hashPassword(password) }
        return { ...render(await store.updateCredential(params.id, change)), password }
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/credentials/{id}',
      id: 'revokeCredential',
      summary: 'Revokes a credential for good; it stays listed because messages name it',
      params,
      async run({ params }) {
        const { revokedAt } = await find(store, params.id)
        if (revokedAt === null) await store.updateCredential(params.id, { revokedAt: clock.now() })
      },
    }),
  ]
}

async function find(store: AdminDependencies['store'], id: string): Promise<Credential> {
  const credential = await store.credential(id)
  if (!credential) throw notFound({ ja: `認証情報 ${id} `, en: `credential ${id}` })
  return credential
}

/** The hash stays here. */
function render({
  id,
  account,
  scope,
  username,
  limits,
  priority = null,
  pool = null,
  createdAt,
  revokedAt,
}: Credential) {
  return {
    id,
    account,
    scope,
    username,
    limits,
    priority,
    pool,
    createdAt: time(createdAt),
    revokedAt: time(revokedAt),
  }
}
