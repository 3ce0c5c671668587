/**
 * Sender domains by the thousand: registered and checked in bulk, each entry with its own result.
 *
 * Idempotent by nature: what is registered for the account already is answered as such, so a call may be repeated.
 */
import { z } from 'zod'
import type { Registration } from '../../domains/onboarding.ts'
import type { BulkProgress, Domains } from '../../domains/service.ts'
import type { Check } from '../../mail/sender-domain.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, given, mend, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { toProblem } from '../problem.ts'
import { type Bilingual, mends } from '../texts.ts'
import { read } from '../validation.ts'
import { claimPath } from './claims.ts'
import { newDomain } from './domains.ts'

/** Answered within seconds; an import of more is sent in parts. */
const maxEntries = 1000
/** Commits that travel together cost one sync. */
const atOnce = 50
const page = 200

const entries = z
  .strictObject(
    {
      domains: z
        .array(z.unknown().meta(z.toJSONSchema(newDomain, { io: 'input', unrepresentable: 'any' })), mend('bulk'))
        .min(1, mend('bulk'))
        .max(maxEntries, mend('bulk')),
    },
    mend('object'),
  )
  .meta({ description: 'Each entry as registerDomain takes it; one that is wrong does not hold up the others' })

const filter = z
  .strictObject({ account: accountId.optional(), published: z.boolean(mend('yes-no')).optional() }, mend('object'))
  .refine(chosen => Object.keys(chosen).length > 0, mend('filter-or-all'))
const chosen = z
  .strictObject(
    {
      names: z
        .array(z.string(mend('domain')), mend('names'))
        .min(1, mend('names'))
        .max(maxEntries, mend('names'))
        .optional(),
      filter: filter.optional().meta({ description: 'published: false for those with a record that is not seen yet' }),
      all: z.literal(true, mend('filter-or-all')).optional(),
    },
    mend('object'),
  )
  .refine(
    ({ names, filter, all }) => [names, filter, all].filter(given => given !== undefined).length === 1,
    mend('names-or-filter'),
  )

const results = ['created', 'exists', 'conflict', 'invalid'] as const
const entryResult = z.object({
  name: z.string().meta({ description: 'As it is registered; as it was sent when it is invalid' }),
  account: z.string().nullable(),
  result: z.enum(results),
  message: bilingual.nullable().meta({ description: 'Why it was not created; null: it was, or was there already' }),
  errors: z.array(z.object({ field: z.string(), detail: z.string(), message: bilingual })),
  holder: z.string().nullable().meta({ description: 'conflict: the account that has it' }),
  claim: z.string().nullable().meta({ description: 'conflict: where the domain can be claimed' }),
})
const counts = z.object({ created: z.int(), exists: z.int(), conflict: z.int(), invalid: z.int() })

const lineAnswer = z.object({
  queued: z.int(),
  running: z.int(),
  done: z.int().meta({ description: 'Since the line was last empty, failed ones included' }),
  failed: z.int(),
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable().meta({ description: 'null: under way, or never begun' }),
})
const progressAnswer = z.object({
  checks: lineAnswer,
  keys: lineAnswer.meta({
    description: 'DKIM keys of domains registered in bulk; each is checked once it has its key',
  }),
})
const progressPath = '/v1/domains/checks'

export type BulkAnswer = { readonly results: readonly EntryResult[]; readonly counts: z.output<typeof counts> }
export type EntryResult = z.output<typeof entryResult>
export type ProgressAnswer = z.output<typeof progressAnswer>
export interface ChecksQueued {
  readonly queued: number
  readonly unknown: readonly string[]
  readonly progress: string
}

/** Before the routes of single domains: `bulk` and `checks` stand where a name would. */
export function bulkRoutes(dependencies: AdminDependencies): Operation[] {
  const { domains } = dependencies
  return [
    operation({
      method: 'post',
      path: '/v1/domains/bulk',
      id: 'registerDomains',
      summary:
        'Registers up to 1000 sender domains, with a result for each; their keys are made and their records checked afterwards',
      body: entries,
      answer: { status: 200, schema: z.object({ results: z.array(entryResult), counts, progress: z.string() }) },
      repeatable: true,
      async run({ body }) {
        const done = await registerAll(dependencies, body.domains)
        return { results: done, counts: countsOf(done), progress: progressPath }
      },
    }),
    operation({
      method: 'post',
      path: '/v1/domains/verify',
      id: 'verifyDomains',
      summary: 'Queues checks of many domains: by name, by filter, or of all',
      body: chosen,
      answer: {
        status: 202,
        schema: z.object({
          queued: z.int().meta({ description: 'How many were not waiting for a check already' }),
          unknown: z.array(z.string()).meta({ description: 'Names that are not registered' }),
          progress: z.string(),
        }),
      },
      location: () => progressPath,
      async run({ body }) {
        return { ...(await checkAll(dependencies, body)), progress: progressPath }
      },
    }),
    operation({
      method: 'get',
      path: progressPath,
      id: 'getChecks',
      summary: 'Tells how far queued checks and keys have come',
      answer: { status: 200, schema: progressAnswer },
      run: async () => renderProgress(domains.progress()),
    }),
  ]
}

