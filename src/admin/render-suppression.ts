/**
 * A suppression as the API shows it, and as a line of an export.
 */
import { z } from 'zod'
import type { OutcomeClass } from '../mail/outcome.ts'
import { type Suppression, type SuppressionReason, suppressionReasons } from '../mail/suppression.ts'
import { classes } from '../outcome/classes.ts'
import { bilingual, time, timestamp } from './fields.ts'
import type { Bilingual } from './texts.ts'

const reasons: Readonly<Record<SuppressionReason, Bilingual>> = {
  'hard-bounce': {
    ja: '宛先が存在しないという最終的なエラーが返されました。',
    en: 'Mail to it failed for good: the address does not exist.',
  },
  complaint: { ja: '受信者が迷惑メールとして報告しました。', en: 'The recipient reported mail as spam.' },
  unsubscribed: { ja: '受信者が配信停止を希望しました。', en: 'The recipient wants no more mail.' },
  manual: { ja: '手動で登録されました。', en: 'Somebody entered it.' },
}

export const suppressionAnswer = z.object({
  address: z.string().meta({ description: 'Lower case; compared without case' }),
  account: z.string().nullable().meta({ description: 'Null: of all accounts' }),
  reason: z.enum(suppressionReasons),
  message: bilingual.meta({ description: 'What the reason means' }),
  evidence: z
    .object({
      from: z.enum(['outcome', 'report']).meta({ description: 'An attempt of ours, or what came back later' }),
      message: z.string(),
      at: timestamp,
      reply: z.string().nullable(),
      class: z.string().nullable(),
      classMessage: bilingual.nullable(),
      remoteMta: z.string().nullable(),
    })
    .nullable()
    .meta({ description: 'Null: somebody said so' }),
  note: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable().meta({ description: 'Null: until it is removed' }),
})
export type SuppressionAnswer = z.output<typeof suppressionAnswer>

export function renderSuppression({ evidence, ...suppression }: Suppression): SuppressionAnswer {
  const { address, account, reason, note, createdAt, expiresAt } = suppression
  return {
    ...{ address, account, reason, message: reasons[reason], note },
    evidence: evidence && { ...evidence, at: time(evidence.at), classMessage: sentenceOf(evidence.class) },
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
  }
}

function sentenceOf(found: OutcomeClass | null): Bilingual | null {
  return found === null ? null : (classes[found]?.sentence ?? null)
}

export const csvHeader = 'address,account,reason,expiresAt,note,createdAt,class,reply\r\n'

/** RFC 4180. `*` stands for all accounts. */
export function csvLine({ address, account, reason, expiresAt, note, createdAt, evidence }: Suppression): string {
  const told = [plainText(note), time(createdAt), evidence?.class ?? '', plainText(evidence?.reply ?? '')]
  return `${[address, account ?? '*', reason, time(expiresAt) ?? '', ...told].map(csvField).join(',')}\r\n`
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * What others wrote must not become a formula where a spreadsheet opens the file; on one line, as the reader wants it.
 * `kitte suppression import` takes one apostrophe away again.
 */
function plainText(text: string): string {
  const line = text.replace(/[\x00-\x1f\x7f]+/g, ' ')
  return /^'*[=+\-@]/.test(line) ? `'${line}` : line
}
