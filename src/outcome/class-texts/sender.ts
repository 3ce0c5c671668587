/**
 * Classes of outcomes that lie with the sender: what the message holds, what the sender domain publishes, its name.
 */
import type { OutcomeClass } from '../../mail/outcome.ts'
import type { ClassText } from './shape.ts'

export const senderTexts = {
  'message-too-large': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: 'メールのサイズが宛先のサーバーの上限を超えています。',
      en: "The message is larger than the recipient's server accepts.",
    },
    next: {
      ja: '添付ファイルを小さくするか、ダウンロード用のURLをお送りください。',
      en: 'Make the attachments smaller, or send a link instead.',
    },
  },
  'attachment-refused': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: '添付ファイルの種類または内容を理由に、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused an attachment: its type, its name, or what was found in it.",
    },
    next: {
      ja: '実行ファイル・マクロ付きファイル・暗号化ZIPなどの添付をやめ、ウイルス検査のうえ、別の形式またはダウンロード用のURLでお送りください。',
      en: 'Scan it for viruses, then send it in another form: no programs, macros or encrypted archives; or send a link instead.',
    },
  },
  'message-malformed': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: 'メールの形式（ヘッダー・改行・文字コードなど）が規格に沿っていないため、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because its form (header fields, lines, encoding) breaks the standard.",
    },
    next: {
      ja: 'メールを作成したシステムの管理者に、From・Date・Message-IDなどのヘッダーと本文の形式の確認をご依頼ください。',
      en: 'Show the reply to whoever runs the system that writes these messages: header fields such as From, Date and Message-ID, or the lines, need mending.',
    },
  },
  'spam-content': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: 'メールの内容が迷惑メールと判定され、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server took the message for spam because of what it says.",
    },
    next: {
      ja: '件名・本文・リンクを見直し、配信に同意した相手だけに送っているか、配信停止の案内があるかをご確認ください。',
      en: 'Look over subject, text and links; send only to people who asked for it, with a way to unsubscribe.',
    },
  },
  'url-block': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: '本文中のURLまたはドメインがブロックリストに登録されているため、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of a link in it that stands on a block list.",
    },
    next: {
      ja: '応答に記載されたURLを本文から外すか、そのURLの安全性を確認し、ブロックリストへ解除を申請してください。',
      en: 'Take the link out, or make sure that its site is clean and ask the block list to remove it.',
    },
  },
  'content-refused': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: 'メールの内容（本文・添付ファイル・リンクなど）を理由に、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of its content.",
    },
    next: {
      ja: '本文、リンク先、添付ファイルの種類を見直してから再度お送りください。',
      en: 'Look over text, links and attachments before sending it again.',
    },
  },
  'spf-failed': {
    actor: 'customer-dns',
    suppressible: false,
    sentence: {
      ja: '送信元ドメインのSPFレコードがこの中継サーバーを許可していないため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server refused the message because the SPF record of the sender domain does not allow this relay.",
    },
    next: {
      ja: 'ドメイン情報画面に表示されたSPFレコードを、送信元ドメインのDNSに設定してください。',
      en: 'Publish the SPF record that Kitte shows for the sender domain.',
    },
  },
  'dkim-failed': {
    actor: 'customer-dns',
    suppressible: false,
    sentence: {
      ja: 'DKIM署名がないか、検証に失敗したため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server refused the message because its DKIM signature is missing or did not verify.",
    },
    next: {
      ja: 'ドメイン情報画面でDKIMレコードの状態を確認し、表示された値を送信元ドメインのDNSに設定してください。',
      en: 'See the state of the DKIM record of the sender domain in Kitte, and publish the value shown there.',
    },
  },
  'dmarc-failed': {
    actor: 'customer-dns',
    suppressible: false,
    sentence: {
      ja: '送信元ドメインのDMARCポリシーに合格しなかったため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server refused the message because it did not pass the DMARC policy of the sender domain.",
    },
    next: {
      ja: '送信元ドメインのSPFとDKIMをどちらも設定してください。どちらかが差出人のドメインと一致すればDMARCに合格します。',
      en: 'Publish both SPF and DKIM of the sender domain: DMARC passes once one of them passes for the domain of the From address.',
    },
  },
  authentication: {
    actor: 'customer-dns',
    suppressible: false,
    sentence: {
      ja: '送信元ドメインの認証（SPF・DKIM・DMARC）に失敗したため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server could not verify the sender domain (SPF, DKIM, DMARC).",
    },
    next: {
      ja: 'ドメイン情報画面で未設定のDNSレコードを確認し、設定してください。',
      en: 'Look at the DNS records of the sender domain and publish those that are missing.',
    },
  },
  'sender-domain': {
    actor: 'customer-dns',
    suppressible: false,
    sentence: {
      ja: '送信元のドメインがDNSで見つからないか、返信を受け取れる設定（MXまたはAレコード）がないため、宛先のサーバーが受け取りませんでした。',
      en: "The recipient's server refused the sender because its domain is not found in DNS, or can't receive mail itself.",
    },
    next: {
      ja: '送信元ドメインの登録期限と、MX・Aレコードの設定をご確認ください。',
      en: 'See that the sender domain is still registered and has an MX or A record.',
    },
  },
  'sender-refused': {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のサーバーがこの送信元メールアドレスからの受信を拒否しました。',
      en: "The recipient's server refuses this sender address.",
    },
    next: {
      ja: '送信元メールアドレスが実在し返信を受け取れることを確認し、続く場合は、応答の内容を添えて受信側の管理者へお問い合わせください。',
      en: 'See that the sender address exists and receives mail; if it lasts, show the reply to the administrator of that server.',
    },
  },
  'domain-block': {
    actor: 'sender-content',
    suppressible: false,
    sentence: {
      ja: '送信元ドメインの評価が低いか、ブロックリストに登録されているため、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of the reputation of the sender domain, or because a block list names it.",
    },
    next: {
      ja: '応答に記載されたブロックリストへ解除を申請し、同意のない宛先や古いリストへの配信をやめてください。評価の回復には日数がかかります。',
      en: 'Ask the block list named in the reply for removal, and stop mail to people who did not ask for it or to old lists. Reputation takes days to recover.',
    },
  },
} as const satisfies Partial<Record<OutcomeClass, ClassText>>
