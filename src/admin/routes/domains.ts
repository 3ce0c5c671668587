/**
 * Sender domains (ドメイン情報): registration, the records to publish, their state with reason and fix, keys, limits.
 *
 * What a domain is and how its records are judged is `domains/`; this file only reads requests and shows views.
 */
import { z } from 'zod'
import type { DomainView } from '../../domains/service.ts'
import { dkimForms, recordPurposes } from '../../mail/sender-domain.ts'
import { sendingModes } from '../../mail/sending-mode.ts'
import type { AdminDependencies } from '../dependencies.ts'
import {
  accountId,
  bilingual,
  domainName,
  given,
  limits,
  limitsChange,
  mend,
  mergeLimits,
  next,
  page,
  time,
  timestamp,
} from '../fields.ts'
import { modeMessage } from '../mode-message.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { assertPool, pool, wakePools } from '../pool-fields.ts'
import { invalidField, Problem, toProblem } from '../problem.ts'
import { recordFields, recordState } from '../record-fields.ts'
import { recordFormFields, renderForms } from '../record-forms.ts'
import { renderWhoSays, whoSaysFields } from '../who-says.ts'

const params = z.object({ name: domainName })
const keyChoice = {
  selector: z
    .string(mend('selector'))
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, mend('selector'))
    .optional()
    .meta({ description: 'The date of issue when absent' }),
  bits: z.union([z.literal(1024), z.literal(2048)], mend('bits')).optional(),
}
const optionChoice = {
  dkimForm: z
    .enum(dkimForms, mend('dkim-form'))
    .optional()
    .meta({ description: 'txt: each key as a TXT record. cname: two fixed CNAMEs into the zone of the relay' }),
  returnPath: z
    .boolean(mend('yes-no'))
    .optional()
    .meta({ description: 'A bounce host of its own, so that SPF aligns' }),
  tracking: z.boolean(mend('yes-no')).optional().meta({ description: 'A host of its own for tracked links' }),
}
export const newDomain = z.strictObject(
  { name: domainName, account: accountId, ...keyChoice, ...optionChoice },
  mend('object'),
)
const newKey = z
  .strictObject({ ...keyChoice, algorithm: z.enum(['rsa', 'ed25519'], mend('algorithm')).optional() }, mend('object'))
  .optional()
const domainChange = z.strictObject(
  { limits: limitsChange.optional(), pool: pool.optional(), ...optionChoice },
  mend('object'),
)

const recordAnswer = z.object({
  purpose: z.enum(recordPurposes),
  type: z.enum(['TXT', 'CNAME', 'MX']),
  ...recordFields,
  ...recordFormFields,
  ...whoSaysFields,
})
export const domainAnswer = z.object({
  name: z.string(),
  account: z.string(),
  createdAt: timestamp,
  archivedAt: timestamp.nullable().meta({ description: 'When it was deleted; it can be restored for a while' }),
  spf: recordState,
  dkim: recordState,
  mode: z.enum(sendingModes),
  modeReason: z.string(),
  modeMessage: bilingual.meta({ description: 'The reason in both languages' }),
  limits,
  pool,
  keyFailure: z.string().nullable(),
  dkimForm: z.enum(dkimForms),
  returnPath: z.boolean(),
  tracking: z.boolean(),
  keys: z.array(
    z.object({
      selector: z.string(),
      algorithm: z.enum(['rsa', 'ed25519']),
      bits: z.int(),
      form: z.enum(dkimForms),
      state: z.enum(['pending', 'active', 'retiring', 'retired']),
      stateSince: timestamp,
      weak: z.boolean(),
      record: z.string().meta({ description: 'Owner name of its record' }),
      keepUntil: timestamp.nullable().meta({ description: 'Until when the record of a retiring key must stay' }),
      canBeDeleted: z.boolean().meta({ description: 'The record is not needed any more' }),
      advice: bilingual,
    }),
  ),
  zone: z.string().nullable().meta({ description: 'Where its DNS is edited; null: not seen yet' }),
  nameServers: z.array(z.string()),
  provider: z
    .object({ id: z.string(), name: bilingual })
    .nullable()
    .meta({ description: 'Who runs these name servers; null: not known' }),
  records: z.array(recordAnswer),
})

export type DomainAnswer = z.output<typeof domainAnswer>
export type RecordAnswer = z.output<typeof recordAnswer>

export function domainRoutes(dependencies: AdminDependencies): Operation[] {
  return [...changeRoutes(dependencies), ...lookRoutes(dependencies)]
}

