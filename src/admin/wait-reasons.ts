/**
 * Why an entry waits, for people.
 */

import { z } from 'zod'
import { nowhere, type Whereabouts } from '../delivery/whereabouts.ts'
import type { QueueRow, WaitReason } from '../store/store.ts'
import type { AdminDependencies } from './dependencies.ts'
import { bilingual } from './fields.ts'
import { type SiteWait, siteWaitAnswer, siteWaitOf } from './site-waits.ts'
import type { Bilingual } from './texts.ts'
import { slowedIn, slowedText, waitsForMessage } from './waits-for.ts'

const sentences: Readonly<Record<Exclude<WaitReason, 'noted' | 'suspended'>, Bilingual>> = {
  turn: { ja: '送信の順番を待っています', en: 'It is due and waits for its turn' },
  schedule: { ja: '指定された送信日時を待っています', en: 'It is scheduled: it waits for the moment its sender named' },
  limit: {
    ja: 'アカウント・ドメイン・認証情報の送信数の上限により、送信枠を待っています',
    en: 'It waits for its slot under the send limits of its account, sender domain or credential',
  },
  retry: {
    ja: '前回の送信が完了しなかったため、再試行の時刻を待っています',
    en: 'It waits for its next try after one that failed',
  },
  site: {
    ja: '宛先のサーバーが今は受け付けていないため、再開を待っています',
    en: 'Its site takes no mail now; it waits until that is tried again',
  },
}

/** `site-limit`: the site takes mail, and no more than it gets already. */
type Reason = WaitReason | 'site-limit'

export const waitFields = {
  waitReason: z
    .enum(['suspended', 'turn', 'schedule', 'limit', 'noted', 'retry', 'site', 'site-limit'])
    .nullable()
    .meta({ description: 'Why it waits; null: an operator holds it, it is under way, or no longer queued' }),
  waitMessage: bilingual.nullable(),
  waitSite: siteWaitAnswer.nullable().meta({
    description:
      'What its site makes it wait for: the limit, the answer that lowered it or closed the site, and until when; null: that is not why, or delivery does not answer',
  }),
}

export interface Wait {
  readonly waitReason: Reason | null
  readonly waitMessage: Bilingual | null
  readonly waitSite: SiteWait | null
}

type WaitParts = Pick<AdminDependencies, 'whereabouts'> & { readonly config: { readonly timeZone: string } }

/** Why each of these waits; delivery is asked once for all of them. Without its answer what the queue knows is told. */
export async function waitsOf(
  rows: readonly QueueRow[],
  { whereabouts, config }: WaitParts,
): Promise<(row: QueueRow | undefined) => Wait> {
  const atSites = rows.filter(mayWaitAtSite)
  const sought = {
    entries: atSites.filter(({ state }) => state === 'leased').map(({ entry }) => entry.id),
    domains: [...new Set(atSites.map(({ entry }) => entry.domain))],
    sites: [...new Set(atSites.flatMap(({ entry }) => entry.lastSite ?? []))],
    slowed: [...new Map(rows.flatMap(({ entry: { waitsFor } }) => bySlowing(waitsFor))).values()],
  }
  const found = atSites.length + sought.slowed.length === 0 ? nowhere : await whereabouts(sought).catch(() => nowhere)
  const siteOf = siteFinder(found)
  return row => {
    if (row === undefined) return nothing
    const wait = waitOf(row, siteOf(row), config.timeZone)
    return row.waitReason === 'noted' ? withSlowing(wait, row, found, config.timeZone) : wait
  }
}

function bySlowing(waitsFor: string | undefined) {
  const slowed = slowedIn(waitsFor)
  return slowed === null ? [] : [[slowed.join(' '), slowed] as const]
}

/** What is known in general and what delivery knows now. */
function withSlowing(wait: Wait, { entry }: QueueRow, { slowed }: Whereabouts, zone: string): Wait {
  const [domain, where] = slowedIn(entry.waitsFor) ?? []
  const found = slowed.find(one => one.domain === domain && one.where === where)
  if (found === undefined || wait.waitMessage === null) return wait
  const [{ ja, en }, said] = [wait.waitMessage, slowedText(found, zone)]
  return { ...wait, waitMessage: { ja: `${ja}${said.ja}`, en: `${en} ${said.en}` } }
}

const nothing: Wait = { waitReason: null, waitMessage: null, waitSite: null }

/** In memory, not claimed because of its site, or put off until that is open. */
function mayWaitAtSite({ state, waitReason }: QueueRow): boolean {
  return state === 'leased' || waitReason === 'turn' || waitReason === 'site' || waitReason === 'retry'
}

function siteFinder({ entries, lanes, sites }: Whereabouts): (row: QueueRow) => Whereabouts['sites'][number] | null {
  const [byEntry, byDomain] = [new Map(entries), new Map(lanes)]
  const byName = new Map(sites.map(site => [site.site, site] as const))
  return row => {
    if (!mayWaitAtSite(row)) return null
    const { id, domain, lastSite } = row.entry
    const name = row.state === 'leased' ? byEntry.get(id) : (byDomain.get(domain) ?? lastSite)
    return (name === undefined ? undefined : byName.get(name)) ?? null
  }
}

/** The pause after an attempt goes on whatever the site gets; that nothing goes there at all is worth telling. */
function waitOf(row: QueueRow, site: Whereabouts['sites'][number] | null, zone: string): Wait {
  const { waitReason } = row
  const found = site === null ? null : siteWaitOf(site, zone)
  if (waitReason === 'retry' && found?.limit === 'closed') {
    const { ja, en } = sentences.retry
    const waitMessage = { ja: `${ja}。${found.message.ja}`, en: `${en}. ${found.message.en}` }
    return { waitReason, waitMessage, waitSite: found }
  }
  if (found !== null && waitReason !== 'retry')
    return {
      waitReason: found.limit === 'closed' || found.limit === 'trial' ? 'site' : 'site-limit',
      waitMessage: found.message,
      waitSite: found,
    }
  const waitMessage = waitReason === null ? (site === null ? null : sentences.turn) : sentenceOf(waitReason, row.entry)
  return { waitReason: waitReason ?? (site === null ? null : 'turn'), waitMessage, waitSite: null }
}

function sentenceOf(reason: WaitReason, { waitsFor: noted = '', heldReason = '' }: QueueRow['entry']): Bilingual {
  if (reason === 'suspended')
    return {
      ja: `この宛先または送信元への配送は一時停止中です: ${heldReason}`,
      en: `It is suspended, with others like it: ${heldReason}`,
    }
  if (reason !== 'noted') return sentences[reason]
  return waitsForMessage(noted) ?? { ja: `次の条件を待っています: ${noted}`, en: `It waits for: ${noted}` }
}
