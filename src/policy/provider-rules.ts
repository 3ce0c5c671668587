/**
 * The limits Kitte ships for large mail providers, and why each number is what it is. Data only.
 *
 * Nearly no provider publishes what it takes from one address, and none promises it. So each number says whether it is
 * the provider's own (`published`, with the place) or a cautious practice of ours (`practice`): one that lets a CRM's mail
 * through in minutes and that we would not be ashamed of in the provider's log. What a provider really takes is found
 * out by its answers (`delivery/site-limits.ts`); these are where that begins, and what it never exceeds. A rule under
 * `sites` in the configuration wins over any of these.
 */

export interface Reasoned<T> {
  readonly value: T
  readonly basis: 'published' | 'practice'
  /** Where it is published. */
  readonly source?: string
  readonly ja: string
  readonly en: string
}

export interface ProviderRule {
  readonly name: string
  /** Of MX host names, whole labels. */
  readonly suffixes: readonly string[]
  readonly connections: Reasoned<number>
  readonly messagesPerConnection: Reasoned<number>
  /** Recipients a minute; null: no limit of ours. */
  readonly perMinute: Reasoned<number | null>
}

type Words = readonly [ja: string, en: string]

function practice<T>(value: T, [ja, en]: Words): Reasoned<T> {
  return { value, basis: 'practice', ja, en }
}

function published<T>(value: T, source: string, [ja, en]: Words): Reasoned<T> {
  return { value, basis: 'published', source, ja, en }
}

// ── Sentences that several providers share ──────────────────────────────────────────────────────────────────────────

const few: Words = [
  '接続数の上限は公表されていません。少ない接続で順に送るほうが受け入れられやすいための控えめな値です。',
  'No number is published; a cautious one, because few connections that stay busy are welcome where many are not.',
]
const usual: Words = [
  '接続数の上限は公表されていません。一般の宛先と同じか、それより控えめな値です。',
  'No number is published; as for any other receiver, or below.',
]
const carrierMessages: Words = [
  '1接続あたりの通数は公表されていません。長時間の接続の占有を避けるための値です。',
  'No number is published; a connection is given back soon, because long ones are unwelcome.',
]
const messages: Words = [
  '1接続あたりの通数は公表されていません。相手側の負荷分散を妨げない程度で接続を改めます。',
  "No number is published; connections are renewed often enough not to stand in the way of the receiver's load balancing.",
]
const carrierRate: Words = [
  '流量の上限は公表されていません。携帯電話事業者は短時間の大量送信を一時的に遮断するため、毎秒2通に抑えます。',
  'No rate is published; mobile carriers block bursts for a while, so it is two a second.',
]
const ispRate: Words = [
  '流量の上限は公表されていません。プロバイダーの一般的な規模に合わせ、毎秒5通に抑えます。',
  'No rate is published; five a second suits the size of an access provider.',
]
const providerRate: Words = [
  '流量の上限は公表されておらず、送信元の評価で変わります。毎秒10通から始め、応答に応じて下げます。',
  'No rate is published and it depends on reputation; ten a second, and less as soon as the answers ask for it.',
]
const gatewayRate: Words = [
  '多くの企業が共用する受信ゲートウェイです。流量の上限は公表されていないため、毎秒10通に抑えます。',
  'A gateway that many companies share; no rate is published, so it is ten a second over all of them.',
]
const gatewayConnections: Words = [
  '多くの企業が共用し、送信元IPアドレスごとに数えられます。接続数の上限は公表されていないため、全体で控えめにします。',
  'Shared by many companies and counted by source address; no number is published, so it is modest over all of them.',
]

const accessProvider = (name: string, ...suffixes: string[]): ProviderRule => ({
  name,
  suffixes,
  connections: practice(5, few),
  messagesPerConnection: practice(50, messages),
  perMinute: practice(300, ispRate),
})

const gateway = (name: string, ...suffixes: string[]): ProviderRule => ({
  name,
  suffixes,
  connections: practice(20, gatewayConnections),
  messagesPerConnection: practice(50, messages),
  perMinute: practice(600, gatewayRate),
})

