/**
 * Claims of sender domains that another account holds: opened, listed, proved by a TXT record.
 */
import { z } from 'zod'
import type { ClaimProof, ClaimView } from '../../domains/service.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, domainName, mend, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidField } from '../problem.ts'
import type { Bilingual } from '../texts.ts'
import { domainAnswer, renderDomain } from './domains.ts'

const params = z.object({ name: domainName })
const claimAnswer = z.object({
  domain: z.string(),
  account: z.string().meta({ description: 'Who claims it' }),
  holder: z.string().meta({ description: 'Who has it' }),
  record: z
    .object({ type: z.literal('TXT'), name: z.string(), value: z.string() })
    .meta({ description: 'To be published; it can be deleted again once the domain has moved' }),
  createdAt: timestamp,
  expiresAt: timestamp,
})
const proofAnswer = z.object({
  state: z.enum(['moved', 'absent', 'differs', 'dns-error']),
  message: bilingual,
  found: z.array(z.string()),
  claims: z.array(claimAnswer).meta({ description: 'The open claims that were looked for' }),
  domain: domainAnswer,
})

export type ClaimAnswer = z.output<typeof claimAnswer>
export type ProofAnswer = z.output<typeof proofAnswer>

export function claimPath(name: string): string {
  return `/v1/domains/${encodeURIComponent(name)}/claim`
}

export function claimRoutes({ store, domains }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path: '/v1/domains/{name}/claim',
      id: 'claimDomain',
      summary:
        'Opens a claim of an account to a domain that another one holds, and tells the TXT record that proves it',
      params,
      body: z.strictObject({ account: accountId }, mend('object')),
      answer: { status: 201, schema: claimAnswer },
      problems: ['conflict'],
      location: claim => claimPath(claim.domain),
      async run({ params, body }) {
        if (!(await store.account(body.account))) throw invalidField('account', 'no-account')
        return render(await domains.claim(params.name, body.account))
      },
    }),
    operation({
      method: 'get',
      path: '/v1/domains/{name}/claim',
      id: 'listClaims',
      summary: 'Lists the open claims to a domain',
      params,
      answer: { status: 200, schema: z.object({ claims: z.array(claimAnswer) }) },
      run: async ({ params }) => ({ claims: (await domains.claims(params.name)).map(render) }),
    }),
    operation({
      method: 'post',
      path: '/v1/domains/{name}/claim/verify',
      id: 'proveClaim',
      summary:
        'Looks for the proof of a claim in DNS; once it is seen the domain moves to the claimer with a new DKIM key, the keys of the former holder sign no more, and its sender addresses at the domain are removed',
      params,
      body: z.strictObject({ account: accountId.optional() }, mend('object')).optional(),
      answer: { status: 200, schema: proofAnswer },
      problems: ['conflict'],
      async run({ params, body }) {
        const account = body?.account ?? null
        if (account !== null && !(await store.account(account))) throw invalidField('account', 'no-account')
        const { proof, domain } = await domains.proveClaim(params.name, account)
        const { state, found, claims } = proof
        return {
          state,
          message: messageOf(proof),
          found: [...found],
          claims: claims.map(render),
          domain: renderDomain(domain),
        }
      },
    }),
  ]
}

function render({ domain, account, holder, record, createdAt, expiresAt }: ClaimView): ClaimAnswer {
  return { domain, account, holder, record, createdAt: time(createdAt), expiresAt: time(expiresAt) }
}

function messageOf({ state, found, trouble, claims }: ClaimProof): Bilingual {
  const { name = '', value = '' } = claims[0]?.record ?? {}
  switch (state) {
    case 'moved':
      return {
        ja: '所有が確認できたため、ドメインを申請元のアカウントに移しました。新しいDKIMレコードを公開してください。',
        en: 'The claim is proven and the domain has moved to the claimer. Publish its new DKIM record.',
      }
    case 'absent':
      return {
        ja: `${name} にTXTレコードがありません。次の値で追加してください: ${value}`,
        en: `There is no TXT record at ${name}. Add one with this value: ${value}`,
      }
    case 'differs':
      return {
        ja: `${name} のTXTレコード（${found.join(' ')}）は、受付中の申請の値と異なります。次の値にしてください: ${value}`,
        en: `The TXT record at ${name} (${found.join(' ')}) is not that of an open claim. Publish this value: ${value}`,
      }
    case 'dns-error':
      return {
        ja: `DNSに問い合わせできませんでした（${trouble}）。しばらくしてから再度お試しください。`,
        en: `DNS could not be asked (${trouble}). Try again later.`,
      }
    default:
      return state satisfies never
  }
}