function lookRoutes({ domains }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/domains',
      id: 'listDomains',
      summary: 'Lists sender domains',
      query: z.strictObject({
        account: accountId.optional(),
        archived: z
          .enum(['true', 'false'], mend('yes-no'))
          .transform(value => value === 'true')
          .optional()
          .meta({ description: 'true: deleted domains that can still be restored' }),
        ...page,
      }),
      answer: { status: 200, schema: z.object({ domains: z.array(domainAnswer), next }) },
      async run({ query: { limit, cursor, ...filter } }) {
        const wanted = pageOf({ limit, cursor })
        const views = await domains.list(given(filter), wanted)
        return { domains: views.map(renderDomain), next: nextOf(views, wanted, view => view.name) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/domains/{name}',
      id: 'getDomain',
      summary: 'Tells which records to publish, and how they stand by the last check',
      params,
      answer: { status: 200, schema: domainAnswer },
      async run({ params }) {
        return renderDomain(await domains.view(params.name))
      },
    }),
    operation({
      method: 'post',
      path: '/v1/domains/{name}/verify',
      id: 'verifyDomain',
      summary: 'Checks the records in DNS now',
      params,
      answer: { status: 200, schema: domainAnswer },
      async run({ params }) {
        return renderDomain(await domains.verify(params.name))
      },
    }),
  ]
}

function changeRoutes({ store, domains, config }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/domains',
      id: 'registerDomain',
      summary: 'Registers a sender domain and issues its SPF record and DKIM key; refused when another account has it',
      body: newDomain,
      answer: { status: 201, schema: domainAnswer },
      problems: ['conflict', 'domain-invalid'],
      location: domain => `/v1/domains/${domain.name}`,
      async run({ body: { name, account, ...choices } }) {
        if (!(await store.account(account))) throw invalidField('account', 'no-account')
        const registered = domains.register({ name, account, ...given(choices) })
        return renderDomain(
          await registered.catch((error: unknown) => Promise.reject(offeringClaim(error, name, account))),
        )
      },
    }),
    operation({
      method: 'post',
      path: '/v1/domains/{name}/dkim',
      id: 'issueDkim',
      summary: 'Issues a DKIM key, or a new one beside the old (rotation)',
      params,
      body: newKey,
      answer: { status: 201, schema: domainAnswer },
      problems: ['conflict', 'domain-invalid'],
      async run({ params, body }) {
        return renderDomain(await domains.issueKey(params.name, given(body ?? {})))
      },
    }),
    operation({
      method: 'patch',
      path: '/v1/domains/{name}',
      id: 'changeDomain',
      summary:
        'Changes the limits of a sender domain, the pool its mail leaves by, the form of its keys, and what it opts in to',
      params,
      body: domainChange,
      answer: { status: 200, schema: domainAnswer },
      problems: ['domain-invalid'],
      async run({ params, body: { limits: change, pool, ...options } }) {
        assertPool(pool, config)
        const { limits } = await domains.view(params.name)
        const chosen = given(options)
        const isOption = Object.keys(chosen).length > 0
        // The options first: they can be refused.
        const optioned = isOption ? await domains.setOptions(params.name, chosen) : null
        if (pool !== undefined) {
          await domains.setPool(params.name, pool)
          await wakePools(store, config)
        }
        return renderDomain(
          change || !optioned ? await domains.setLimits(params.name, mergeLimits(limits, change)) : optioned,
        )
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/domains/{name}',
      id: 'deleteDomain',
      summary:
        'Deletes a sender domain; it can be restored with its keys for a while. Registered anew it gets a new selector, and the published record no longer fits; CNAMEs fit again when the same account registers it with dkimForm cname',
      params,
      run: ({ params }) => domains.remove(params.name),
    }),
    operation({
      method: 'post',
      path: '/v1/domains/{name}/restore',
      id: 'restoreDomain',
      summary: 'Brings a deleted sender domain back with its keys',
      params,
      answer: { status: 200, schema: domainAnswer },
      problems: ['conflict'],
      async run({ params }) {
        return renderDomain(await domains.restore(params.name))
      },
    }),
  ]
}

/** A domain of another account can be claimed. */
function offeringClaim(error: unknown, name: string, account: string): unknown {
  const { kind, parts } = toProblem(error)
  const isAnothers = kind === 'conflict' && typeof parts.extra?.holder === 'string' && parts.extra.holder !== account
  if (!isAnothers) return error
  return new Problem(kind, { ...parts, extra: { ...parts.extra, claim: `/v1/domains/${name}/claim` } })
}

export function renderDomain(view: DomainView): DomainAnswer {
  const { name, account, spf, dkim, mode, modeReason, limits, pool, keyFailure } = view
  return {
    ...{ name, account, spf, dkim, mode, modeReason, limits, pool, keyFailure },
    modeMessage: modeMessage(modeReason),
    ...{ dkimForm: view.dkimForm, returnPath: view.returnPath, tracking: view.tracking },
    createdAt: time(view.createdAt),
    archivedAt: time(view.archivedAt),
    zone: view.zone,
    nameServers: [...view.nameServers],
    provider: view.provider,
    keys: view.keys.map(key => ({ ...key, stateSince: time(key.stateSince), keepUntil: time(key.keepUntil) })),
    records: view.records.map(renderRecord),
  }
}

function renderRecord(record: DomainView['records'][number]): RecordAnswer {
  const { purpose, type, name, value, state, reason, message, fix, found } = record
  return {
    purpose,
    type,
    name,
    value,
    state,
    reason,
    message,
    fix,
    found: [...found],
    ...renderForms(record),
    ...renderWhoSays(record),
    checkedAt: time(record.checkedAt),
  }
}
