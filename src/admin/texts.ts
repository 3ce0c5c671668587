/**
 * What the API says to people, in Japanese and English: kinds of problems, and how to mend each kind of field.
 */
export interface Bilingual {
  readonly ja: string
  readonly en: string
}

export interface ProblemKind {
  readonly status: number
  readonly title: Bilingual
  /** What it means and what to do, for the page at the problem's type. */
  readonly meaning: Bilingual
}

/** The last part of a problem's `type`, `/problems/<kind>`. */
export const problemKinds = {
  'not-json': {
    status: 400,
    title: { ja: 'リクエスト本文がJSONではありません', en: 'The request body is not JSON' },
    meaning: { ja: '本文をJSONオブジェクトにしてください。', en: 'Send one JSON object, in UTF-8.' },
  },
  'bad-request': {
    status: 400,
    title: { ja: 'リクエストを読み取れません', en: 'The request can not be read' },
    meaning: {
      ja: 'URL、クエリ、ヘッダーのいずれかに誤りがあります。errorsをご確認ください。',
      en: 'Something in the address, the query or the headers is wrong; errors names it.',
    },
  },
  unauthorized: {
    status: 401,
    title: { ja: '管理トークンが必要です', en: 'An admin token is needed' },
    meaning: {
      ja: 'ヘッダーに「Authorization: Bearer 管理トークン」を付けてください。トークンはKITTE_ADMIN_TOKENの値か、初回起動時に表示されたものです。',
      en: 'Send "Authorization: Bearer TOKEN": the value of KITTE_ADMIN_TOKEN, or the token printed at the first start and kept in dataDir/admin-token.',
    },
  },
  'not-found': {
    status: 404,
    title: { ja: '見つかりません', en: 'There is no such thing' },
    meaning: {
      ja: '指定されたものは存在しないか、削除されています。',
      en: 'What the address names does not exist, or was deleted.',
    },
  },
  'no-such-path': {
    status: 404,
    title: { ja: 'このパスはありません', en: 'There is no such path' },
    meaning: { ja: '/openapi.jsonにすべてのパスがあります。', en: 'All paths are listed in /openapi.json.' },
  },
  'method-not-allowed': {
    status: 405,
    title: { ja: 'このメソッドは使えません', en: 'This method is not allowed here' },
    meaning: { ja: 'Allowヘッダーにあるメソッドを使ってください。', en: 'Use one of the methods in the Allow header.' },
  },
  conflict: {
    status: 409,
    title: { ja: 'すでに登録されているか、使用中です', en: 'It exists already, or is in use' },
    meaning: {
      ja: 'holderは現在の登録先アカウントのIDです。',
      en: 'holder is the id of the account that has it.',
    },
  },
  'key-in-use': {
    status: 409,
    title: {
      ja: '同じIdempotency-Keyのリクエストを処理中です',
      en: 'A request with this Idempotency-Key is under way',
    },
    meaning: {
      ja: 'Retry-Afterの秒数だけ待ってから、同じリクエストをもう一度送信してください。',
      en: 'Wait as many seconds as Retry-After says, then send the same request again.',
    },
  },
  'too-large': {
    status: 413,
    title: { ja: 'リクエスト本文が大きすぎます', en: 'The request body is too large' },
    meaning: {
      ja: '上限は設定のhttp.maxBodyBytesです。分割して送信してください。',
      en: 'The bound is http.maxBodyBytes in the configuration; send it in parts.',
    },
  },
  'unsupported-media-type': {
    status: 415,
    title: { ja: 'この形式の本文は受け付けません', en: 'Bodies of this type are not taken' },
    meaning: {
      ja: '「Content-Type: application/json」（UTF-8）で送信してください。',
      en: 'Send "Content-Type: application/json" in UTF-8.',
    },
  },
  invalid: {
    status: 422,
    title: { ja: '入力内容に誤りがあります', en: 'Some fields need to be mended' },
    meaning: {
      ja: 'errorsに、項目ごとの直し方があります。',
      en: 'errors names each field and how to mend it.',
    },
  },
  'key-reused': {
    status: 422,
    title: {
      ja: 'このIdempotency-Keyは別のリクエストで使用済みです',
      en: 'This Idempotency-Key was used for another request',
    },
    meaning: {
      ja: 'リクエストごとに新しいキーを付けてください。再送のときだけ、同じ内容に同じキーを付けます。',
      en: 'Give each request a key of its own; only the same request sent again has the same key.',
    },
  },
  'domain-invalid': {
    status: 422,
    title: { ja: 'このドメインには実行できません', en: 'This can not be done with this domain' },
    meaning: { ja: '理由はdetailをご確認ください。', en: 'detail says why.' },
  },
  'smtp-test-failed': {
    status: 422,
    title: { ja: 'SMTPサーバーの設定のテストに失敗しました', en: 'The test of the SMTP server failed' },
    meaning: {
      ja: '何も保存していません。findingとdetailをご確認ください。「test: "report"」を指定すると、テストの結果にかかわらず保存します。',
      en: 'Nothing was saved; finding and detail say what failed. With test: "report" the settings are saved whatever comes of the test.',
    },
  },
  'too-many-tests': {
    status: 429,
    title: { ja: 'SMTPサーバーの設定のテストが続いています', en: 'Too many tests of SMTP servers' },
    meaning: {
      ja: 'Retry-Afterの秒数だけ待つか、「test: "skip"」を指定して保存してください。上限は設定のownSmtp.testsPerHourです。',
      en: 'Wait as many seconds as Retry-After says, or save with test: "skip". The bound is ownSmtp.testsPerHour in the configuration.',
    },
  },
  'too-many-failures': {
    status: 429,
    title: { ja: '誤った管理トークンが続いています', en: 'Too many wrong admin tokens' },
    meaning: {
      ja: 'Retry-Afterの秒数だけ待ってから、正しいトークンで送信してください。',
      en: 'Wait as many seconds as Retry-After says, then send the right token.',
    },
  },
  internal: {
    status: 500,
    title: { ja: 'Kitteの内部エラーです', en: 'Kitte ran into an error of its own' },
    meaning: {
      ja: 'ログの同じ時刻に詳細があります。',
      en: 'The log has the details at the same time.',
    },
  },
  'store-unavailable': {
    status: 503,
    title: { ja: '現在データを保存できません', en: 'The store can not be written now' },
    meaning: {
      ja: 'ディスクの空き容量をご確認ください。空きができれば自動的に再開します。',
      en: 'See whether the disk is full; Kitte goes on by itself when writing works again.',
    },
  },
} as const satisfies Record<string, ProblemKind>

