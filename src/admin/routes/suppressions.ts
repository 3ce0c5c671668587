/**
 * Suppressions: recipients that are not tried again; looked up, added, removed, exported, undone in bulk.
 *
 * `account: null` is of all accounts and must be said: an account that was forgotten would keep everybody from a recipient.
 */
import { z } from 'zod'
import type { OutcomeClass } from '../../mail/outcome.ts'
import { type Suppression, suppressedAddress, suppressionReasons } from '../../mail/suppression.ts'
import { classes } from '../../outcome/classes.ts'
import { suppressionsAdded, suppressionsRemoved } from '../../outcome/suppression-log.ts'
import type { Store, SuppressionFilter } from '../../store/store.ts'
import { suppressionCursor } from '../../store/suppression-store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, domainName, given, instant, mailbox, mend, next, page, text } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { invalidField, notFound } from '../problem.ts'
import { csvHeader, csvLine, renderSuppression, suppressionAnswer } from '../render-suppression.ts'

const params = z.object({ address: mailbox })
const reason = z.enum(suppressionReasons, mend('suppression-reason'))
const classNames = Object.keys(classes) as [OutcomeClass, ...OutcomeClass[]]

const filterFields = {
  address: mailbox.optional(),
  reason: reason.optional(),
  class: z.enum(classNames, mend('class')).optional().meta({ description: 'Class of the evidence' }),
  domain: domainName.optional().meta({ description: 'Recipient domain' }),
  text: text(1, 200, 'suppression-text').optional().meta({ description: "Part of the evidence's reply, without case" }),
  since: instant.optional().meta({ description: 'Made then or later' }),
  until: instant.optional().meta({ description: 'Made before' }),
}
const filterInQuery = {
  ...filterFields,
  account: accountId.optional(),
  scope: z
    .enum(['all'], mend('suppression-scope'))
    .optional()
    .meta({ description: 'all: only those of all accounts; absent: any' }),
}
const undo = z
  .strictObject(
    {
      filter: z
        .strictObject(
          {
            ...filterFields,
            account: accountId.nullable().optional().meta({ description: 'Null: those of all accounts' }),
          },
          mend('object'),
        )
        .optional(),
      all: z.boolean(mend('yes-no')).optional().meta({ description: 'Needed to mean every suppression there is' }),
      dryRun: z.boolean(mend('yes-no')).optional().meta({ description: 'Only count what would be removed' }),
    },
    mend('object'),
  )
  .refine(({ filter, all }) => all === true || Object.keys(filter ?? {}).length > 0, mend('filter-or-all'))

export const newSuppression = z.strictObject(
  {
    address: mailbox,
    account: accountId.nullable().meta({ description: 'Null: of all accounts' }),
    reason: reason.optional().meta({ description: 'Absent: manual' }),
    note: text(0, 1000, 'note').optional(),
    expiresAt: instant.nullable().optional().meta({ description: 'Absent or null: until it is removed' }),
  },
  mend('object'),
)
const undoAnswer = z.object({
  dryRun: z.boolean(),
  matched: z.int(),
  removed: z.int(),
  sample: z.array(suppressionAnswer).meta({ description: 'The first of them' }),
})
export type UndoAnswer = z.output<typeof undoAnswer>

/** One transaction's worth: acceptance waits for it. */
const atOnce = 500
const shownOfUndone = 20

/** Those of single addresses last: `undo` and the exports stand where one would. */
export function suppressionRoutes(dependencies: AdminDependencies): Operation[] {
  return [exportRoutes, undoRoutes, lookRoutes, changeRoutes].flatMap(routes => routes(dependencies))
}

function lookRoutes({ store }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/suppressions',
      id: 'listSuppressions',
      summary: 'Lists suppressions by account, reason, class, domain, text of the reply and time',
      query: z.strictObject({ ...filterInQuery, ...page }),
      answer: { status: 200, schema: z.object({ suppressions: z.array(suppressionAnswer), next }) },
      async run({ query: { limit, cursor, ...fields } }) {
        const wanted = pageOf({ limit, cursor })
        const rows = await store.listSuppressions(filterOf(fields), wanted)
        return { suppressions: rows.map(renderSuppression), next: nextOf(rows, wanted, suppressionCursor) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/suppressions/{address}',
      id: 'getSuppression',
      summary: 'Tells why a recipient is suppressed for an account, or for all',
      params,
      query: z.strictObject({ account: accountId.optional().meta({ description: 'Absent: the one of all accounts' }) }),
      answer: { status: 200, schema: suppressionAnswer },
      async run({ params: { address }, query: { account = null } }) {
        const found = await store.suppression(account, address)
        if (found === null) throw nobody(address, account)
        return renderSuppression(found)
      },
    }),
  ]
}

