/**
 * What each class of outcome means and who must act, in Japanese and English: for reports, console and CLI.
 *
 * A sentence says what happened, a next step says what to do about it. Rules in `classify.ts` choose the class; some name
 * another actor than the class's usual one (a block of our address is `own-ip`, whatever its class).
 */
import type { Actor, OutcomeClass } from '../mail/outcome.ts'

export interface Bilingual {
  readonly ja: string
  readonly en: string
}

export interface ClassText {
  /** Who usually must act. */
  readonly actor: Actor
  readonly sentence: Bilingual
  readonly next: Bilingual
}

export const classes: Readonly<Record<OutcomeClass, ClassText>> = {
  none: {
    actor: 'nobody',
    sentence: {
      ja: '宛先のメールサーバーがメールを受け取りました。',
      en: "The recipient's mail server has taken the message.",
    },
    next: { ja: '対応は不要です。', en: 'Nothing needs to be done.' },
  },
  'address-unknown': {
    actor: 'recipient',
    sentence: { ja: '宛先のメールアドレスが存在しません。', en: 'The recipient address does not exist.' },
    next: {
      ja: 'メールアドレスに誤りがないかご確認のうえ、正しいアドレスへ修正するか、配信リストから削除してください。',
      en: 'Check the address for mistakes; correct it, or take it off the list.',
    },
  },
  'domain-unknown': {
    actor: 'recipient',
    sentence: {
      ja: '宛先のドメイン（@より後ろの部分）が存在しません。',
      en: 'The domain of the recipient address does not exist.',
    },
    next: {
      ja: '@より後ろの部分に誤りがないかご確認ください。',
      en: 'Check the part after the @ for mistakes.',
    },
  },
  'no-mail-accepted': {
    actor: 'recipient',
    sentence: {
      ja: '宛先のドメインはメールを受信していません。',
      en: 'The domain of the recipient address does not accept mail.',
    },
    next: {
      ja: '別のメールアドレスを受信者にご確認ください。',
      en: 'Ask the recipient for another address.',
    },
  },
  'mailbox-full': {
    actor: 'recipient',
    sentence: { ja: '宛先のメールボックスの容量がいっぱいです。', en: "The recipient's mailbox is full." },
    next: {
      ja: '受信者がメールボックスを整理するまで届きません。別の方法でお知らせください。',
      en: 'Nothing arrives until the recipient makes room. Tell them by other means.',
    },
  },
  'mailbox-unavailable': {
    actor: 'recipient',
    sentence: {
      ja: '宛先のメールボックスは停止されているか、利用できない状態です。',
      en: "The recipient's mailbox is disabled or not available.",
    },
    next: {
      ja: '受信者に別の方法で連絡し、現在利用できるメールアドレスをご確認ください。',
      en: 'Ask the recipient by other means for an address that works.',
    },
  },
  'message-too-large': {
    actor: 'sender-content',
    sentence: {
      ja: 'メールのサイズが宛先のサーバーの上限を超えています。',
      en: "The message is larger than the recipient's server accepts.",
    },
    next: {
      ja: '添付ファイルを小さくするか、ダウンロード用のURLをお送りください。',
      en: 'Make the attachments smaller, or send a link instead.',
    },
  },
  'content-refused': {
    actor: 'sender-content',
    sentence: {
      ja: 'メールの内容（本文・添付ファイル・リンクなど）を理由に、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of its content.",
    },
    next: {
      ja: '本文、リンク先、添付ファイルの種類を見直してから再度お送りください。',
      en: 'Look over text, links and attachments before sending it again.',
    },
  },
  'spam-block': {
    actor: 'own-ip',
    sentence: {
      ja: '送信元サーバーの評価を理由に、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of the reputation of the sending server.",
    },
    next: {
      ja: '中継サーバーの管理者による対応が必要です。応答に記載されたブロックリストの解除手続きをご確認ください。',
      en: 'The operator of the relay must act: see the block list named in the reply and ask for removal.',
    },
  },
  authentication: {
    actor: 'customer-dns',
    sentence: {
      ja: '送信元ドメインの認証（SPF・DKIM・DMARC）に失敗したため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server could not verify the sender domain (SPF, DKIM, DMARC).",
    },
    next: {
      ja: 'ドメイン情報画面で未設定のDNSレコードを確認し、設定してください。',
      en: 'Look at the sender domain in the console and publish the DNS records that are missing.',
    },
  },
  policy: {
    actor: 'remote',
    sentence: {
      ja: '宛先のサーバーの受信ポリシーにより拒否されました。',
      en: "The message was refused by a policy of the recipient's server.",
    },
    next: {
      ja: '受信者に、送信元ドメインからのメールを受信できるよう設定の変更を依頼してください（携帯電話のドメイン指定受信など）。',
      en: 'Ask the recipient to allow mail from the sender domain.',
    },
  },
  rate: {
    actor: 'nobody',
    sentence: {
      ja: '送信量が宛先のサーバーの制限に達したため、一時的に受信を控えられています。',
      en: "The recipient's server accepts no more mail for the moment.",
    },
    next: {
      ja: '自動的に送信速度を下げて再送します。対応は不要です。',
      en: 'It is tried again more slowly by itself.',
    },
  },
  greylisted: {
    actor: 'nobody',
    sentence: {
      ja: '初めての送信元として、宛先のサーバーに再送を求められています（グレイリスト）。',
      en: "The recipient's server asks new senders to try again later (greylisting).",
    },
    next: { ja: '数分後に自動的に再送します。対応は不要です。', en: 'It is tried again within minutes by itself.' },
  },
  'dns-trouble': {
    actor: 'remote',
    sentence: {
      ja: '宛先ドメインのDNSから応答が得られませんでした。',
      en: "The DNS of the recipient's domain gave no usable answer.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側のDNSに障害がないか受信者にご確認ください。',
      en: 'It is tried again by itself. If it lasts, the recipient should look after their DNS.',
    },
  },
  network: {
    actor: 'remote',
    sentence: {
      ja: '宛先のメールサーバーに接続できないか、通信が途中で切断されました。',
      en: "The recipient's mail server can't be reached, or the connection broke.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側のサーバーの稼働状況を受信者にご確認ください。',
      en: 'It is tried again by itself. If it lasts, the recipient should look after their server.',
    },
  },
  tls: {
    actor: 'remote',
    sentence: {
      ja: '宛先のメールサーバーとの暗号化通信（TLS）を確立できませんでした。',
      en: "No encrypted connection (TLS) with the recipient's mail server could be made.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側サーバーの証明書とTLSの設定をご確認ください。',
      en: 'It is tried again by itself. If it lasts, certificate and TLS settings of that server need a look.',
    },
  },
  protocol: {
    actor: 'remote',
    sentence: {
      ja: '宛先のメールサーバーの応答がSMTPの規格に沿っていないか、必要な機能に対応していません。',
      en: "The recipient's mail server broke the protocol or lacks a feature the message needs.",
    },
    next: {
      ja: '応答の内容を添えて、受信側のサーバー管理者へお問い合わせください。',
      en: 'Show the reply to the administrator of that server.',
    },
  },
  'remote-trouble': {
    actor: 'remote',
    sentence: {
      ja: '宛先のメールサーバーで障害または混雑が発生しています。',
      en: "The recipient's mail server has trouble or is too busy.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信者にサーバーの状況をご確認ください。',
      en: 'It is tried again by itself. If it lasts, the recipient should look after their server.',
    },
  },
  'own-smtp-login': {
    actor: 'own-smtp',
    sentence: {
      ja: '登録されたSMTPサーバーにログインできませんでした。',
      en: "The sender's own SMTP server did not let us in.",
    },
    next: {
      ja: '送信元メールアドレスの設定画面で、サーバー名・ポート・ユーザー名・パスワードをご確認ください。',
      en: 'Check host, port, username and password in the settings of the sender address.',
    },
  },
  expired: {
    actor: 'remote',
    sentence: {
      ja: '再送を続けましたが、期限内に配信できませんでした。',
      en: 'It was tried again and again but could not be delivered in time.',
    },
    next: {
      ja: '最後の応答を確認し、必要であれば時間をおいて再度お送りください。',
      en: 'See the last reply; send the message again later if it still matters.',
    },
  },
  cancelled: {
    actor: 'nobody',
    sentence: { ja: '管理者の操作により配信を取り消しました。', en: 'An operator cancelled the delivery.' },
    next: { ja: '対応は不要です。', en: 'Nothing needs to be done.' },
  },
  'relay-trouble': {
    actor: 'relay',
    sentence: { ja: '中継サーバー側で障害が発生しました。', en: 'The relay itself had trouble.' },
    next: {
      ja: '自動的に再送します。中継サーバーの管理者はログをご確認ください。',
      en: 'It is tried again by itself; the operator of the relay should read its log.',
    },
  },
  other: {
    actor: 'remote',
    sentence: {
      ja: '宛先のメールサーバーが受け取りませんでした。',
      en: "The recipient's mail server did not take the message.",
    },
    next: {
      ja: '応答の内容をご確認ください。',
      en: 'See the text of the reply.',
    },
  },
}

/** Whose `next` promises another try. */
const triedAgain: ReadonlySet<OutcomeClass> = new Set([
  'rate',
  'greylisted',
  'dns-trouble',
  'network',
  'tls',
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
