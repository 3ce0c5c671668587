/**
 * Suppressions by the thousand, with a result for each: lists that another system kept before.
 *
 * Told as no events, one per address would keep a webhook from what happens to mail: who imports them knows them.
 */
import { z } from 'zod'
import type { Suppression } from '../../mail/suppression.ts'
import { suppressionsAdded } from '../../outcome/suppression-log.ts'
import type { PutSuppression } from '../../store/store.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, mend } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { type FieldError, fieldError, toProblem } from '../problem.ts'
import { mends } from '../texts.ts'
import { read } from '../validation.ts'
import { newSuppression, suppressionOf } from './suppressions.ts'

const most = 5000
/** One transaction's worth: acceptance waits for it. */
const atOnce = 500

const body = z.strictObject(
  {
    account: accountId.nullable().optional().meta({ description: 'Of those that name none; null: of all accounts' }),
    suppressions: z
      .array(z.unknown(), mend('suppressions'))
      .min(1, mend('suppressions'))
      .max(most, mend('suppressions'))
      .meta({ description: 'Each as in createSuppression; read one by one' }),
  },
  mend('object'),
)
const lineAnswer = z.object({
  address: z.string().meta({ description: 'As it was sent when it is invalid' }),
  result: z.enum(['created', 'replaced', 'invalid']),
  errors: z.array(z.object({ field: z.string(), detail: z.string(), message: bilingual })),
})
const importAnswer = z.object({
  results: z.array(lineAnswer).meta({ description: 'In the order they were sent' }),
  counts: z.object({ created: z.int(), replaced: z.int(), invalid: z.int() }),
})
export type ImportAnswer = z.output<typeof importAnswer>
type Line = z.output<typeof lineAnswer>

export function suppressionImportRoutes(dependencies: AdminDependencies): Operation[] {
  const { log } = dependencies
  return [
    operation({
      method: 'post',
      path: '/v1/suppressions/import',
      id: 'importSuppressions',
      summary: `Suppresses up to ${most} recipients, with a result for each`,
      body,
      answer: { status: 200, schema: importAnswer },
      async run({ body: { account, suppressions } }) {
        const results = await importAll(dependencies, account, suppressions)
        const count = (wanted: Line['result']) => results.filter(({ result }) => result === wanted).length
        const counts = { created: count('created'), replaced: count('replaced'), invalid: count('invalid') }
        suppressionsAdded(log, { entries: counts.created + counts.replaced, account })
        return { results, counts }
      },
    }),
  ]
}

async function importAll(
  dependencies: AdminDependencies,
  account: string | null | undefined,
  sent: readonly unknown[],
): Promise<Line[]> {
  const accounts = new Map<string | null, boolean>([[null, true]])
  const results: Line[] = []
  for (let at = 0; at < sent.length; at += atOnce) {
    const lines: (Suppression | Line)[] = []
    for (const one of sent.slice(at, at + atOnce)) lines.push(await readLine(dependencies, one, account, accounts))
    const sound = lines.filter((line): line is Suppression => !('result' in line))
    const put = (await dependencies.store.putSuppressions(sound, true)).values()
    results.push(...lines.map(line => ('result' in line ? line : done(line, put.next().value))))
  }
  return results
}

async function readLine(
  { store, clock }: AdminDependencies,
  sent: unknown,
  account: string | null | undefined,
  accounts: Map<string | null, boolean>,
): Promise<Suppression | Line> {
  try {
    const filled = isObject(sent) && account !== undefined ? { account, ...sent } : sent
    const suppression = suppressionOf(read(newSuppression, filled, 'invalid'), clock.now())
    const exists = accounts.get(suppression.account) ?? (await store.account(suppression.account!)) !== null
    accounts.set(suppression.account, exists)
    return exists ? suppression : refused(sent, [fieldError('account', mends['no-account'])])
  } catch (error) {
    const { kind, parts } = toProblem(error)
    if (kind !== 'invalid') throw error
    return refused(sent, parts.errors ?? [])
  }
}

function refused(sent: unknown, errors: readonly FieldError[]): Line {
  const address = isObject(sent) && typeof sent.address === 'string' ? sent.address.slice(0, 300) : ''
  return { address, result: 'invalid', errors: [...errors] }
}

function done({ address }: Suppression, result: PutSuppression | undefined): Line {
  return { address, result: result === 'replaced' ? 'replaced' : 'created', errors: [] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
