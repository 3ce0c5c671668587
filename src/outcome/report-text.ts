/**
 * The part of a report that people read: what happened to which recipient, what the server said, who must act and what
 * comes next, in Japanese and then in English.
 *
 * Whoever gets a report did not ask for SMTP: the sentences come first, codes and ids after them.
 */
import type { Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import { actors, type Bilingual, classes, nextStepOf } from './classes.ts'
import type { ReportCase, ReportKind } from './report-case.ts'
import { plain } from './report-fields.ts'

/** `later`: a failure that the next host told of after it had taken the message. */
type TextKind = ReportKind | 'later'

interface Words {
  readonly title: string
  readonly opening: string
}

const ja: Readonly<Record<TextKind, Words>> = {
  failure: {
    title: '【メール配信エラーのお知らせ】',
    opening: '次の宛先にメールを配信できませんでした。これ以上の再送は行いません。',
  },
  later: {
    title: '【メール配信エラーのお知らせ】',
    opening:
      '次の宛先のメールは、相手のサーバーがいったん受け取りましたが、その後、配信できなかったとの通知が届きました。再送は行いません。',
  },
  delay: {
    title: '【メール配信遅延のお知らせ】',
    opening: '次の宛先への配信が遅れています。自動的に再送を続けていますので、同じメールを送り直す必要はありません。',
  },
  success: {
    title: '【メール配送のお知らせ】',
    opening:
      '次の宛先のメールを、宛先のサーバーへ引き渡しました。この先の結果は、配信できずに戻ってきた場合を除き、お知らせできません。',
  },
}

const en: Readonly<Record<TextKind, Words>> = {
  failure: {
    title: 'Undelivered mail',
    opening: 'Your message could not be delivered to the recipients below. It will not be tried again.',
  },
  later: {
    title: 'Undelivered mail',
    opening:
      'The server of the recipients below had taken your message, and then reported that it could not deliver it. It will not be sent again.',
  },
  delay: {
    title: 'Delayed mail',
    opening:
      'Your message has not been delivered to the recipients below yet. It is tried again by itself; there is no need to send it again.',
  },
  success: {
    title: 'Mail handed over',
    opening:
      "Your message was handed over to the recipients' servers. Nothing more will be heard of it, unless it comes back undelivered.",
  },
}

export const subjects: Readonly<Record<ReportKind, string>> = {
  failure: '【配信エラー】メールを配信できませんでした / Undelivered mail',
  delay: '【配信遅延】メールの配信が遅れています / Delayed mail',
  success: '【配送通知】メールを引き渡しました / Mail handed over',
}

/** LF line ends; UTF-8. */
export function reportText(
  kind: TextKind,
  message: Message,
  cases: readonly ReportCase[],
  settings: { readonly hostname: string; readonly timeZone: string },
): string {
  const format = localFormat(settings.timeZone)
  const time = (at: Instant) => `${format.format(at)} (${settings.timeZone})`
  return [
    `${ja[kind].title}（English follows below）`,
    '',
    ja[kind].opening,
    ...cases.flatMap(one => ['', ...caseJa(kind, one, time)]),
    '',
    `差出人: ${message.from ?? message.envelope.reversePath ?? ''}`,
    `受付日時: ${time(message.receivedAt)}`,
    `メールID: ${message.id}（${settings.hostname}）`,
    '',
    '------------------------------------------------------------',
    '',
    en[kind].title,
    '',
    en[kind].opening,
    ...cases.flatMap(one => ['', ...caseEn(kind, one, time)]),
    '',
    `From: ${message.from ?? message.envelope.reversePath ?? ''}`,
    `Accepted at: ${time(message.receivedAt)}`,
    `Message id: ${message.id} (${settings.hostname})`,
    '',
  ].join('\n')
}

function caseJa(kind: TextKind, one: ReportCase, time: (at: Instant) => string): string[] {
  const lines = [`宛先: ${one.entry.recipient.address}`]
  if (kind === 'success') return [...lines, `サーバーの応答: ${saidBy(one)}`]
  if (one.forwardedTo !== undefined) lines.push(`転送先: ${plain(one.forwardedTo, 'utf8')}`)
  lines.push(`理由: ${sentenceOf(one).ja}`)
  if (one.class === 'expired' && one.cause !== null) lines.push(`最後の試行の結果: ${classes[one.cause].sentence.ja}`)
  if (one.reply !== null) lines.push(`${one.remoteMta === null ? '詳細' : 'サーバーの応答'}: ${saidBy(one)}`)
  if (kind === 'delay') return [...lines, `再送の期限: ${time(one.entry.expiresAt)}`]
  return [...lines, `対応が必要な方: ${actors[one.actor].ja}`, `対応方法: ${nextStepOf(one.class ?? 'other', true).ja}`]
}

function caseEn(kind: TextKind, one: ReportCase, time: (at: Instant) => string): string[] {
  const lines = [`Recipient: ${one.entry.recipient.address}`]
  if (kind === 'success') return [...lines, `The server said: ${saidBy(one)}`]
  if (one.forwardedTo !== undefined) lines.push(`Forwarded there to: ${plain(one.forwardedTo, 'utf8')}`)
  lines.push(`Reason: ${sentenceOf(one).en}`)
  if (one.class === 'expired' && one.cause !== null) lines.push(`The last attempt: ${classes[one.cause].sentence.en}`)
  if (one.reply !== null) lines.push(`${one.remoteMta === null ? 'Detail' : 'The server said'}: ${saidBy(one)}`)
  if (kind === 'delay') return [...lines, `Tried until: ${time(one.entry.expiresAt)}`]
  return [...lines, `Who must act: ${actors[one.actor].en}`, `What to do: ${nextStepOf(one.class ?? 'other', true).en}`]
}

/** An entry that was never tried waits for its turn: send limits, a closed site. */
const waiting = { ja: '送信の順番を待っています。', en: 'It waits for its turn to be sent.' }

function sentenceOf(one: ReportCase): Bilingual {
  return one.class === null ? waiting : classes[one.class].sentence
}

function saidBy({ reply, remoteMta }: ReportCase): string {
  return `${reply ?? ''}${remoteMta === null ? '' : ` (${remoteMta})`}`
}

/** `2026-01-15 12:00:00`: Swedish writes ISO 8601. */
function localFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
}