function changeRoutes({ store, clock, log }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/suppressions',
      id: 'createSuppression',
      summary: 'Suppresses a recipient, in place of what stood there',
      body: newSuppression,
      answer: { status: 201, schema: suppressionAnswer },
      location: ({ address, account }) =>
        `/v1/suppressions/${encodeURIComponent(address)}${account === null ? '' : `?account=${encodeURIComponent(account)}`}`,
      async run({ body }) {
        const { account } = body
        if (account !== null && !(await store.account(account))) throw invalidField('account', 'no-account')
        const suppression = suppressionOf(body, clock.now())
        await store.putSuppressions([suppression])
        suppressionsAdded(log, { entries: 1, account, recipient: suppression.address, reason: suppression.reason })
        return renderSuppression(suppression)
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/suppressions/{address}',
      id: 'deleteSuppression',
      summary: 'Lets a recipient be tried again by an account, or by all',
      params,
      query: z.strictObject({ account: accountId.optional().meta({ description: 'Absent: the one of all accounts' }) }),
      async run({ params: { address }, query: { account = null } }) {
        const removed = await store.removeSuppressions([{ account, address }], clock.now())
        if (removed === 0) throw nobody(address, account)
        suppressionsRemoved(log, { entries: 1, account, recipient: address })
      },
    }),
  ]
}

function undoRoutes({ store, clock, log }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/suppressions/undo',
      id: 'undoSuppressions',
      summary: 'Removes all suppressions that a filter fits: what a provider in trouble answered for an hour, say',
      body: undo,
      answer: { status: 200, schema: undoAnswer },
      async run({ body: { filter: fields = {}, dryRun = false } }) {
        const filter: SuppressionFilter = given(fields)
        const answer = { dryRun, matched: 0, removed: 0, sample: [] as UndoAnswer['sample'] }
        for await (const rows of pagesOf(store, filter)) {
          answer.matched += rows.length
          answer.sample.push(...rows.slice(0, shownOfUndone - answer.sample.length).map(renderSuppression))
          if (!dryRun) answer.removed += await store.removeSuppressions(rows, clock.now())
        }
        const { account, domain, reason } = filter
        if (!dryRun) suppressionsRemoved(log, { entries: answer.removed, account, site: domain, reason })
        return answer
      },
    }),
  ]
}

function exportRoutes({ store }: AdminDependencies): Operation[] {
  const query = z.strictObject(filterInQuery)
  const streamed = z.custom<AsyncIterable<string>>().meta({ type: 'string' })
  return [
    operation({
      method: 'get',
      path: '/v1/suppressions/export.csv',
      id: 'exportSuppressionsAsCsv',
      summary: 'All suppressions that fit, as CSV (RFC 4180) that kitte suppression import takes',
      query,
      answer: { status: 200, schema: streamed, type: 'text/csv' },
      run: async ({ query }) => linesOf(store, filterOf(query), csvHeader, csvLine),
    }),
    operation({
      method: 'get',
      path: '/v1/suppressions/export.ndjson',
      id: 'exportSuppressionsAsJson',
      summary: 'All suppressions that fit, one JSON object a line',
      query,
      answer: { status: 200, schema: streamed, type: 'application/x-ndjson' },
      run: async ({ query }) =>
        linesOf(store, filterOf(query), '', one => `${JSON.stringify(renderSuppression(one))}\n`),
    }),
  ]
}

async function* linesOf(
  store: Store,
  filter: SuppressionFilter,
  header: string,
  line: (suppression: Suppression) => string,
): AsyncIterable<string> {
  if (header !== '') yield header
  for await (const rows of pagesOf(store, filter)) yield rows.map(line).join('')
}

async function* pagesOf(store: Store, filter: SuppressionFilter): AsyncGenerator<readonly Suppression[]> {
  let after: string | undefined
  for (;;) {
    const rows = await store.listSuppressions(filter, { limit: atOnce, ...(after !== undefined && { after }) })
    if (rows.length > 0) yield rows
    if (rows.length < atOnce) return
    after = suppressionCursor(rows.at(-1)!)
  }
}

export function suppressionOf(body: z.output<typeof newSuppression>, now: number): Suppression {
  const { address, account, reason = 'manual', note = '', expiresAt = null } = body
  if (expiresAt !== null && expiresAt <= now) throw invalidField('expiresAt', 'suppression-over')
  return { address: suppressedAddress(address), account, reason, evidence: null, note, createdAt: now, expiresAt }
}

type FilterInQuery = { [field in keyof typeof filterInQuery]?: z.output<(typeof filterInQuery)[field]> }

function filterOf({ scope, ...fields }: FilterInQuery): SuppressionFilter {
  return { ...given(fields), ...(scope === 'all' && { account: null }) }
}

function nobody(address: string, account: string | null) {
  return account === null
    ? notFound({
        ja: `全アカウント共通の${address}の配信停止（アカウントのものは?account=で指定してください）`,
        en: `suppression of ${address} for all accounts; name the account with ?account= for one of its own`,
      })
    : notFound({
        ja: `アカウント${account}での${address}の配信停止`,
        en: `suppression of ${address} for account ${account}`,
      })
}
