/**
 * Why an entry waits, for people.
 */

import { z } from 'zod'
import type { QueueRow, WaitReason } from '../store/store.ts'
import { bilingual } from './fields.ts'
import type { Bilingual } from './texts.ts'
import { waitsForMessage } from './waits-for.ts'

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

export const waitFields = {
  waitReason: z
    .enum(['suspended', 'turn', 'schedule', 'limit', 'noted', 'retry', 'site'])
    .nullable()
    .meta({ description: 'Why it waits; null: an operator holds it, it is under way, or no longer queued' }),
  waitMessage: bilingual.nullable(),
}

export function renderWait(row: QueueRow | undefined): {
  waitReason: WaitReason | null
  waitMessage: Bilingual | null
} {
  const reason = row?.waitReason ?? null
  return { waitReason: reason, waitMessage: reason === null ? null : sentenceOf(reason, row!.entry) }
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
