/**
 * The DNS providers customers use, recognised by their name servers: where their panel edits records, what it calls its
 * fields, and how it wants a host name and a long value.
 *
 * Plain facts from the providers' public help pages; what is not known for certain is left out, and whoever reads gets
 * the neutral words instead. A new provider is an entry here.
 */
import type { Bilingual } from './reasons.ts'

/** The names of the fields as the panel prints them. */
export interface PanelFields {
  readonly host: Bilingual
  readonly type: Bilingual
  readonly value: Bilingual
  readonly ttl?: Bilingual
  readonly priority?: Bilingual
}

export interface Provider {
  readonly id: string
  readonly name: Bilingual
  /** Matches the name servers it gives its customers. */
  readonly nameServer: RegExp
  /** The way to the record editor. */
  readonly menu?: Bilingual
  readonly fields?: PanelFields
  /** What stands in the host field for the zone itself; the panel appends the zone to every other host. */
  readonly apex?: '@' | ''
  /** `quoted`: each string of up to 255 characters in quotation marks (RFC 1035 §3.3). Absent: the value as it is. */
  readonly text?: 'quoted'
  /** Host names in values are taken relative to the zone unless they end in a dot. */
  readonly dottedTargets?: true
  /** The panel is one text field with a line per record: `{host}` and `{value}` are filled in. */
  readonly line?: { readonly TXT: string; readonly CNAME: string }
  readonly notes?: readonly Bilingual[]
}

/** Panels that exist in one language only. */
const same = (text: string): Bilingual => ({ ja: text, en: text })

const longTextMayBeRefused: Bilingual = {
  ja: 'TXT レコードの値は 255 文字までとされています。DKIM の値が登録できない場合は、依頼元に「CNAME 方式」または「1024 ビットの鍵」をご相談ください。',
  en: 'The value of a TXT record is limited to 255 characters here. If the DKIM value is refused, ask whoever sent you this page for the CNAME form or a 1024-bit key.',
}

