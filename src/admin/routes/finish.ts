/**
 * When what waits will be done, by site, recipient domain, account or sender domain.
 */
import { z } from 'zod'
import { openCalendar } from '../../base/calendar.ts'
import type { Instant } from '../../mail/ids.ts'
import type { WarmUp } from '../../mail/warm-up.ts'
import { type Backlog, daysToCome, type FinishLimit, finishOf } from '../../policy/finish.ts'
import { capOf } from '../../policy/warm-up.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { accountId, bilingual, domainName, given, mend, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { liveSites, type SiteAnswer } from '../render-site.ts'
import type { Bilingual } from '../texts.ts'

const columns = ['site', 'domain', 'account', 'senderDomain'] as const
type Column = (typeof columns)[number]

const query = z.strictObject({
  by: z.enum(columns, mend('finish-by')).optional().meta({ description: 'Default: site' }),
  account: accountId.optional(),
  senderDomain: domainName.optional(),
  domain: domainName.optional().meta({ description: 'Recipient domain' }),
  site: text(1, 2000, 'site').optional(),
})

const groupAnswer = z.object({
  value: z.string(),
  count: z.int().meta({ description: 'Entries that wait; neither held ones nor those under way' }),
  lastDueAt: timestamp.meta({ description: 'When the last of them is due; in the past: all are' }),
  doneAt: timestamp.nullable().meta({ description: 'Null: nothing but the speed of the receivers limits it' }),
  limitedBy: z.enum(['site-rate', 'warm-up', 'slots', 'none']),
  message: bilingual,
})
const finishAnswer = z.object({ by: z.enum(columns), groups: z.array(groupAnswer) })
export type FinishAnswer = z.output<typeof finishAnswer>

const groupsShown = 50

export function finishRoutes({ store, live, clock, config }: AdminDependencies): Operation[] {
  const calendar = openCalendar(config.timeZone)

  /** Where most of what waits for a recipient domain was tried last; undefined: none of it was. */
  async function siteOf(domain: string): Promise<string | undefined> {
    const sites = await store.countQueueBy('site', { domain }, 2)
    return sites.find(({ value }) => value !== '')?.value
  }

  /** What limits all of a group besides its slots; a rate is known of sites, and of a recipient domain whose site is known; a warm-up of sender domains. */
  async function limitsOf(column: Column, value: string, sites: readonly SiteAnswer[]) {
    const name = column === 'domain' ? await siteOf(value) : value
    const site = column === 'site' || column === 'domain' ? sites.find(one => one.site === name) : undefined
    const warmUp = column === 'senderDomain' ? await store.warmUp({ kind: 'domain', name: value }) : null
    return {
      perMinute: site?.perMinute ?? null,
      warmUp: warmUp === null ? null : leftOf(warmUp, calendar.nextDayAt(clock.now())),
    }
  }

  return [
    operation({
      method: 'get',
      path: '/v1/queue/finish',
      id: 'estimateFinish',
      summary: 'Tells when what waits will be done at the limits in force, as far as they decide it',
      query,
      answer: { status: 200, schema: finishAnswer },
      async run({ query: { by = 'site', ...filter } }) {
        const [groups, sites] = await Promise.all([store.finishBy(by, given(filter), groupsShown), liveSites(live)])
        const now = clock.now()
        const rendered = groups.map(async ({ value, count, lastDueAt }) => {
          const backlog: Backlog = { count, lastDueAt, ...(await limitsOf(by, value, sites)) }
          const { doneAt, limitedBy } = finishOf(backlog, now)
          const message = sentenceOf(value, count, doneAt, limitedBy, config.timeZone)
          return { value, count, lastDueAt: time(lastDueAt), doneAt: time(doneAt), limitedBy, message }
        })
        return { by, groups: await Promise.all(rendered) }
      },
    }),
  ]
}

function leftOf(warmUp: WarmUp, nextDayAt: Instant): Backlog['warmUp'] {
  const cap = capOf(warmUp)
  return cap === null ? null : daysToCome(warmUp, Math.max(0, cap - warmUp.taken), nextDayAt)
}

const because: Readonly<Record<FinishLimit, Bilingual>> = {
  'site-rate': { ja: '宛先サーバーの送信速度の上限', en: "the site's rate" },
  'warm-up': { ja: 'ウォームアップの1日の上限', en: "the warm-up's daily cap" },
  slots: { ja: '送信数の上限・再試行・予約の時刻', en: 'send limits, retries and schedules' },
  none: { ja: '', en: '' },
}

function sentenceOf(value: string, count: number, doneAt: Instant | null, limit: FinishLimit, zone: string): Bilingual {
  const [ja, en] = [count.toLocaleString('ja'), count.toLocaleString('en')]
  if (doneAt === null)
    return {
      ja: `${value}: ${ja}通。制限による待ちはありません`,
      en: `${en} for ${value}: no limit makes them wait`,
    }
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
  const at = format.format(doneAt)
  return {
    ja: `${value}: ${ja}通。${because[limit].ja}により${at}頃に完了の見込みです`,
    en: `${en} for ${value}: done about ${at}, limited by ${because[limit].en}`,
  }
}
