/**
 * What recipient domains ask of TLS: their MTA-STS policies as they are kept, and of one domain all of it, host by host.
 */
import { z } from 'zod'
import type { StsPolicy } from '../../mail/sts-policy.ts'
import type { HostExplained, TlsExplained } from '../../tls/explain.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { domainName, next, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'

const stsPolicy = z.object({
  domain: z.string(),
  id: z.string().meta({ description: 'Of the record that announced it' }),
  mode: z.enum(['enforce', 'testing', 'none']),
  mx: z.array(z.string()),
  fetchedAt: timestamp,
  expiresAt: timestamp,
  usedAt: timestamp.meta({ description: 'When mail last went by it, to the day' }),
})

const host = z.object({
  host: z.string(),
  tls: z.enum(['opportunistic', 'required', 'verified', 'refused']).meta({
    description:
      'What a connection must have; verified: a certificate that proves the host; refused: the host is not used',
  }),
  policy: z
    .string()
    .nullable()
    .meta({ description: 'What asks for it: dane, mta-sts:enforce, site:required …; joined by +' }),
  reason: z.string().nullable().meta({ description: 'Why the host is not used' }),
  tlsa: z
    .object({
      usable: z.boolean(),
      base: z.string().meta({ description: 'The name they belong to: the host, or where its aliases lead' }),
      records: z.array(z.string()),
    })
    .nullable()
    .meta({ description: 'TLSA records that DNSSEC vouches for (DANE); null: none' }),
})

const answer = z.object({
  domain: z.string(),
  validating: z.boolean().meta({
    description: 'Whether the resolver’s word on DNSSEC is taken (dns.validating); without it there is no DANE',
  }),
  mtaSts: stsPolicy.nullable(),
  mtaStsProblem: z.string().nullable().meta({ description: 'Why nobody knows now whether it has a policy' }),
  problem: z.string().nullable().meta({ description: 'Why the hosts are not known' }),
  hosts: z.array(host),
})

export type StsPolicyAnswer = z.output<typeof stsPolicy>
export type TlsPolicyAnswer = z.output<typeof answer>

export function tlsPolicyRoutes({ store, tlsPolicies }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/tls-policies',
      id: 'listTlsPolicies',
      summary: 'Lists the MTA-STS policies of recipient domains that are kept, by domain',
      query: z.strictObject(page),
      answer: { status: 200, schema: z.object({ policies: z.array(stsPolicy), next }) },
      async run({ query }) {
        const wanted = pageOf(query)
        const policies = await store.listStsPolicies(wanted)
        return { policies: policies.map(stsAnswer), next: nextOf(policies, wanted, ({ domain }) => domain) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/tls-policies/{domain}',
      id: 'showTlsPolicy',
      summary:
        'Finds out what a recipient domain asks of TLS now: DANE and MTA-STS, and what each of its hosts must show',
      params: z.object({ domain: domainName }),
      answer: { status: 200, schema: answer },
      run: async ({ params }) => render(await tlsPolicies.explain(params.domain)),
    }),
  ]
}

function render({ domain, validating, sts, stsTrouble, failure, hosts }: TlsExplained): TlsPolicyAnswer {
  return {
    ...{ domain, validating },
    mtaSts: sts && stsAnswer(sts),
    mtaStsProblem: stsTrouble,
    problem: failure?.detail ?? null,
    hosts: hosts.map(hostAnswer),
  }
}

function stsAnswer({ domain, id, mode, mx, fetchedAt, expiresAt, usedAt }: StsPolicy): StsPolicyAnswer {
  const times = { fetchedAt: time(fetchedAt), expiresAt: time(expiresAt), usedAt: time(usedAt) }
  return { domain, id, mode, mx: [...mx], ...times }
}

function hostAnswer({ host, dane, plan }: HostExplained): TlsPolicyAnswer['hosts'][number] {
  const known = dane !== null && dane.kind !== 'failed' ? dane : null
  return {
    host,
    tls: levelOf(plan),
    policy: plan?.policy ?? null,
    reason: plan?.refused?.failure.detail ?? null,
    tlsa: known && { usable: known.kind === 'usable', base: known.base, records: [...known.strings] },
  }
}

function levelOf(plan: HostExplained['plan']): TlsPolicyAnswer['hosts'][number]['tls'] {
  if (plan === null) return 'opportunistic'
  if (plan.refused !== null) return 'refused'
  return plan.verifyCertificate || plan.dane !== null ? 'verified' : plan.tls
}
