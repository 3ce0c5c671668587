/**
 * How the mail of a sender domain travels now, and what a receiver would make of it.
 */
import { z } from 'zod'
import type { DomainExplanation } from '../../domains/explain.ts'
import { sendingModes } from '../../mail/sending-mode.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { bilingual, domainName, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'

const alignment = z.enum(['relaxed', 'strict'])

const explanationAnswer = z.object({
  name: z.string(),
  at: timestamp,
  mode: z.enum(sendingModes),
  modeReason: z.string(),
  message: bilingual,
  envelopeDomain: z
    .string()
    .meta({ description: 'The domain of the reverse-path, whose SPF record receivers look at' }),
  policy: z.object({
    policy: z.enum(['none', 'quarantine', 'reject']).nullable(),
    at: z.string().nullable(),
    found: z.string().nullable(),
    aspf: alignment,
    adkim: alignment,
    message: bilingual,
  }),
  dkim: z
    .array(
      z.object({
        domain: z.string(),
        selector: z.string(),
        algorithm: z.enum(['rsa', 'ed25519']),
        result: z.enum(['valid', 'invalid', 'unknown']),
        reason: z.string(),
        found: z.array(z.string()),
        aligned: z.boolean(),
        message: bilingual,
      }),
    )
    .meta({ description: 'The signatures, the same whichever address the mail leaves from' }),
  addresses: z
    .array(
      z.object({
        ip: z.string(),
        spf: z.object({
          domain: z.string(),
          result: z.enum(['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror', 'temperror']),
          terms: z.array(z.string()).meta({ description: 'What decided, after the includes that lead to it' }),
          aligned: z.boolean(),
          message: bilingual,
        }),
        dmarc: z.object({
          result: z.enum(['pass', 'fail', 'none', 'unknown']),
          by: z.array(z.enum(['spf', 'dkim'])),
          message: bilingual,
        }),
      }),
    )
    .meta({ description: 'One for each of spf.sendingIps' }),
})

export type ExplanationAnswer = z.output<typeof explanationAnswer>

export function domainExplainRoutes({ explainer }: Pick<AdminDependencies, 'explainer'>): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/domains/{name}/explain',
      id: 'explainDomain',
      summary: 'Tells how its mail travels now, and what SPF, DKIM and DMARC would say of it at a receiver',
      params: z.object({ name: domainName }),
      answer: { status: 200, schema: explanationAnswer },
      run: async ({ params }) => render(await explainer.explain(params.name)),
    }),
  ]
}

function render({ at, policy, dkim, addresses, ...explanation }: DomainExplanation): ExplanationAnswer {
  const { isKnown: _, ...told } = policy
  return {
    ...explanation,
    at: time(at),
    policy: told,
    dkim: dkim.map(({ found, ...signature }) => ({ ...signature, found: [...found] })),
    addresses: addresses.map(({ ip, spf, dmarc }) => ({
      ip,
      spf: { ...spf, terms: [...spf.terms] },
      dmarc: { ...dmarc, by: [...dmarc.by] },
    })),
  }
}