// ── The rules ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const providerRules: readonly ProviderRule[] = [
  {
    name: 'gmail',
    suffixes: ['google.com', 'googlemail.com'],
    connections: practice(20, [
      'Googleは接続数の上限を公表していません。個人用GmailとGoogle Workspaceを合わせた値です。',
      'Google publishes no number; this is for Gmail and all of Google Workspace together.',
    ]),
    messagesPerConnection: practice(100, messages),
    perMinute: practice(1200, [
      'Googleは流量の上限を公表していません（1日5,000通以上の送信者向け要件のみ）。毎秒20通から始め、421 4.7.28などの応答に応じて下げます。',
      'Google publishes no rate, only rules for senders of 5,000 a day; twenty a second, and less as soon as it says 421 4.7.28.',
    ]),
  },
  {
    name: 'microsoft',
    suffixes: ['outlook.com', 'hotmail.com', 'mx.microsoft'],
    connections: practice(20, [
      'Outlook.comの送信者向けポリシーは同時500接続を超えないことを求めています。実際には評価によりはるかに少ない数で断られるため、全テナント合計で控えめにします。',
      "Outlook.com's policies ask for no more than 500 at once; it refuses far fewer by reputation, so it is modest, over all tenants together.",
    ]),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(600, [
      '流量の上限は公表されておらず、超えると451 4.7.500や4.7.650で断られます。送信元IPアドレスごとに数えられるため、全テナント合計で毎秒10通とします。',
      'No rate is published; too much is answered 451 4.7.500 or 4.7.650 by source address, so it is ten a second over all tenants together.',
    ]),
  },
  {
    name: 'yahoo',
    suffixes: ['yahoodns.net'],
    connections: practice(10, [
      '同時接続は認められていますが数は公表されていません。多用する送信元は後回しにされると明記されています。',
      'Concurrent connections are allowed, without a number; Yahoo says that it puts those behind who take many.',
    ]),
    messagesPerConnection: published(20, 'https://help.yahoo.com/kb/SLN3433.html', [
      '1接続あたり20通までと公表されています。',
      'Yahoo accepts a maximum of 20 messages per connection.',
    ]),
    perMinute: practice(600, providerRate),
  },
  {
    name: 'yahoo-japan',
    suffixes: ['yahoo.co.jp'],
    connections: practice(5, few),
    messagesPerConnection: practice(20, carrierMessages),
    perMinute: practice(300, [
      '流量の上限は公表されていません。Yahoo!メールは短時間の大量送信を一時的に拒否するため、毎秒5通に抑えます。',
      'No rate is published; Yahoo!メール turns bursts away for a while, so it is five a second.',
    ]),
  },
  {
    name: 'docomo',
    suffixes: ['docomo.ne.jp', 'spmode.ne.jp'],
    connections: practice(4, [
      'NTTドコモは「適正なSMTPセッション数」を求めていますが、数は公表していません。',
      'NTT docomo asks for an adequate number of SMTP sessions and publishes none.',
    ]),
    messagesPerConnection: practice(50, [
      '1セッションの宛先は100件までと案内されています。その半分にとどめます。',
      'NTT docomo takes up to 100 recipients in a session; this stays at half of it.',
    ]),
    perMinute: practice(120, carrierRate),
  },
  {
    name: 'au',
    suffixes: ['au.com', 'ezweb.ne.jp'],
    connections: practice(4, [
      'KDDIは、同時に多数のSMTPセッションを張ることや長時間の占有を禁止行為に挙げ、しきい値は公表できないとしています。',
      'KDDI counts many sessions at once, or long ones, as abuse and states that it can publish no threshold.',
    ]),
    messagesPerConnection: practice(20, carrierMessages),
    perMinute: practice(120, carrierRate),
  },
  {
    name: 'softbank',
    suffixes: ['softbank.ne.jp', 'softbank.jp', 'vodafone.ne.jp', 'ymobile.ne.jp', 'ymobile1.ne.jp'],
    connections: practice(4, few),
    messagesPerConnection: practice(20, carrierMessages),
    perMinute: practice(120, [
      'ソフトバンクは時間をかけて送信するよう求めていますが、流量は公表していません。毎秒2通に抑えます。',
      'SoftBank asks to take time and publishes no rate, so it is two a second.',
    ]),
  },
  {
    name: 'rakuten-mobile',
    suffixes: ['rakumail.jp'],
    connections: practice(4, few),
    messagesPerConnection: practice(20, carrierMessages),
    perMinute: practice(120, carrierRate),
  },
  {
    name: 'icloud',
    suffixes: ['mail.icloud.com'],
    connections: practice(10, [
      'Appleは接続数などの数値を一切公表していません。',
      'Apple publishes rules for senders, and no numbers at all.',
    ]),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(300, [
      'Appleは流量を公表していません。評価の低い送信元は早く断られるため、毎秒5通に抑えます。',
      'Apple publishes no rate and is quick to defer those it does not know, so it is five a second.',
    ]),
  },
  accessProvider('biglobe', 'biglobe.ne.jp'),
  accessProvider('ocn', 'ocn.ne.jp', 'ocn.ad.jp'),
  accessProvider('nifty', 'nifty.com', 'nifty.ne.jp'),
  accessProvider('so-net', 'so-net.ne.jp'),
  accessProvider('plala', 'plala.or.jp'),
  accessProvider('t-online', 't-online.de'),
  accessProvider('free', 'free.fr'),
  {
    name: 'orange',
    suffixes: ['orange.fr', 'wanadoo.fr'],
    connections: practice(2, [
      '接続数の上限は公表されていませんが、3本目から断られる例が広く知られています。',
      'No number is published; a third connection is widely known to be refused.',
    ]),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(120, [
      '流量の上限は公表されていません。「Too many connections, slow down」と断られることが多いため、毎秒2通に抑えます。',
      'No rate is published; two a second, as it often says "Too many connections, slow down".',
    ]),
  },
  {
    name: 'gmx',
    suffixes: ['gmx.net', 'gmx.com', 'web.de', 'mail.com'],
    connections: practice(10, usual),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(600, providerRate),
  },
  {
    name: 'comcast',
    suffixes: ['comcast.net'],
    connections: published(20, 'https://postmaster.comcast.net/', [
      '送信元IPアドレスごとに同時25接続までと公表されています。少し余裕を残します。',
      'Comcast allows 25 connections at once from one address; a little is left.',
    ]),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(300, ispRate),
  },
  {
    name: 'mail-ru',
    suffixes: ['mail.ru'],
    connections: practice(10, usual),
    messagesPerConnection: practice(50, messages),
    perMinute: practice(300, ispRate),
  },
  gateway('proofpoint', 'pphosted.com', 'ppe-hosted.com'),
  gateway('mimecast', 'mimecast.com'),
  gateway('barracuda', 'barracudanetworks.com'),
  gateway('cisco', 'iphmx.com'),
  gateway('broadcom', 'messagelabs.com'),
  gateway('trend-micro', 'trendmicro.com', 'trendmicro.eu'),
]
