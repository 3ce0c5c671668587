/**
 * Classes of outcomes that lie between servers: ours, the recipient's, the sender's own.
 */
import type { OutcomeClass } from '../../mail/outcome.ts'
import type { ClassText } from './shape.ts'

export const serverTexts = {
  'spam-block': {
    actor: 'own-ip',
    suppressible: false,
    sentence: {
      ja: '送信元サーバーの評価を理由に、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the message because of the reputation of the sending server.",
    },
    next: {
      ja: '送信者側の設定や内容の変更では解決しません。中継サーバーの管理者は、応答に記載されたブロックリストまたは受信側の窓口へ解除を申請してください。',
      en: 'Nothing that the sender changes helps. The operator of the relay must ask the block list or the receiver named in the reply for removal.',
    },
  },
  'no-ptr': {
    actor: 'own-ip',
    suppressible: false,
    sentence: {
      ja: '送信元サーバーの逆引きDNS（PTR）またはホスト名に問題があるため、宛先のサーバーが受信を拒否しました。',
      en: "The recipient's server refused the sending server because of its reverse DNS (PTR) or its host name.",
    },
    next: {
      ja: '中継サーバーの管理者は、送信IPアドレスの逆引き（PTR）とホスト名の正引きが一致するよう設定してください。',
      en: 'The operator of the relay must make the PTR record of the sending address and the address of that name agree.',
    },
  },
  rate: {
    actor: 'nobody',
    suppressible: false,
    sentence: {
      ja: '送信の量または頻度が宛先のサーバーの制限に達したため、受信を控えられています。',
      en: "The recipient's server takes no more mail for now: it was too much, or too fast.",
    },
    next: {
      ja: '自動的に送信速度を下げて再送します。対応は不要です。',
      en: 'It is tried again more slowly by itself.',
    },
  },
  'too-many-recipients': {
    actor: 'nobody',
    suppressible: false,
    sentence: {
      ja: '一度に受け取れる宛先の数を超えたため、宛先のサーバーがこの宛先の受信を控えました。',
      en: "The recipient's server takes fewer recipients at once.",
    },
    next: {
      ja: '残りの宛先へは自動的に分けて再送します。対応は不要です。',
      en: 'The rest is tried again by itself, in smaller parts.',
    },
  },
  greylisted: {
    actor: 'nobody',
    suppressible: false,
    sentence: {
      ja: '初めての送信元として、宛先のサーバーに再送を求められています（グレイリスト）。',
      en: "The recipient's server asks new senders to try again later (greylisting).",
    },
    next: { ja: '数分後に自動的に再送します。対応は不要です。', en: 'It is tried again within minutes by itself.' },
  },
  policy: {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のサーバーの受信ポリシーにより拒否されました（どの規則によるかは応答からは分かりません）。',
      en: "The message was refused by a policy of the recipient's server; the reply does not tell which.",
    },
    next: {
      ja: '受信者を通じて、応答の内容を受信側のサーバー管理者に伝え、送信元ドメインからのメールを受信できるよう設定の変更を依頼してください（携帯電話ではドメイン指定受信など）。',
      en: 'Have the recipient show the reply to the administrator of that server, and ask to allow mail from the sender domain.',
    },
  },
  'tls-required': {
    actor: 'relay',
    suppressible: false,
    sentence: {
      ja: '宛先のサーバーは暗号化通信（TLS）での接続を求めていますが、暗号化せずに送信しようとしました。',
      en: "The recipient's server asks for an encrypted connection (TLS), and this one was not.",
    },
    next: {
      ja: '中継サーバーの管理者は、このサーバーとのTLS接続がなぜ行われないのか、配信ログ（tls-fallback）をご確認ください。',
      en: 'The operator of the relay should see in the delivery log (tls-fallback) why there was no TLS with that server.',
    },
  },
  tls: {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーとの暗号化通信（TLS）を確立できませんでした。',
      en: "No encrypted connection (TLS) with the recipient's mail server could be made.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側サーバーの証明書とTLSの設定をご確認ください。',
      en: 'It is tried again by itself. If it lasts, certificate and TLS settings of that server need a look.',
    },
  },
  'tls-policy': {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '暗号化通信（TLS）で宛先のメールサーバーが本物であることを確認できなかったため、安全のため送信を見合わせています（受信側ドメインのMTA-STS・DANE、または中継サーバーの設定による）。',
      en: "The recipient's mail server could not be proven genuine by TLS, as its domain (MTA-STS, DANE) or a setting of the relay demands, so the message was kept back.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側のサーバー管理者が証明書・MTA-STSポリシー・TLSAレコードを確認する必要があります。応答の内容をお伝えください。',
      en: 'It is tried again by itself. If it lasts, the administrator of that server must look at its certificate, MTA-STS policy and TLSA records: show them the reply.',
    },
  },
  'dns-trouble': {
    actor: 'remote',
    suppressible: false,
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
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーに接続できないか、通信が途中で切断されました。',
      en: "The recipient's mail server can't be reached, or the connection broke.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信側のサーバーの稼働状況を受信者にご確認ください。',
      en: 'It is tried again by itself. If it lasts, the recipient should look after their server.',
    },
  },
  'remote-trouble': {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーで障害または混雑が発生しています。',
      en: "The recipient's mail server has trouble or is too busy.",
    },
    next: {
      ja: '自動的に再送します。続く場合は、受信者にサーバーの状況をご確認ください。',
      en: 'It is tried again by itself. If it lasts, the recipient should look after their server.',
    },
  },
  protocol: {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーの応答がSMTPの規格に沿っていないか、必要な機能に対応していません。',
      en: "The recipient's mail server broke the protocol or lacks a feature the message needs.",
    },
    next: {
      ja: '応答の内容を添えて、受信側のサーバー管理者へお問い合わせください。',
      en: 'Show the reply to the administrator of that server.',
    },
  },
  loop: {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先側の転送設定により、メールが同じサーバーの間を循環しています（メールループ）。',
      en: "Forwarding on the recipient's side sends the message round in circles (mail loop).",
    },
    next: {
      ja: '受信者に、転送設定またはMXレコードの見直しをご依頼ください。',
      en: 'Ask the recipient to look over their forwarding or the MX records of their domain.',
    },
  },
  'own-smtp-login': {
    actor: 'own-smtp',
    suppressible: false,
    sentence: {
      ja: '登録されたSMTPサーバーにログインできませんでした。',
      en: "The sender's own SMTP server did not let us in.",
    },
    next: {
      ja: '送信元メールアドレスの設定画面で、サーバー名・ポート・ユーザー名・パスワードをご確認ください。正しい場合は、サーバー側の制限（アプリパスワード、国外からの接続の拒否など）をご確認ください。',
      en: 'Check host, port, username and password in the settings of the sender address; if they are right, see whether the server asks for an app password or refuses logins from elsewhere.',
    },
  },
  'own-smtp-sender': {
    actor: 'own-smtp',
    suppressible: false,
    sentence: {
      ja: '登録されたSMTPサーバーが、このユーザーで送信元メールアドレスを使うことを許可していません。',
      en: "The sender's own SMTP server does not let this login use the sender address.",
    },
    next: {
      ja: 'SMTPサーバーの管理画面で、このユーザーに送信元メールアドレスの使用を許可するか、そのアドレスのユーザーでログインする設定に変えてください。',
      en: 'Allow the login to send as that address on the SMTP server, or use the login that the address belongs to.',
    },
  },
  'own-smtp-limit': {
    actor: 'own-smtp',
    suppressible: false,
    sentence: {
      ja: '登録されたSMTPサーバーの送信数の上限に達したか、送信が停止されています。',
      en: "The sender's own SMTP server has a limit for sending, and it is reached, or it has stopped this login from sending.",
    },
    next: {
      ja: 'SMTPサーバーの提供元で送信数の上限と利用状況をご確認ください。大量の配信には、ドメインのSPFとDKIMを設定したうえで中継サーバーから直接お送りください。',
      en: 'See the limits at the provider of that server. For many messages publish SPF and DKIM of the domain and let the relay send by itself.',
    },
  },
  expired: {
    actor: 'remote',
    suppressible: false,
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
    suppressible: false,
    sentence: { ja: '管理者の操作により配信を取り消しました。', en: 'An operator cancelled the delivery.' },
    next: { ja: '対応は不要です。', en: 'Nothing needs to be done.' },
  },
  'relay-trouble': {
    actor: 'relay',
    suppressible: false,
    sentence: { ja: '中継サーバー側で障害が発生しました。', en: 'The relay itself had trouble.' },
    next: {
      ja: '自動的に再送します。中継サーバーの管理者はログをご確認ください。',
      en: 'It is tried again by itself; the operator of the relay should read its log.',
    },
  },
  other: {
    actor: 'remote',
    suppressible: false,
    sentence: {
      ja: '宛先のメールサーバーが受け取りませんでした（理由は応答からは判別できません）。',
      en: "The recipient's mail server did not take the message; its reply does not tell why.",
    },
    next: {
      ja: '応答の内容を、受信者を通じて受信側のサーバー管理者に伝え、理由をお問い合わせください。',
      en: 'Have the recipient show the reply to the administrator of that server and ask for the reason.',
    },
  },
} as const satisfies Partial<Record<OutcomeClass, ClassText>>
