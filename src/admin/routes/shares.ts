/**
 * Share links of a sender domain, and the request to whoever edits its DNS (設定依頼書), for operators and the CRM.
 */
import { z } from 'zod'
import { setupRequest } from '../../domains/setup-request.ts'
import { setupSheet } from '../../domains/setup-sheet.ts'
import { openShareLinks, type ShareLinkView } from '../../domains/share-links.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { bilingual, domainName, id, mend, next, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import type { Bilingual } from '../texts.ts'

const params = z.object({ name: domainName })
const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const yearMs = 366 * unitMs.d

const life = z
  .string(mend('share-life'))
  .regex(/^\d{1,6}[mhd]$/, mend('share-life'))
  .transform(text => Number.parseInt(text, 10) * unitMs[text.at(-1) as keyof typeof unitMs])
  .pipe(z.int(mend('share-life')).min(unitMs.m, mend('share-life')).max(yearMs, mend('share-life')))
  .meta({ description: 'How long it works, such as 12h or 14d, at most 366d; absent: domains.shareLink' })
const newShare = z.strictObject({ expiresIn: life.optional() }, mend('object')).optional()

const shareFields = {
  id: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp,
}
const shareMade = z.object({
  ...shareFields,
  url: z.string(),
  token: z.string().meta({ description: 'Shown here and never again' }),
  note: bilingual.nullable().meta({ description: 'What to know about url' }),
})
const shareAnswer = z.object({
  ...shareFields,
  revokedAt: timestamp.nullable(),
  state: z.enum(['open', 'expired', 'revoked']),
})

export type ShareMade = z.output<typeof shareMade>
export type ShareAnswer = z.output<typeof shareAnswer>

export function shareRoutes(dependencies: AdminDependencies): Operation[] {
  return [...linkRoutes(dependencies), requestRoute(dependencies)]
}

function linkRoutes(dependencies: AdminDependencies): Operation[] {
  const links = openShareLinks(dependencies)
  const { publicUrl } = dependencies.config.http
  return [
    operation({
      method: 'post',
      path: '/v1/domains/{name}/share',
      id: 'shareDomain',
      summary: 'Makes a link to a page for whoever edits the DNS of the domain: no login, for a time, in two languages',
      params,
      body: newShare,
      answer: { status: 201, schema: shareMade },
      problems: ['conflict'],
      // An answer that is kept would keep the token; a second link harms nobody.
      repeatable: false,
      async run({ params, body, origin }) {
        const made = await links.create(params.name, body?.expiresIn ?? null)
        const { id, token, createdAt, expiresAt } = made
        const url = `${publicUrl ?? origin}/share/${token}`
        const note = publicUrl === null ? derivedFrom(origin) : null
        return { id, url, token, createdAt: time(createdAt), expiresAt: time(expiresAt), note }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/domains/{name}/share',
      id: 'listShares',
      summary: 'Lists the share links of a domain, newest first, without their tokens',
      params,
      query: z.strictObject(page),
      answer: { status: 200, schema: z.object({ shares: z.array(shareAnswer), next }) },
      async run({ params, query }) {
        const wanted = pageOf(query)
        const shares = await links.list(params.name, wanted)
        return { shares: shares.map(render), next: nextOf(shares, wanted, share => share.id) }
      },
    }),
    operation({
      method: 'delete',
      path: '/v1/domains/{name}/share/{id}',
      id: 'revokeShare',
      summary: 'Ends a share link at once',
      params: z.object({ name: domainName, id }),
      run: ({ params }) => links.revoke(params.name, params.id),
    }),
  ]
}

function requestRoute({ domains }: AdminDependencies): Operation {
  return operation({
    method: 'get',
    path: '/v1/domains/{name}/request',
    id: 'domainRequest',
    summary: 'The records to set as text to paste into a mail to whoever edits the DNS (設定依頼書)',
    params,
    query: z.strictObject({
      lang: z.enum(['ja', 'en'], mend('lang')).optional().meta({ description: 'ja when absent' }),
    }),
    answer: { status: 200, schema: z.string(), type: 'text/plain' },
    async run({ params, query }) {
      return setupRequest(setupSheet(await domains.view(params.name)), query.lang ?? 'ja')
    },
  })
}

function render({ id, createdAt, expiresAt, revokedAt, state }: ShareLinkView): ShareAnswer {
  return { id, createdAt: time(createdAt), expiresAt: time(expiresAt), revokedAt: time(revokedAt), state }
}

function derivedFrom(origin: string): Bilingual {
  return {
    ja: `http.publicUrlが未設定のため、URLはこのリクエストの宛先（${origin}）から作りました。DNS担当者が開けるアドレスかご確認ください。`,
    en: `http.publicUrl is not set, so the address begins like this request (${origin}); see whether whoever edits the DNS can open it.`,
  }
}