export const providers: readonly Provider[] = [
  {
    id: 'onamae',
    name: { ja: 'お名前.com', en: 'Onamae.com' },
    nameServer: /^0[1-4]\.dnsv\.jp$|^dns[12]\.onamae\.com$/,
    menu: same('お名前.com Navi > ネームサーバーの設定 > ドメインのDNS設定 > DNSレコード設定を利用する'),
    fields: {
      host: same('ホスト名'),
      type: same('TYPE'),
      value: same('VALUE'),
      ttl: same('TTL'),
      priority: same('優先'),
    },
    apex: '',
    notes: [
      {
        ja: '入力後は「追加」を押し、続けて「確認画面へ進む」「設定する」まで進めてください。',
        en: 'After filling in, press 追加 (add), then go on to 確認画面へ進む (confirm) and 設定する (apply).',
      },
    ],
  },
  {
    id: 'xserver',
    name: { ja: 'エックスサーバー', en: 'Xserver' },
    nameServer: /^ns[1-5]\.xserver\.jp$/,
    menu: same('サーバーパネル > DNSレコード設定 > DNSレコード追加'),
    fields: { host: same('ホスト名'), type: same('種別'), value: same('内容'), priority: same('優先度') },
    apex: '',
  },
  {
    id: 'shin-server',
    name: { ja: 'シン・レンタルサーバー', en: 'Shin Rental Server' },
    nameServer: /\.shin-server\.jp$/,
    menu: same('サーバーパネル > DNSレコード設定'),
    apex: '',
  },
  {
    id: 'sakura',
    name: { ja: 'さくらインターネット', en: 'SAKURA internet' },
    nameServer: /^ns[12]\.dns\.ne\.jp$/,
    menu: same('会員メニュー > 契約中のドメイン一覧 > ゾーン編集'),
    fields: { host: same('エントリ名'), type: same('タイプ'), value: same('値') },
    apex: '@',
    dottedTargets: true,
    notes: [longTextMayBeRefused],
  },
  {
    id: 'sakura-cloud',
    name: { ja: 'さくらのクラウド DNS', en: 'SAKURA Cloud DNS' },
    nameServer: /\.gslb\d+\.sakura\.ne\.jp$/,
    menu: same('さくらのクラウド コントロールパネル > グローバル > DNS > リソースレコード'),
    fields: { host: same('名前'), type: same('タイプ'), value: same('値'), ttl: same('TTL') },
    apex: '@',
    dottedTargets: true,
  },
  {
    id: 'muumuu',
    name: { ja: 'ムームードメイン（ムームーDNS）', en: 'Muumuu Domain (Muumuu DNS)' },
    nameServer: /^dns0[12]\.muumuu-domain\.com$/,
    menu: same('コントロールパネル > ドメイン操作 > ムームーDNS > 変更 > カスタム設定（設定2）'),
    fields: { host: same('サブドメイン'), type: same('種別'), value: same('内容'), priority: same('優先度') },
    apex: '',
    notes: [
      {
        ja: 'SPF を設定2に登録するときは、設定1でサービスの SPF レコードを「利用しない」にしてください。残っていると SPF が 2 件になります。',
        en: 'When you add SPF under 設定2, set the SPF record of the service under 設定1 to 利用しない (not used), or there will be two.',
      },
    ],
  },
  {
    id: 'lolipop',
    name: { ja: 'ロリポップ！', en: 'Lolipop!' },
    nameServer: /^uns0[12]\.lolipop\.jp$/,
    notes: [
      {
        ja: 'ロリポップ！のネームサーバーでは任意の TXT レコードを追加できない場合があります。その場合は、ムームーDNS などレコードを編集できるネームサーバーへの切り替えが必要です。',
        en: 'The name servers of Lolipop! may not take TXT records of your own. If so, the domain has to move to name servers that do, such as Muumuu DNS.',
      },
    ],
  },
  {
    id: 'heteml',
    name: { ja: 'ヘテムル', en: 'heteml' },
    nameServer: /\.heteml\.jp$/,
    notes: [
      {
        ja: 'ヘテムルのネームサーバーでは SPF レコードを個別に編集できません。ムームーDNS など、レコードを編集できるネームサーバーへの切り替えが必要です。',
        en: 'SPF records can not be edited on the name servers of heteml. The domain has to move to name servers that allow it, such as Muumuu DNS.',
      },
    ],
  },
  {
    id: 'conoha',
    name: { ja: 'ConoHa', en: 'ConoHa' },
    nameServer: /^ns-a[1-3]\.conoha\.io$/,
    menu: same('コントロールパネル > DNS > ドメインを選択 > ＋'),
    fields: {
      host: same('名称'),
      type: same('タイプ'),
      value: same('値'),
      ttl: same('TTL'),
      priority: same('優先度'),
    },
    apex: '@',
  },
  {
    id: 'value-domain',
    name: { ja: 'バリュードメイン', en: 'Value-Domain' },
    nameServer: /^ns\d+\.value-domain\.com$/,
    menu: same('コントロールパネル > ドメイン > ドメインの設定操作 > DNS設定'),
    apex: '@',
    dottedTargets: true,
    line: { TXT: 'txt {host} {value}', CNAME: 'cname {host} {value}' },
    notes: [
      {
        ja: 'DNS 設定は 1 行に 1 レコードのテキストです。既存の行を消さずに、1 行追加してください。',
        en: 'The DNS settings are a text with one record per line: add a line and leave the others as they are.',
      },
    ],
  },
  {
    id: 'star-domain',
    name: { ja: 'スタードメイン', en: 'Star Domain' },
    nameServer: /\.star-domain\.jp$/,
    menu: same('管理画面 > DNSレコード編集'),
  },
  {
    id: 'kagoya',
    name: { ja: 'カゴヤ・ジャパン', en: 'KAGOYA JAPAN' },
    nameServer: /^ns[01]\.kagoya\.net$/,
    menu: same('コントロールパネル > ドメイン > DNSレコードの設定'),
    notes: [
      {
        ja: '設定はネームサーバーに 15 分間隔で反映されます。',
        en: 'Changes reach the name servers every 15 minutes.',
      },
    ],
  },
  { id: 'cpi', name: { ja: 'CPI', en: 'CPI' }, nameServer: /\.cpi\.ad\.jp$/ },
  { id: 'wadax', name: { ja: 'WADAX', en: 'WADAX' }, nameServer: /\.wadax\.ne\.jp$/ },
  {
    id: 'cloudflare',
    name: { ja: 'Cloudflare', en: 'Cloudflare' },
    nameServer: /\.ns\.cloudflare\.com$/,
    menu: {
      ja: 'ダッシュボード > ドメインを選択 > DNS > レコード > レコードを追加',
      en: 'Dashboard > your domain > DNS > Records > Add record',
    },
    fields: {
      host: { ja: '名前', en: 'Name' },
      type: { ja: 'タイプ', en: 'Type' },
      value: { ja: 'コンテンツ', en: 'Content' },
      ttl: same('TTL'),
      priority: { ja: '優先順位', en: 'Priority' },
    },
    apex: '@',
    notes: [
      {
        ja: '長い値は自動で分割されます。CNAME は「DNS のみ」（プロキシ無効）にしてください。',
        en: 'Long values are split for you. Set a CNAME to "DNS only" (proxy off).',
      },
    ],
  },
  {
    id: 'route53',
    name: { ja: 'Amazon Route 53', en: 'Amazon Route 53' },
    nameServer: /^ns-\d+\.awsdns-\d+\.(?:com|net|org|co\.uk)$/,
    menu: {
      ja: 'Route 53 > ホストゾーン > ドメインを選択 > レコードを作成',
      en: 'Route 53 > Hosted zones > your domain > Create record',
    },
    fields: {
      host: { ja: 'レコード名', en: 'Record name' },
      type: { ja: 'レコードタイプ', en: 'Record type' },
      value: { ja: '値', en: 'Value' },
      ttl: { ja: 'TTL (秒)', en: 'TTL (seconds)' },
    },
    apex: '',
    text: 'quoted',
    notes: [
      {
        ja: 'TXT の値は引用符 " で囲み、255 文字を超える場合は区切って登録します。下の値はその形にしてあります。同じ名前に TXT がある場合は、そのレコードに行を追加してください。',
        en: 'TXT values stand in quotation marks, in pieces of at most 255 characters; the value below is written so. If the name has a TXT record already, add a line to that record.',
      },
    ],
  },
  {
    id: 'google-cloud',
    name: { ja: 'Google Cloud DNS', en: 'Google Cloud DNS' },
    nameServer: /^ns-cloud-[a-z]\d\.googledomains\.com$/,
    menu: { ja: 'Cloud DNS > ゾーンを選択 > 標準を追加', en: 'Cloud DNS > your zone > Add standard' },
    fields: {
      host: { ja: 'DNS 名', en: 'DNS name' },
      type: { ja: 'リソース レコードのタイプ', en: 'Resource record type' },
      value: { ja: 'TXT データ', en: 'TXT data' },
      ttl: same('TTL'),
    },
    apex: '',
    text: 'quoted',
    notes: [
      {
        ja: 'ゾーン自体のレコードは DNS 名を空欄にします（@ は使いません）。TXT の値は引用符で囲みます。Squarespace に移管されたドメインも同じネームサーバーを使うことがあります。',
        en: 'For the zone itself leave DNS name empty (no @). TXT values stand in quotation marks. Domains that moved to Squarespace may use the same name servers.',
      },
    ],
  },
  {
    id: 'azure',
    name: { ja: 'Azure DNS', en: 'Azure DNS' },
    nameServer: /^ns\d-\d+\.azure-dns\.(?:com|net|org|info)$/,
    menu: {
      ja: 'DNS ゾーン > ドメインを選択 > レコード セット > 追加',
      en: 'DNS zones > your domain > Record sets > Add',
    },
    fields: {
      host: { ja: '名前', en: 'Name' },
      type: { ja: '種類', en: 'Type' },
      value: { ja: '値', en: 'Value' },
      ttl: same('TTL'),
    },
    apex: '@',
  },
  {
    id: 'godaddy',
    name: { ja: 'GoDaddy', en: 'GoDaddy' },
    nameServer: /^ns\d+\.domaincontrol\.com$/,
    menu: {
      ja: 'ドメインポートフォリオ > ドメインを選択 > DNS > 新しいレコードを追加',
      en: 'Domain Portfolio > your domain > DNS > Add New Record',
    },
    fields: {
      host: { ja: '名前', en: 'Name' },
      type: { ja: 'タイプ', en: 'Type' },
      value: { ja: '値', en: 'Value' },
      ttl: same('TTL'),
    },
    apex: '@',
  },
  {
    id: 'squarespace',
    name: { ja: 'Squarespace', en: 'Squarespace' },
    nameServer: /\.squarespacedns\.com$/,
    menu: same('Domains > your domain > DNS > DNS Settings > Custom records'),
    fields: {
      host: same('Host'),
      type: same('Type'),
      value: same('Data'),
      ttl: same('TTL'),
      priority: same('Priority'),
    },
    apex: '@',
  },
  {
    id: 'wix',
    name: { ja: 'Wix', en: 'Wix' },
    nameServer: /^ns\d+\.wixdns\.net$/,
    menu: same('Domains > your domain > Manage DNS Records > Add Record'),
    fields: { host: same('Host Name'), type: same('Type'), value: same('Value'), ttl: same('TTL') },
    apex: '',
  },
  {
    id: 'namecheap',
    name: { ja: 'Namecheap', en: 'Namecheap' },
    nameServer: /^(?:free)?dns\d\.registrar-servers\.com$/,
    menu: same('Domain List > Manage > Advanced DNS > Add New Record'),
    fields: { host: same('Host'), type: same('Type'), value: same('Value'), ttl: same('TTL') },
    apex: '@',
  },
]

/** Null for one not known here, and while a domain moves from one provider to another. */
export function providerOf(nameServers: readonly string[]): Provider | null {
  const found = providers.filter(provider => nameServers.some(host => provider.nameServer.test(host)))
  return found.length === 1 ? found[0]! : null
}
