/**
 * TLS reports (RFC 8460): how TLS with the hosts of recipient domains went, day by day, and what was told to whom.
 */
import { z } from 'zod'
import type { TlsDay, TlsReport } from '../../mail/tls-report.ts'
import { reportBody } from '../../tls/report-body.ts'
import { contactOf } from '../../tls/report-delivery.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { domainName, given, mend, next, page, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { nextOf, pageOf } from '../paging.ts'
import { notFound } from '../problem.ts'

const day = z
  .string(mend('day'))
  .regex(/^\d{4}-\d\d-\d\d$/, mend('day'))
  .refine(text => Number.isFinite(Date.parse(text)), mend('day'))

const destination = z.object({
  uri: z.string().meta({ description: 'As the domain publishes it' }),
  state: z.enum(['waiting', 'sent', 'failed']),
  attempts: z.int(),
  at: timestamp.nullable().meta({ description: 'Of the last attempt' }),
  message: z.string().nullable().meta({ description: 'The mail it was sent with' }),
  status: z.int().nullable().meta({ description: 'HTTP status of the answer' }),
  problem: z.string().nullable().meta({ description: 'Why the last attempt failed' }),
})
const report = z.object({
  id: z.string(),
  state: z.enum(['planned', 'sent', 'failed', 'not-wanted']).meta({
    description: 'planned: sent, or tried again, at nextAttemptAt; not-wanted: the domain publishes no record any more',
  }),
  attempts: z.int(),
  nextAttemptAt: timestamp.nullable(),
  destinations: z.array(destination),
})
const dayFields = {
  day: z.string().meta({ description: 'In UTC' }),
  domain: z.string(),
  successful: z.int().meta({ description: 'Sessions' }),
  failed: z.int(),
  report: report.nullable().meta({ description: 'Null: the day is not over' }),
}
const dayAnswer = z.object(dayFields)
const shown = z.object({
  ...dayFields,
  content: z.record(z.string(), z.unknown()).meta({ description: 'The report as RFC 8460 §4.4 has it' }),
})

export type TlsDayAnswer = z.output<typeof dayAnswer>
export type TlsReportAnswer = z.output<typeof shown>

export function tlsReportRoutes({ store, config }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'get',
      path: '/v1/tls-reports',
      id: 'listTlsReports',
      summary: 'Lists how TLS with recipient domains that want reports went, newest day first, and what they were told',
      query: z.strictObject({ domain: domainName.optional(), ...page }),
      answer: { status: 200, schema: z.object({ days: z.array(dayAnswer), next }) },
      async run({ query: { domain, ...query } }) {
        const asked = pageOf(query)
        const rows = await store.listTlsDays(given({ domain }), asked)
        return { days: rows.map(dayOf), next: nextOf(rows, asked, row => `${row.day}/${row.domain}`) }
      },
    }),
    operation({
      method: 'get',
      path: '/v1/tls-reports/{domain}/{day}',
      id: 'showTlsReport',
      summary: 'Shows the report of a domain and day, as it was sent or as it stands so far',
      params: z.object({ domain: domainName, day }),
      answer: { status: 200, schema: shown },
      async run({ params: { domain, day } }) {
        const [row] = await store.listTlsDays({ domain }, { limit: 1, after: `${day}/${domain}~` })
        if (row?.day !== day)
          throw notFound({ ja: `${domain} の ${day} のTLSレポート`, en: `TLS report of ${domain} for ${day}` })
        return { ...dayOf(row), content: await contentOf(row) }
      },
    }),
  ]

  async function contentOf({ domain, day, report }: TlsDay): Promise<Record<string, unknown>> {
    const { relayDomain, tlsReports } = config
    const body = reportBody({
      ...{ day, domain },
      reportId: report?.reportId ?? '',
      organizationName: tlsReports.organizationName ?? relayDomain.name,
      contact: contactOf(config),
      counts: await store.tlsCounts(domain, day),
    })
    return { ...body }
  }
}

function dayOf({ report, ...row }: TlsDay): TlsDayAnswer {
  return { ...row, report: report && renderReport(report) }
}

function renderReport({ reportId: id, attempts, nextAttemptAt, destinations }: TlsReport) {
  const state = stateOf({ nextAttemptAt, destinations })
  return {
    ...{ id, state, attempts },
    nextAttemptAt: time(nextAttemptAt),
    destinations: destinations.map(({ at, message = null, status = null, problem = null, ...one }) => ({
      ...{ ...one, message, status, problem },
      at: time(at),
    })),
  }
}

/** Sent when anybody has it. */
function stateOf({ nextAttemptAt, destinations }: Pick<TlsReport, 'nextAttemptAt' | 'destinations'>) {
  if (nextAttemptAt !== null) return 'planned' as const
  if (destinations.length === 0) return 'not-wanted' as const
  return destinations.some(({ state }) => state === 'sent') ? ('sent' as const) : ('failed' as const)
}