async function registerAll(dependencies: AdminDependencies, given: readonly unknown[]): Promise<EntryResult[]> {
  const accounts = new Map<string, Promise<boolean>>()
  const exists = (account: string) => {
    const known = accounts.get(account) ?? dependencies.store.account(account).then(found => found !== null)
    accounts.set(account, known)
    return known
  }
  const done: EntryResult[] = []
  for (let at = 0; at < given.length; at += atOnce) {
    const slice = given.slice(at, at + atOnce)
    done.push(...(await Promise.all(slice.map(entry => registerOne(dependencies.domains, entry, exists)))))
  }
  return done
}

async function registerOne(
  domains: Domains,
  entry: unknown,
  exists: (account: string) => Promise<boolean>,
): Promise<EntryResult> {
  let sent = { name: textOf(entry, 'name') ?? '', account: textOf(entry, 'account') }
  try {
    const { name, account, ...choices } = read(newDomain, entry, 'invalid')
    sent = { name, account }
    if (!(await exists(account))) return { ...refused(sent, mends['no-account']), errors: [accountError] }
    const registered = await domains.registerLater({ name, account, ...given(choices) } satisfies Registration)
    return { ...plain, name: registered, account, result: 'created' }
  } catch (error) {
    return resultOf(error, sent)
  }
}

const plain = { message: null, errors: [], holder: null, claim: null }
const accountError = { field: 'account', detail: mends['no-account'].en, message: mends['no-account'] }

function refused(sent: Pick<EntryResult, 'name' | 'account'>, message: Bilingual): EntryResult {
  return { ...plain, ...sent, result: 'invalid', message }
}

/** What is no fault of the entry is thrown on: a store that can't write refuses the whole call, which may be repeated. */
function resultOf(error: unknown, sent: Pick<EntryResult, 'name' | 'account'>): EntryResult {
  const { kind, parts } = toProblem(error)
  if (kind === 'invalid' || kind === 'domain-invalid')
    return { ...refused(sent, parts.detail), errors: [...(parts.errors ?? [])] }
  if (kind !== 'conflict') throw error
  const holder = (parts.extra?.holder as string | null | undefined) ?? null
  if (holder === sent.account) return { ...plain, ...sent, result: 'exists' }
  return { ...plain, ...sent, result: 'conflict', message: parts.detail, holder, claim: claimPath(sent.name) }
}

function textOf(entry: unknown, field: 'name' | 'account'): string | null {
  const value = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)[field] : undefined
  return typeof value === 'string' ? value.slice(0, 300) : null
}

function countsOf(done: readonly EntryResult[]): z.output<typeof counts> {
  const count = (wanted: EntryResult['result']) => done.filter(({ result }) => result === wanted).length
  return { created: count('created'), exists: count('exists'), conflict: count('conflict'), invalid: count('invalid') }
}

async function checkAll({ store, domains }: AdminDependencies, body: z.output<typeof chosen>) {
  const unknown: string[] = []
  let queued = 0
  if (body.names) {
    const found = await Promise.all(
      body.names.map(async name => (await domains.nameOf(name)) ?? void unknown.push(name)),
    )
    return { queued: domains.verifyLater(found.filter(name => name !== undefined)), unknown }
  }
  const { account, published } = body.filter ?? {}
  const isWanted = (checks: readonly Check[]) => published === undefined || published === isPublished(checks)
  for (let after: string | undefined; ; ) {
    const rows = await store.listDomains(given({ account }), { limit: page, ...given({ after }) })
    queued += domains.verifyLater(rows.filter(({ checks }) => isWanted(checks)).map(({ name }) => name))
    after = rows.at(-1)?.name
    if (rows.length < page) return { queued, unknown }
  }
}

/** By the last checks; DMARC is advice. */
function isPublished(checks: readonly Check[]): boolean {
  return checks.length > 0 && checks.every(({ purpose, state }) => purpose === 'dmarc' || state === 'published')
}

function renderProgress({ checks, keys }: BulkProgress): ProgressAnswer {
  const render = ({ startedAt, endedAt, ...counts }: BulkProgress['checks']) => ({
    ...counts,
    startedAt: time(startedAt),
    endedAt: time(endedAt),
  })
  return { checks: render(checks), keys: render(keys) }
}
