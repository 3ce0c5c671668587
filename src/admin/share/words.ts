/**
 * What the share page says beside the reasons of the records, in Japanese and English.
 */
import type { RecordPurpose, RecordState } from '../../mail/sender-domain.ts'
import type { Bilingual } from '../texts.ts'

export const words = {
  title: { ja: '{domain} の DNS 設定', en: 'DNS settings of {domain}' },
  heading: { ja: 'DNS 設定のお願い', en: 'DNS settings to make' },
  lead: {
    ja: 'このドメインのメールが正しく届くように、DNS に下のレコードを設定してください。設定後、このページで結果を確認できます。',
    en: 'Please set the records below in the DNS of this domain, so that its mail arrives as it should. This page shows when they are in place.',
  },
  leadDone: {
    ja: '必要なレコードはすべて設定されています。作業は不要です。ありがとうございました。',
    en: 'All records that are needed are in place. Nothing is left to do. Thank you.',
  },
  leadAdvice: {
    ja: '必要なレコードはすべて設定されています。ありがとうございました。「推奨」のレコードも設定すると、より確実に届きます。',
    en: 'All records that are needed are in place. Thank you. With the recommended ones mail arrives more reliably still.',
  },
  progress: { ja: '{needed} 件中 {published} 件が設定済', en: '{published} of {needed} published' },
  checkedAt: { ja: '最終確認', en: 'Last checked' },
  notChecked: { ja: 'まだ確認していません', en: 'Not checked yet' },
  check: { ja: '今すぐ確認', en: 'Check now' },
  checking: { ja: '確認しています…', en: 'Checking…' },
  checkAgain: { ja: '次に確認できるのは {time} 以降です。', en: 'You can check again from {time}.' },
  where: { ja: '設定する場所', en: 'Where to set them' },
  provider: { ja: 'DNS サービス', en: 'DNS provider' },
  menu: { ja: '画面の場所', en: 'In the panel' },
  nameServers: { ja: 'ネームサーバー', en: 'Name servers' },
  unknownProvider: {
    ja: '下のネームサーバーを提供している会社（ドメイン会社、レンタルサーバー会社など）の管理画面で、「DNS レコード設定」「ゾーン編集」などの項目を開いてください。',
    en: 'Open the panel of whoever runs the name servers below (a domain or hosting company) and look for "DNS records", "DNS settings" or "Zone editor".',
  },
  unseenProvider: {
    ja: 'ドメイン会社やレンタルサーバー会社の管理画面で、「DNS レコード設定」「ゾーン編集」などの項目を開いてください。',
    en: 'Open the panel of the company where the DNS of the domain is edited and look for "DNS records", "DNS settings" or "Zone editor".',
  },
  keepOthers: {
    ja: 'ここにないレコードは変更・削除しないでください。',
    en: 'Leave all records that are not listed here as they are.',
  },
  removable: { ja: '削除できるレコード', en: 'Records that can be deleted' },
  removableWhy: {
    ja: '以前の署名鍵のレコードで、もう使われていません。残っている場合は削除できます。残しておいても害はありません。',
    en: 'They belong to former signing keys and are not used any more. Where they are still there you can delete them; they do no harm where they stay.',
  },
  records: { ja: 'レコード', en: 'Records' },
  advice: { ja: '推奨', en: 'Recommended' },
  todo: { ja: '作業', en: 'To do' },
  fullName: { ja: '完全な名前: {name}', en: 'Full name: {name}' },
  fix: { ja: '対処', en: 'What to do' },
  byField: { ja: '項目ごとに表示', en: 'Show it field by field' },
  lineInstead: { ja: '置き換え後の行', en: 'Line to put in its place' },
  line: { ja: '追加する行', en: 'Line to add' },
  oneLine: { ja: '改行せず、1 行のまま貼り付けてください。', en: 'Paste it on one line, without line breaks.' },
  newParts: { ja: '色付きの部分が、今の値に加わるところです。', en: 'The marked parts are what is new.' },
  current: { ja: '現在の値', en: 'Value now' },
  after: { ja: '（設定する値）', en: '(to set)' },
  currentElsewhere: { ja: '見つかった値', en: 'What was found' },
  visibleAt: {
    ja: '設定は見つかりました。{time} ごろまでに反映されます。',
    en: 'The setting was found. It will be visible everywhere by about {time}.',
  },
  showValue: { ja: '内容を表示', en: 'Show it' },
  copy: { ja: 'コピー', en: 'Copy' },
  copyWhat: { ja: '{what}をコピー', en: 'Copy {what}' },
  copied: { ja: 'コピーしました', en: 'Copied' },
  copyFailed: { ja: '選択しました', en: 'Selected' },
  asText: { ja: 'メールに貼れるテキスト（設定依頼書）', en: 'As text for a mail' },
  print: { ja: '印刷', en: 'Print' },
  privacy: {
    ja: 'このリンクを知っている人だけが見られます。{time} に無効になります。',
    en: 'Only who knows this link can see the page. It ends {time}.',
  },
  language: { ja: '言語', en: 'Language' },
  goneTitle: { ja: 'ページを表示できません', en: 'This page can not be shown' },
  gone: {
    ja: 'リンクの有効期限が切れたか、取り消されたか、アドレスに誤りがあります。リンクを送った方に、新しいリンクを依頼してください。',
    en: 'The link has expired, was revoked, or its address is not complete. Ask whoever sent it for a new one.',
  },
  troubleTitle: { ja: '一時的に表示できません', en: 'Not available at the moment' },
  trouble: { ja: 'しばらくしてから、もう一度開いてください。', en: 'Please open the page again in a while.' },
} as const satisfies Record<string, Bilingual>

export const stateWords: Record<RecordState, Bilingual> = {
  published: { ja: '設定済', en: 'Published' },
  'not-published': { ja: '未設定', en: 'Not published' },
  'dns-error': { ja: 'DNS エラー', en: 'DNS error' },
  unchecked: { ja: '未確認', en: 'Not checked' },
}

/** Why anybody should publish it. */
export const purposeWords: Record<RecordPurpose, Bilingual> = {
  spf: {
    ja: 'このドメインの名前でメールを送ってよいサーバーの一覧です。',
    en: 'The list of servers that may send mail for this domain.',
  },
  dkim: {
    ja: 'メールに付ける電子署名を、受信側が確かめるための公開鍵です。',
    en: 'The public key by which receivers verify the signature of the mail.',
  },
  dmarc: {
    ja: '確認に失敗したメールの扱い方を、受信側に伝えます。',
    en: 'Tells receivers what to do with mail that fails the checks.',
  },
  'return-path': {
    ja: '届かなかったメールの知らせが戻る先です。',
    en: 'Where reports of undelivered mail come back to.',
  },
  'return-path-spf': {
    ja: '届かなかったメールの知らせが戻る先の SPF です。',
    en: 'SPF for the host that reports of undelivered mail come back to.',
  },
  tracking: { ja: 'メール内のリンクに使うホスト名です。', en: 'The host name of links in the mail.' },
}