export type ProblemName = keyof typeof problemKinds

/** How to mend a field: zod schemas carry these names in place of messages. */
export const mends = {
  object: { ja: 'JSONオブジェクトにしてください', en: 'write a JSON object' },
  text: { ja: '文字列にしてください', en: 'write a text' },
  name: { ja: '1〜200文字の名称にしてください', en: 'write a name of 1 to 200 characters' },
  note: { ja: '1000文字以内にしてください', en: 'write at most 1000 characters' },
  site: {
    ja: 'by.siteに表示されるサイトにしてください（例: mx1.example.com,mx2.example.com）',
    en: 'write a site as by.site shows it, such as mx1.example.com,mx2.example.com, or none',
  },
  reason: { ja: '1〜500文字の理由を書いてください', en: 'write a reason of 1 to 500 characters' },
  mailbox: {
    ja: 'sales@example.jpのようなメールアドレスにしてください',
    en: 'write a mail address such as sales@example.jp',
  },
  domain: { ja: 'example.jpのようなドメイン名にしてください', en: 'write a domain name such as example.jp' },
  account: { ja: 'アカウントのIDにしてください', en: 'write the id of an account' },
  'no-account': { ja: 'このIDのアカウントはありません', en: 'there is no account with this id' },
  'account-or-scope': {
    ja: 'account（アカウントのID）か scope: "all" のどちらか一方を指定してください',
    en: 'give either account (the id of one) or scope: "all"',
  },
  scope: {
    ja: '"all"、またはaccountとともに"account"を指定してください',
    en: 'write "all", or "account" beside account',
  },
  username: {
    ja: '英数字と . _ @ + - で1〜64文字のユーザー名にしてください',
    en: 'write a username of 1 to 64 letters, digits and . _ @ + -',
  },
  password: { ja: '1〜500文字のパスワードにしてください', en: 'write a password of 1 to 500 characters' },
  'smtp-username': { ja: '1〜500文字のユーザー名にしてください', en: 'write a username of 1 to 500 characters' },
  host: {
    ja: 'smtp.example.jpのようなホスト名か、IPアドレスにしてください',
    en: 'write a host name such as smtp.example.jp, or an IP address',
  },
  'idempotency-key': {
    ja: '1〜200文字のASCII文字（UUIDなど）を一つだけ指定してください',
    en: 'write one key of 1 to 200 visible ASCII characters, such as a UUID',
  },
  'too-deep': {
    ja: '入れ子を50段以内にしてください',
    en: 'nest no more than 50 levels',
  },
  port: { ja: '1〜65535のポート番号にしてください', en: 'write a port from 1 to 65535' },
  'smtp-port': {
    ja: '設定のownSmtp.portsにあるポート（変更していなければ25・465・587・2525）にしてください',
    en: 'write one of the ports in ownSmtp.ports of the configuration (25, 465, 587 and 2525 unless changed)',
  },
  'smtp-test': {
    ja: '"report"、"require"、"skip"のいずれかにしてください',
    en: 'write "report", "require" or "skip"',
  },
  'smtp-tls': {
    ja: '"required"か"opportunistic"にしてください',
    en: 'write "required" or "opportunistic"',
  },
  limit: {
    ja: '1以上の整数にしてください（nullで無制限）',
    en: 'write a whole number of at least 1, or null for no limit',
  },
  tls: {
    ja: '"opportunistic"、"required"、"verified"のいずれかにしてください',
    en: 'write "opportunistic", "required" or "verified"',
  },
  pool: {
    ja: '設定ファイルのpoolsにある名称にしてください(nullで指定なし)',
    en: 'write the name of one of the pools in the configuration, or null',
  },
  source: {
    ja: '設定ファイルにある送信元IPアドレスにしてください',
    en: 'write a source address of the configuration, of delivery or of a pool',
  },
  'start-day': {
    ja: '本日以降の日付を2026-01-15のように書いてください',
    en: 'write a day such as 2026-01-15, not before today',
  },
  caps: { ja: '1以上の整数を1〜366個並べてください', en: 'write 1 to 366 whole numbers of at least 1' },
  'warm-up-of': { ja: 'domainかsourceのどちらか一方を指定してください', en: 'give either domain or source' },
  'warm-up-plan': {
    ja: '設定ファイルのwarmUp.plansにある名称にしてください',
    en: 'write the name of one of warmUp.plans in the configuration',
  },
  'warm-up-kind': { ja: '"domain"か"source"にしてください', en: 'write "domain" or "source"' },
  'warm-up-state': { ja: '"paused"か"running"にしてください', en: 'write "paused" or "running"' },
  unaligned: { ja: '"send"、"warn"、"refuse"のいずれかにしてください', en: 'write "send", "warn" or "refuse"' },
  selector: {
    ja: '英数字とハイフンで63文字以内のセレクタにしてください',
    en: 'write a selector of at most 63 letters, digits and hyphens',
  },
  bits: { ja: '1024か2048にしてください', en: 'write 1024 or 2048' },
  bulk: { ja: '1〜1000件のドメインの配列にしてください', en: 'write a list of 1 to 1000 domains' },
  names: { ja: '1〜1000件のドメイン名の配列にしてください', en: 'write a list of 1 to 1000 domain names' },
  'names-or-filter': {
    ja: 'names、filter、all: true のいずれか一つを指定してください',
    en: 'give one of names, filter and all: true',
  },
  algorithm: { ja: '"rsa"か"ed25519"にしてください', en: 'write "rsa" or "ed25519"' },
  'dkim-form': { ja: '"txt"か"cname"にしてください', en: 'write "txt" or "cname"' },
  lang: { ja: '"ja"か"en"にしてください', en: 'write "ja" or "en"' },
  'share-life': {
    ja: '30m、12h、14dのような期間にしてください（最長366d）',
    en: 'write a duration such as 30m, 12h or 14d, at most 366d',
  },
  'yes-no': { ja: 'trueかfalseにしてください', en: 'write true or false' },
  page: { ja: '1〜1000の整数にしてください', en: 'write a whole number from 1 to 1000' },
  cursor: { ja: '前のページのnextの値にしてください', en: 'write the value of next from the previous page' },
  after: { ja: '0以上の整数（イベントのseq）にしてください', en: 'write the seq of an event, or 0' },
  time: {
    ja: '2026-01-15T03:00:00Zのような日時にしてください',
    en: 'write a time such as 2026-01-15T03:00:00Z',
  },
  'message-state': {
    ja: '"queued"、"delivered"、"bounced"、"cancelled"のいずれかにしてください',
    en: 'write "queued", "delivered", "bounced" or "cancelled"',
  },
  'finish-by': {
    ja: '"site"、"domain"、"account"、"senderDomain"のいずれかにしてください',
    en: 'write "site", "domain", "account" or "senderDomain"',
  },
  'queue-state': {
    ja: '"due"、"waiting"、"leased"、"held"のいずれかにしてください',
    en: 'write "due", "waiting", "leased" or "held"',
  },
  'credential-change': {
    ja: 'limitsかpriorityを指定してください',
    en: 'give limits or priority',
  },
  priority: {
    ja: '"transactional"、"normal"、"bulk"のいずれかにしてください',
    en: 'write "transactional", "normal" or "bulk"',
  },
  'send-at-late': {
    ja: '先の日時すぎます。設定のsubmission.maxFutureReleaseまでの日時にしてください',
    en: 'write an earlier time: submission.maxFutureRelease in the configuration says how far ahead mail may be scheduled',
  },
  'event-type': {
    ja: '/openapi.jsonにあるイベントの種類にしてください',
    en: 'write one of the event types in /openapi.json',
  },
  day: {
    ja: '2026-01-15 のように、UTCの年月日を書いてください',
    en: 'write a day such as 2026-01-15, in UTC',
  },
  'webhook-url': {
    ja: 'ユーザー名・パスワードと#以降を含まない、2000文字以内のhttpかhttpsのURLにしてください',
    en: 'write an http or https address of at most 2000 characters, without username, password and #fragment',
  },
  'webhook-types': {
    ja: 'message.bounced、domain.*、* のような、イベントの種類か接頭辞を1〜50個並べてください',
    en: 'write 1 to 50 event types or prefixes, such as message.bounced, domain.* or *',
  },
  'webhook-state': { ja: '"enabled"か"paused"にしてください', en: 'write "enabled" or "paused"' },
  batch: { ja: '1〜500の整数にしてください', en: 'write a whole number from 1 to 500' },
  replay: {
    ja: 'from（最初に送るイベントのseq、1以上）かsince（日時）のどちらか一方を指定してください',
    en: 'give either from (the seq of the first event to send, at least 1) or since (a time)',
  },
  'replay-beyond': {
    ja: 'まだ起きていないイベントのseqです。大きくても最新のseq（GET /v1/webhooks/{id} の cursor と lag の和）の次までにしてください',
    en: 'no event has got so far: write at most the newest seq plus one; the newest is cursor plus lag in GET /v1/webhooks/{id}',
  },
  class: { ja: '/openapi.jsonにある分類にしてください', en: 'write one of the classes in /openapi.json' },
  'smtp-reply': {
    ja: '「550 5.1.1 User unknown」のようなSMTPの応答にしてください（複数行は改行で区切り、最終行以外はコードの直後を「-」にします）',
    en: 'write an SMTP reply such as 550 5.1.1 User unknown; of several lines all but the last have a hyphen after the code',
  },
  phase: {
    ja: 'banner、ehlo、mail、rcpt、data、dotなど、応答を受けた段階にしてください',
    en: 'write what it answers: banner, ehlo, mail, rcpt, data, dot …',
  },
  route: { ja: 'mxかown-smtpにしてください', en: 'write mx or own-smtp' },
  'suppression-reason': {
    ja: 'hard-bounce、complaint、unsubscribed、manualのいずれかにしてください',
    en: 'write hard-bounce, complaint, unsubscribed or manual',
  },
  'suppression-scope': {
    ja: '全アカウント共通のものだけを対象にするときは"all"にしてください（省略時はすべて）',
    en: 'write "all" for those of all accounts, or leave it out',
  },
  'suppression-text': {
    ja: '応答の一部を1〜200文字で書いてください',
    en: 'write a part of the reply, 1 to 200 characters',
  },
  'suppression-over': {
    ja: '未来の日時にするか、無期限であれば省略してください',
    en: 'write a time that is still to come, or leave it out',
  },
  suppressions: {
    ja: '{"address": "a@example.jp"} を1〜5000件並べてください',
    en: 'write a list of 1 to 5000 entries such as {"address": "a@example.jp"}',
  },
  'suspension-filter': {
    ja: 'account、senderDomain、domain、site、classのいずれか一つ以上を指定してください',
    en: 'give at least one of account, senderDomain, domain, site and class',
  },
  future: { ja: '現在より後の日時にしてください', en: 'write a time that is not past' },
  'detour-host': {
    ja: '1〜10個のホスト名またはIPアドレスを、必要なら :ポート番号 を付けて指定してください (例: relay.example.jp:587)',
    en: 'give 1 to 10 hosts, each a name or an address, with :port where it is another: relay.example.jp:587',
  },
  'detour-domain': {
    ja: 'このドメインの経路はすでにあります。先に kitte route remove で削除してください',
    en: 'there is a route for it already: remove that one first (kitte route remove)',
  },
  'filter-or-all': {
    ja: 'filterで対象を絞るか、本当にすべてであれば all: true を指定してください',
    en: 'narrow it with filter, or give all: true if really everything is meant',
  },
  'nothing-to-change': { ja: '変更する項目を一つ以上指定してください', en: 'give at least one field to change' },
  'limits-of': {
    ja: 'account、domain、credentialのいずれか一つ以上を指定してください',
    en: 'give at least one of account, domain and credential',
  },
} as const satisfies Record<string, Bilingual>

export type MendName = keyof typeof mends
