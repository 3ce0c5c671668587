/**
 * What came back later as the API shows it: the reply as it was said, and what it means in sentences for people.
 */
import { z } from 'zod'
import { formatReply } from '../mail/reply.ts'
import { type Returned, returnedKinds } from '../mail/returned.ts'
import { actors, type Bilingual, classes, nextStepOf } from '../outcome/classes.ts'
import { bilingual, time, timestamp } from './fields.ts'

export const returnedAnswer = z.object({
  entry: z.string(),
  recipient: z.string(),
  kind: z.enum(returnedKinds),
  at: timestamp,
  reply: z.string().nullable().meta({ description: 'Code, enhanced status and text; null for complaints' }),
  class: z.string().nullable(),
  actor: z.string().meta({ description: 'Who must act' }),
  message: bilingual.meta({ description: 'What it means' }),
  next: bilingual.meta({ description: 'What to do' }),
  who: bilingual.meta({ description: 'The actor in words' }),
  permanent: z.boolean().meta({ description: 'Sending to this recipient again would fail again' }),
  format: z.enum(['rfc3464', 'text', 'arf', 'jmrp']).meta({ description: 'What the report was: text is prose' }),
  system: z.string().nullable().meta({ description: 'The mail system that wrote it, as far as it shows' }),
  reportingMta: z.string().nullable(),
  remoteMta: z.string().nullable().meta({ description: 'The host that had refused' }),
  finalRecipient: z.string().nullable().meta({ description: 'The address that failed, where the recipient forwards' }),
  feedbackType: z.string().nullable().meta({ description: 'RFC 5965 §7.3; null for all but complaints' }),
  client: z.string().meta({ description: 'Address of the host that handed the report in' }),
})

export type ReturnedAnswer = z.output<typeof returnedAnswer>

const complained: { readonly message: Bilingual; readonly next: Bilingual } = {
  message: {
    ja: '受信者がこのメールを迷惑メールとして報告しました。',
    en: 'The recipient reported this message as spam.',
  },
  next: {
    ja: 'この宛先への配信を停止し、配信の同意と配信停止の方法をご確認ください。',
    en: 'Stop sending to this recipient, and look at how recipients consent and unsubscribe.',
  },
}

const stillTried: Bilingual = {
  ja: '受信側のサーバーが再送を続けています。対応は不要です。',
  en: 'The server of the recipient goes on trying; nothing is to be done.',
}

export function renderReturned(found: Returned): ReturnedAnswer {
  const { entry, recipient, kind, permanent, format, system, reportingMta, remoteMta, client } = found
  return {
    ...{ entry, recipient, kind, permanent, format, system, reportingMta, remoteMta, client },
    ...{ class: found.class, actor: found.actor, feedbackType: found.feedbackType },
    ...{ finalRecipient: found.finalRecipient, at: time(found.at) },
    ...meaningOf(found),
    reply: found.reply === null ? null : formatReply(found.reply),
    who: actors[found.actor] ?? actors.nobody,
  }
}

/** Whether an event's data is what came back, as the intake writes it. */
export function isReturned(data: unknown): data is Returned {
  return typeof data === 'object' && data !== null && 'kind' in data && 'format' in data && 'finalRecipient' in data
}

function meaningOf({ kind, class: found }: Returned): { readonly message: Bilingual; readonly next: Bilingual } {
  if (kind === 'complaint') return complained
  // An event that another version wrote may have a class that this one doesn't know.
  const known = found !== null && Object.hasOwn(classes, found) ? found : 'other'
  return { message: classes[known].sentence, next: kind === 'delay' ? stillTried : nextStepOf(known, true) }
}
