/**
 * A site as the API shows it: what goes there now, what may, and why that is less than its rule allows.
 */
import { z } from 'zod'
import type { SiteState } from '../delivery/throttle.ts'
import type { LiveState } from './dependencies.ts'
import { bilingual, time, timestamp } from './fields.ts'

const numbers = {
  connections: z.int().meta({ description: 'Allowed at once' }),
  messagesPerConnection: z.int(),
  perMinute: z.int().nullable().meta({ description: 'Recipients a minute; null: no limit' }),
}

export const siteAnswer = z.object({
  site: z.string().meta({ description: 'Its MX hosts, or smtp:host:port' }),
  running: z.int().meta({ description: 'Attempts under way' }),
  waiting: z.int().meta({ description: 'Entries in memory that wait for their turn' }),
  closedUntil: timestamp.nullable(),
  ...numbers,
  shared: z.string().nullable().meta({ description: 'The provider whose sites have these limits together' }),
  rule: z.object({ suffix: z.string(), ...numbers }).meta({ description: 'What it may get at most' }),
  slowStart: bilingual.nullable().meta({
    description: 'Why `connections` are few though nothing lowered them: the site is not known yet; null: it is',
  }),
  slowedSenders: z
    .array(
      z.object({
        domain: z.string(),
        perMinute: z.int().meta({ description: 'Recipients a minute, once it goes again; of one worker' }),
        restsUntil: timestamp.nullable().meta({ description: 'Null: it goes, at that rate' }),
        reply: z.string(),
      }),
    )
    .meta({ description: 'Sender domains that the site wants less mail from; what others send goes on' }),
  adapted: z
    .object({ reply: z.string(), class: z.string(), at: timestamp, until: timestamp })
    .nullable()
    .meta({ description: 'The answer that lowered the limits, and when that is forgotten; null: they are the rule' }),
})

export type SiteAnswer = z.output<typeof siteAnswer>

/** The rest of an answer can be given while delivery is down; there are just no sites then. */
export async function liveSites(live: () => Promise<LiveState>): Promise<SiteAnswer[]> {
  const { sites } = await live().catch(() => ({ sites: [] }))
  return sites.map(renderSite)
}

function renderSite({ site, running, waiting, closedUntil, rule, senders, limits }: SiteState): SiteAnswer {
  const { connections, messagesPerConnection, perMinute, shared, slowStart, adapted } = limits
  const { suffix } = rule
  return {
    ...{ site, running, waiting, closedUntil: time(closedUntil) },
    ...{ connections, messagesPerConnection, perMinute, shared },
    rule: {
      suffix,
      connections: rule.connections,
      messagesPerConnection: rule.messagesPerConnection,
      perMinute: rule.perMinute,
    },
    slowedSenders: senders.map(slowed => ({ ...slowed, restsUntil: time(slowed.restsUntil) })),
    slowStart: slowStart ? beginning(connections, rule.connections) : null,
    adapted: adapted === null ? null : { ...adapted, at: time(adapted.at), until: time(adapted.until) },
  }
}

function beginning(connections: number, full: number): z.output<typeof bilingual> {
  return {
    ja: `スロースタート中です。この宛先はまだ実績がないため、最大${full}接続のうち${connections}接続から始め、受け入れられるたびに増やします。`,
    en: `Slow start: nothing is known of this site yet, so it gets ${connections} of ${full} connections, and more with each mail that it takes.`,
  }
}
