/**
 * How much a sender domain sends each day to each large receiver, toward what they call a bulk sender, and the checklist.
 */
import { z } from 'zod'
import { dayAfter, openCalendar } from '../../base/calendar.ts'
import { checklistOf, type Gauge, gaugesOf, type Organisation } from '../../domains/bulk-sender.ts'
import type { CalendarDay, DomainName } from '../../mail/ids.ts'
import { keepDays } from '../../outcome/daily-round.ts'
import { organisationOf } from '../../policy/organisation.ts'
import { otherReceiver, receivers } from '../../policy/receivers.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { bilingual, domainName } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'

const receiver = z.object({ id: z.string(), name: bilingual })
const counts = {
  delivered: z.int(),
  deferred: z.int().meta({ description: 'Attempts answered with "not now", greylisting apart' }),
  bounced: z.int(),
  complained: z.int(),
  tls: z.int().meta({ description: 'Delivered under TLS' }),
  oneClick: z.int().meta({ description: 'Delivered with one-click unsubscription (RFC 8058)' }),
}
export const volumeDay = z.object({ day: z.iso.date(), ...counts })

const filled = {
  today: z.int(),
  share: z.number().meta({ description: 'Of the limit, today' }),
  most: z.object({ day: z.iso.date(), delivered: z.int() }).nullable(),
  state: z.enum(['below', 'near', 'bulk-sender']).meta({ description: 'By the day on which most was delivered' }),
}

const volumeAnswer = z.object({
  domain: z.string(),
  timeZone: z.string().meta({ description: 'Whose days they are' }),
  today: z.iso.date(),
  gauges: z.array(
    z.object({
      receiver,
      limit: z.int().meta({ description: 'From so many a day on it calls the sender a bulk sender' }),
      ...filled,
      organisation: z
        .object({ name: z.string(), ...filled })
        .nullable()
        .meta({
          description: 'The sum of its organisation, which is what receivers count; null: it is this domain alone',
        }),
    }),
  ),
  checklist: z.array(
    z.object({
      item: z.enum([
        'organisation',
        'spf',
        'dkim',
        'dmarc',
        'alignment',
        'one-click',
        'reverse-name',
        'tls',
        'spam-rate',
      ]),
      state: z.enum(['done', 'missing', 'unknown']),
      message: bilingual,
      fix: bilingual,
    }),
  ),
  days: z.array(z.object({ receiver, ...volumeDay.shape })).meta({ description: 'Newest first' }),
})

export type VolumeAnswer = z.output<typeof volumeAnswer>

/** What the checklist says of the mail itself, it says of this week. */
const recentDays = 7

export function domainVolumeRoutes({ store, domains, relay, clock, config }: AdminDependencies): Operation[] {
  const calendar = openCalendar(config.timeZone)
  return [
    operation({
      method: 'get',
      path: '/v1/domains/{name}/volume',
      id: 'showDomainVolume',
      summary:
        'Counts what it sends each day to each large receiver, toward 5,000 a day to Gmail and Outlook.com, with the checklist for bulk senders',
      params: z.object({ name: domainName }),
      answer: { status: 200, schema: volumeAnswer },
      async run({ params }) {
        const domain = await domains.view(params.name)
        const today = calendar.dayOf(clock.now())
        const volumes = await store.volume('domain', domain.name, dayAfter(today, -keepDays))
        const organisation = await organisationIn(store, domain.name, dayAfter(today, -keepDays))
        const recently = dayAfter(today, 1 - recentDays)
        return {
          domain: domain.name,
          timeZone: config.timeZone,
          today,
          gauges: gaugesOf({ volumes, today, organisation }).map(gauge => renderGauge(gauge, organisation)),
          checklist: checklistOf({ domain, relay: await relay.view(), today, volumes, organisation, recently }),
          days: volumes.toReversed().map(({ scope: _, name: __, receiver, ...day }) => ({
            receiver: named(receiver),
            ...day,
          })),
        }
      },
    }),
  ]
}

/** Undefined: there is nothing but this domain. */
async function organisationIn(
  store: AdminDependencies['store'],
  domain: DomainName,
  since: CalendarDay,
): Promise<Organisation | undefined> {
  const name = organisationOf(domain)
  const below = await store.volume('organisation', name, since)
  if (below.length === 0 && name === domain) return undefined
  return { name, volumes: [...below, ...(await store.volume('domain', name, since))] }
}

function renderGauge(
  { receiver, organisation: sum, ...gauge }: Gauge,
  organisation: Organisation | undefined,
): VolumeAnswer['gauges'][number] {
  const { id, name } = receiver
  return {
    receiver: { id, name },
    ...gauge,
    organisation: sum && organisation ? { name: organisation.name, ...sum } : null,
  }
}

function named(id: string): z.output<typeof receiver> {
  const known = receivers.find(one => one.id === id)
  return { id, name: known?.name ?? (id === otherReceiver ? { ja: 'その他', en: 'others' } : { ja: id, en: id }) }
}
