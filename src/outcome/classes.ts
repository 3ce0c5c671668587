/**
 * What each class of outcome means and who must act, in Japanese and English: for reports, API, console and CLI.
 *
 * A sentence says what happened, a next step says what to do about it; they stand in `class-texts/`. Rules (`rules/`) choose
 * the class; some name another actor than the class's usual one.
 */
import type { Actor, OutcomeClass } from '../mail/outcome.ts'
import { recipientTexts } from './class-texts/recipient.ts'
import { senderTexts } from './class-texts/sender.ts'
import { serverTexts } from './class-texts/servers.ts'
import type { Bilingual, ClassText } from './class-texts/shape.ts'

export type { Bilingual, ClassText }

export const classes: Readonly<Record<OutcomeClass, ClassText>> = {
  ...recipientTexts,
  ...senderTexts,
  ...serverTexts,
}

/** Whose `next` promises another try. */
const triedAgain: ReadonlySet<OutcomeClass> = new Set([
  'rate',
  'too-many-recipients',
  'greylisted',
  'dns-trouble',
  'network',
  'tls',
  'tls-policy',
  'remote-trouble',
  'relay-trouble',
])

const afterTheEnd: Bilingual = {
  ja: '時間をおいて再度お送りください。それでも届かない場合は、応答の内容を受信側のサーバー管理者へお伝えください。',
  en: 'Send it again later. If it fails again, show the reply to the administrator of that server.',
}

/** What to do about an outcome; a final one is not tried again, whatever its class is like otherwise. */
export function nextStepOf(found: OutcomeClass, final: boolean): Bilingual {
  return final && triedAgain.has(found) ? afterTheEnd : classes[found].next
}

/** Who must act, as words for people. */
export const actors: Readonly<Record<Actor, Bilingual>> = {
  'customer-dns': { ja: '送信元ドメインのDNS管理者', en: "whoever holds the sender domain's DNS" },
  'sender-content': { ja: '送信者（メールの内容）', en: 'the sender (content of the message)' },
  recipient: { ja: '送信者（宛先の確認）', en: 'the sender (check the recipient)' },
  'own-ip': { ja: '中継サーバーの管理者（送信IPアドレスの評価）', en: 'the operator of the relay (its IP address)' },
  remote: { ja: '受信側のサーバー管理者', en: "the administrator of the recipient's server" },
  'own-smtp': { ja: '送信元メールアドレスのSMTP設定の管理者', en: "whoever set up the sender's own SMTP server" },
  relay: { ja: '中継サーバーの管理者', en: 'the operator of the relay' },
  nobody: { ja: '対応不要', en: 'nobody' },
}
