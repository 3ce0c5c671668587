/**
 * A site as the API shows it: what goes there now, what may, and why that is less than its rule allows.
 */
import { z } from 'zod'
import type { SiteState } from '../delivery/throttle.ts'
import { meaningOf } from './class-meaning.ts'
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
  closed: z
    .object({
      at: timestamp,
      until: timestamp.nullable().meta({ description: 'Null: it is over, and one connection tries the site' }),
      times: z.int().meta({ description: 'How often since the site last took mail; each lasts twice as long' }),
      reply: z.string().meta({ description: 'The reply or error that closed it' }),
      class: z.string(),
      host: z.string().nullable().meta({ description: 'That said so; null: none was reached, or not known here' }),
      classMessage: bilingual.nullable(),
      who: bilingual.nullable().meta({ description: 'Who must act' }),
      next: bilingual.nullable().meta({ description: 'What to do' }),
      opens: bilingual.meta({ description: 'What opens it again' }),
    })
    .nullable()
    .meta({ description: 'Why it was closed, until it takes mail again; null: it was not' }),
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
        at: timestamp,
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

function renderSite(state: SiteState): SiteAnswer {
  const { site, running, waiting, closedUntil, rule, senders, limits } = state
  const { connections, messagesPerConnection, perMinute, shared, slowStart, adapted } = limits
  const { suffix } = rule
  return {
    ...{ site, running, waiting, closedUntil: time(closedUntil), closed: closedOf(state) },
    ...{ connections, messagesPerConnection, perMinute, shared },
    rule: {
      suffix,
      connections: rule.connections,
      messagesPerConnection: rule.messagesPerConnection,
      perMinute: rule.perMinute,
    },
    slowedSenders: senders.map(slowed => ({ ...slowed, restsUntil: time(slowed.restsUntil), at: time(slowed.at) })),
    slowStart: slowStart ? beginning(connections, rule.connections) : null,
    adapted: adapted === null ? null : { ...adapted, at: time(adapted.at), until: time(adapted.until) },
  }
}

function closedOf({ closing, closedUntil }: SiteState): SiteAnswer['closed'] {
  if (closing === null) return null
  const { at, times, reply, class: found, host } = closing
  return { at: time(at), until: time(closedUntil), times, reply, class: found, host, ...meaningOf(found), opens }
}

const opens = {
  ja: '休止が終わると1接続で試し、メールが受け取られれば自動的に再開します。失敗すると休止は2倍の長さになります（queue.siteClosedMaximum まで）。すぐに試すには kitte queue retry --domain 宛先ドメイン を実行してください。',
  en: 'When that is over one connection tries it: it opens by itself once mail is taken, and rests twice as long if not (up to queue.siteClosedMaximum). kitte queue retry --domain RECIPIENT-DOMAIN tries it now.',
}

function beginning(connections: number, full: number): z.output<typeof bilingual> {
  return {
    ja: `スロースタート中です。この宛先はまだ実績がないため、最大${full}接続のうち${connections}接続から始め、受け入れられるたびに増やします。`,
    en: `Slow start: nothing is known of this site yet, so it gets ${connections} of ${full} connections, and more with each mail that it takes.`,
  }
}
