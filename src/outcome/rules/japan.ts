/**
 * Rules for Japanese mobile carriers and providers. The carriers answer a filtered sender like an unknown recipient.
 */
import { forRecipient, type RuleGroup } from './rule.ts'

const docomo = ['docomo.ne.jp', 'spmode.ne.jp', 'mopera.net']
const au = ['ezweb.ne.jp', 'au.com', 'uqmobile.jp', 'kddi.com']
const softbank = ['softbank.ne.jp', 'softbank.jp', 'vodafone.ne.jp', 'ymobile.ne.jp', 'ymobile1.ne.jp', 'disney.ne.jp']
const rakuten = ['rakuten.jp', 'rakumail.jp']

const unknown = [
  'unknown user',
  'user unknown',
  'unknown or illegal',
  'no such user',
  'user not found',
  'invalid recipient',
]

const carriers: RuleGroup = {
  source: 'NTT docomo, KDDI (au) and SoftBank: notes for senders of mail to mobile phones; observed replies',
  rules: [
    {
      id: 'carrier-filter-after-data',
      class: 'blocked-by-recipient',
      when: { sites: [...docomo, ...au], digit: 5, phases: ['dot'], text: unknown },
      reason: 'the recipient was taken at RCPT: an "unknown user" after DATA is the filter (受信拒否設定)',
    },
    {
      id: 'carrier-unknown',
      class: 'unknown-or-filtered',
      when: { sites: [...docomo, ...au, ...rakuten], digit: 5, text: unknown },
      reason: 'the same reply stands for an address that does not exist and for 受信拒否設定 and ドメイン指定受信',
    },
    {
      id: 'carrier-unknown-by-status',
      class: 'unknown-or-filtered',
      when: { digit: 5, status: ['2.0'], text: ['unknown user'] },
      reason: "docomo's words with docomo's status, as a bounce passes them on",
    },
    {
      id: 'carrier-unknown-status',
      class: 'unknown-or-filtered',
      when: { sites: [...docomo, ...au, ...rakuten], digit: 5, status: ['1.1', '2.0'], phases: forRecipient },
      reason: 'as above, told by status',
    },
    {
      id: 'softbank-unknown',
      class: 'address-unknown',
      when: { sites: softbank, digit: 5, phases: forRecipient, text: unknown },
      reason: 'SoftBank takes filtered mail and drops it: an unknown recipient is one',
    },
    {
      id: 'softbank-sender-domain',
      class: 'sender-domain',
      when: { sites: softbank, codes: [553, 450, 451], text: ['does not exist', 'domain not found'] },
      reason: 'the domain of the reverse-path has no DNS records',
    },
    {
      id: 'docomo-full',
      class: 'mailbox-full',
      when: { sites: docomo, codes: [552, 452], text: ['too much mail data', 'too much data'] },
      reason: "docomo's words for a full mailbox",
    },
    {
      id: 'docomo-long-line',
      class: 'message-malformed',
      when: { codes: [500, 550, 554], text: ['line too long', 'lines too long'] },
      reason: 'a line over 1,000 octets (RFC 5321 §4.5.3.1.6)',
    },
    {
      id: 'carrier-unknown-too-often',
      class: 'spam-block',
      when: {
        sites: [...docomo, ...au, ...softbank],
        phases: ['connect', 'banner', 'ehlo', 'mail'],
        digit: 5,
        unless: ['domain', 'sender'],
      },
      reason: 'carriers close the door to senders of mail for many unknown recipients',
    },
  ],
}

const providers: RuleGroup = {
  source: 'OCN, @nifty, BIGLOBE, So-net, J:COM, IIJ and Yahoo! JAPAN: help on returned mail',
  rules: [
    {
      id: 'japan-user-filter',
      class: 'blocked-by-recipient',
      when: {
        text: [
          'rejected by user',
          'refused by user',
          'rejected by recipient',
          'user * setting|settings|filter',
          '受信拒否',
          '受信者の設定',
          '着信拒否',
          'ドメイン指定',
        ],
      },
      reason: 'the recipient set up a filter at the provider',
    },
    {
      id: 'japan-words-full',
      class: 'mailbox-full',
      when: {
        text: [
          'メールボックスがいっぱい',
          'メールボックスの容量',
          '容量を超え',
          '容量オーバー',
          '容量がいっぱい',
          '保存容量',
        ],
      },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-size',
      class: 'message-too-large',
      when: { text: ['サイズが大き', 'サイズの上限', 'サイズ制限', 'サイズを超え'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-spam',
      class: 'spam-content',
      when: { text: ['迷惑メールと判定', '迷惑メールとして', 'スパムと判定'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-attachment',
      class: 'attachment-refused',
      when: { text: ['ウイルス', 'ウィルス', '添付ファイルの種類', '添付ファイルが禁止', 'パスワード付き'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-authentication',
      class: 'authentication',
      when: { text: ['なりすまし', '送信ドメイン認証', '認証に失敗'], unless: ['spf', 'dkim', 'dmarc'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-address',
      class: 'spam-block',
      when: {
        text: ['ブラックリスト', 'ipアドレスからの', '送信元サーバー', '接続を拒否', '接続が拒否'],
        unless: ['逆引き'],
      },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-name',
      class: 'no-ptr',
      when: { text: ['逆引き'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-rate',
      class: 'rate',
      when: { digit: 4, text: ['送信数', '接続数', '通数', '大量'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-trouble',
      class: 'remote-trouble',
      when: { digit: 4, text: ['メンテナンス', '混雑', '障害', 'しばらく', '時間をおいて'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-closed',
      class: 'mailbox-unavailable',
      when: { text: ['解約', '利用停止', '停止され', '停止中', '休止', '無効になって', '凍結'] },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-domain',
      class: 'domain-unknown',
      when: {
        phases: forRecipient,
        text: ['ドメインが見つかり', 'ドメインが存在し', 'ドメインは存在し', 'ホストが見つかり'],
        unless: ['送信元', '差出人'],
      },
      reason: 'said in Japanese',
    },
    {
      id: 'japan-words-sender-domain',
      class: 'sender-domain',
      when: {
        text: ['ドメインが見つかり', 'ドメインが存在し', 'ドメインは存在し', '送信元ドメイン', '差出人のドメイン'],
      },
      reason: 'said in Japanese, to MAIL or of the sender',
    },
    {
      id: 'japan-words-unknown',
      class: 'address-unknown',
      when: {
        text: [
          '宛先不明',
          'あて先不明',
          '宛先が見つかり',
          'アドレスが見つかり',
          'アドレスが存在し',
          'アドレスは存在し',
          'ユーザーが存在し',
          'ユーザが存在し',
          '宛先が存在し',
          '存在しないメールアドレス',
          '存在しないアドレス',
        ],
      },
      reason: 'said in Japanese',
    },
  ],
}

export const japanRules: readonly RuleGroup[] = [carriers, providers]
