/**
 * What a site makes its mail wait for, for people: it is closed, is tried again, or gets no more than so much; since when,
 * because of which answer, and when it may go on as far as that is known.
 */
import { z } from 'zod'
import type { SiteState } from '../delivery/throttle.ts'
import { meaningOf } from './class-meaning.ts'
import { bilingual, time, timestamp } from './fields.ts'
import { localTime } from './local-time.ts'
import type { Bilingual } from './texts.ts'

export const siteWaitAnswer = z.object({
  site: z.string().meta({ description: 'Its MX hosts, or smtp:host:port' }),
  shared: z.string().nullable().meta({ description: 'The provider whose sites have the limit together' }),
  limit: z.enum(['closed', 'trial', 'per-minute', 'connections']).meta({
    description:
      'closed: it gets nothing before mayGoAt; trial: it was, and one connection tries it; per-minute and connections: the limit that is reached',
  }),
  now: z.int().nullable().meta({ description: 'Connections at once or recipients a minute; 0: closed' }),
  rule: z.int().nullable().meta({ description: 'What its rule allows of them; null: any number' }),
  since: timestamp
    .nullable()
    .meta({ description: 'When it was lowered or closed last; null: it is what the rule says' }),
  reply: z.string().nullable().meta({ description: 'The reply or error because of which it was' }),
  class: z.string().nullable(),
  times: z.int().meta({ description: 'How often it was closed since it last took mail' }),
  mayGoAt: timestamp
    .nullable()
    .meta({ description: 'Nothing goes there before; null: that depends on what is under way' }),
  before: z.int().meta({ description: 'Entries of all senders that wait in memory for it' }),
  message: bilingual,
})
export type SiteWait = z.output<typeof siteWaitAnswer>

/** Null: neither the site nor its limits stand in the way. `zone`: of the times in sentences. */
export function siteWaitOf(state: SiteState, zone: string): SiteWait | null {
  const limit = limitOf(state)
  if (limit === null) return null
  const { site, closing, closedUntil, nextSlotAt, waiting, limits, rule } = state
  const isClosing = limit === 'closed' || limit === 'trial'
  const said = isClosing ? closing : limits.adapted
  const name = limit === 'per-minute' ? 'perMinute' : 'connections'
  const now = limit === 'closed' ? 0 : limit === 'trial' ? 1 : limits[name]
  const isLowered = isClosing || now !== rule[name]
  const facts = {
    ...{ site, shared: limits.shared, limit, now, rule: rule[name], times: closing?.times ?? 0, before: waiting },
    since: time(isLowered ? (said?.at ?? null) : null),
    reply: isLowered ? (said?.reply ?? null) : null,
    class: isLowered ? (said?.class ?? null) : null,
    mayGoAt: time(closedUntil ?? (limit === 'per-minute' ? nextSlotAt : null)),
  }
  return { ...facts, message: isClosing ? closedText(facts, zone) : limitText(facts, limits.slowStart, zone) }
}

function limitOf({ closedUntil, closing, free, nextSlotAt, limits }: SiteState): SiteWait['limit'] | null {
  if (closedUntil !== null) return 'closed'
  if (closing !== null && free === 0) return 'trial'
  if (nextSlotAt !== null) return 'per-minute'
  if (free === 0) return 'connections'
  return limits.perMinute === null ? null : 'per-minute'
}

type Facts = Omit<SiteWait, 'message'>

function closedText({ site, limit, since, reply, class: found, times, mayGoAt }: Facts, zone: string): Bilingual {
  const { classMessage, next } = meaningOf(found)
  const [at, until] = [local(since, zone), local(mayGoAt, zone)]
  const often = times > 1 ? { ja: `（続けて${times}回目）`, en: `, ${times} times in a row` } : { ja: '', en: '' }
  const because = {
    ja: reply === null ? '' : `${at}に次の応答（またはエラー）があったためです${often.ja}：${reply}。`,
    en: reply === null ? '' : ` because of what came at ${at}${often.en}: ${reply}`,
  }
  const state =
    limit === 'closed'
      ? {
          ja: `宛先サーバー（${site}）への送信を${until}まで休止しています。${because.ja}その後は1接続で試し、受け取られれば自動的に再開します。`,
          en: `Nothing goes to ${site} until ${until}${because.en}. Then one connection tries it, and once something is taken all goes on by itself.`,
        }
      : {
          ja: `宛先サーバー（${site}）への送信を休止していました。${because.ja}今は1接続で試しており、受け取られれば自動的に再開します。`,
          en: `Mail to ${site} rested${because.en}. One connection tries it now, and once something is taken all goes on by itself.`,
        }
  return {
    ja: `${state.ja}${classMessage?.ja ?? ''}${next?.ja ?? ''}`,
    en: [state.en, classMessage?.en, next?.en].filter(part => part !== undefined).join(' '),
  }
}

function limitText(facts: Facts, slowStart: boolean, zone: string): Bilingual {
  const { site, shared, limit, now, rule, since, reply, mayGoAt, before } = facts
  const isRate = limit === 'per-minute'
  const whose = {
    ja: shared === null ? `宛先サーバー（${site}）` : `${shared}（全宛先サーバー共通。今回は ${site}）`,
    en: shared === null ? site : `${shared}, which all its sites share (here ${site})`,
  }
  const next = {
    ja: `${mayGoAt === null ? '' : `次に送れるのは${local(mayGoAt, zone)}です。`}メモリー内では${before}件がこの宛先サーバーの順番を待っています（完了の見込みは kitte queue finish）。`,
    en: `${mayGoAt === null ? '' : ` The next one may go at ${local(mayGoAt, zone)}.`} ${before} entries wait in memory for it; "kitte queue finish" estimates when all is done.`,
  }
  const allowed = {
    ja: rule === null ? '規則では制限なし' : `規則では${rule}${isRate ? '通' : '接続'}`,
    en: rule === null ? 'any number by its rule' : `${rule} by its rule`,
  }
  const because =
    since !== null
      ? {
          ja: `${local(since, zone)}の次の応答により下げました：${reply}。受け取られる間に自動的に戻ります。`,
          en: ` Lowered at ${local(since, zone)} because of: ${reply}. It comes back by itself while mail is taken.`,
        }
      : slowStart && !isRate
        ? {
            ja: 'まだ実績がないため、受け取られるたびに増やします。',
            en: ' Nothing is known of it yet: each mail it takes widens that.',
          }
        : { ja: '', en: '' }
  return {
    ja: `${whose.ja}の${isRate ? '送信速度' : '同時接続数'}の上限（現在${isRate ? `毎分${now}通` : `${now}接続`}、${allowed.ja}）により待っています。${because.ja}${next.ja}`,
    en: `It waits for the ${isRate ? 'rate' : 'connections'} of ${whose.en}: ${now}${isRate ? ' a minute' : ' at once'} now, ${allowed.en}.${because.en}${next.en}`,
  }
}

function local(at: string | null, zone: string): string {
  return at === null ? '' : localTime(Date.parse(at), zone)
}
