/**
 * Every reason a record is 設定済 or 未設定, with its sentence and the fix in Japanese and English.
 *
 * The only place with these texts. `{name}`, `{type}`, `{value}`, `{record}` and the check's details are filled in; a new reason
 * is an entry here and the branch in `records/` that finds it.
 */

export interface Bilingual {
  readonly ja: string
  readonly en: string
}

export interface Reason {
  /** `advice`: nothing is wrong for Kitte. `unknown`: nobody could say. */
  readonly severity: 'ok' | 'advice' | 'problem' | 'unknown'
  readonly message: Bilingual
  readonly fix: Bilingual
}

const nothingToDo: Bilingual = { ja: '対応は不要です。', en: 'Nothing needs to be done.' }
const replaceValue: Bilingual = {
  ja: '{name} の TXT レコードの値を次に置き換えてください: {value}',
  en: 'Replace the value of the TXT record at {name} by: {value}',
}

const askForReverseName: Bilingual = {
  ja: 'IP アドレス {ip} の提供元に、逆引き(PTR)を {value} に設定するよう依頼してください。',
  en: 'Ask whoever gave you the address {ip} to set its reverse name (PTR) to {value}.',
}

const replaceTarget: Bilingual = {
  ja: '{name} の CNAME の値を次に置き換えてください: {value}',
  en: 'Replace the value of the CNAME at {name} by: {value}',
}
const publishZone: Bilingual = {
  ja: 'リレーの運用者は、"kitte relay zone" の内容をリレーのゾーンに反映してください。',
  en: 'The operator of the relay publishes what "kitte relay zone" prints in the zone of the relay.',
}

function problem(message: Bilingual, fix: Bilingual = replaceValue): Reason {
  return { severity: 'problem', message, fix }
}

export const reasons = {
  ok: {
    severity: 'ok',
    message: { ja: '{record} レコードは設定済です。', en: 'The {record} record is published.' },
    fix: nothingToDo,
  },
  unchecked: {
    severity: 'unknown',
    message: { ja: '{record} レコードはまだ確認していません。', en: 'The {record} record has not been checked yet.' },
    fix: {
      ja: '{name} に次の {type} レコードを追加してください: {value}',
      en: 'Add this {type} record at {name}: {value}',
    },
  },
  'dns-error': {
    severity: 'unknown',
    message: {
      ja: 'DNS に問い合わせできず、{record} レコードを確認できませんでした({trouble})。',
      en: 'DNS could not be asked, so the {record} record could not be checked ({trouble}).',
    },
    fix: {
      ja: 'しばらくしてから再確認してください(送信元ドメインは自動でも再確認します)。続く場合は、ドメインのネームサーバーが応答しているか確認してください。',
      en: "Check again later (sender domains are checked again by themselves). If this goes on, see whether the domain's name servers answer.",
    },
  },
  absent: problem(
    { ja: '未設定: {name} に {record} レコードがありません。', en: 'There is no {record} record at {name}.' },
    { ja: '{name} に次の {type} レコードを追加してください: {value}', en: 'Add this {type} record at {name}: {value}' },
  ),
  'no-domain': problem(
    { ja: '未設定: ドメイン {domain} が DNS に存在しません。', en: 'The domain {domain} does not exist in DNS.' },
    {
      ja: 'ドメイン名の綴りと登録の有効期限を確認し、{name} に次の TXT レコードを追加してください: {value}',
      en: 'Check the spelling and the registration of the domain, then add this TXT record at {name}: {value}',
    },
  ),
  'two-records': problem(
    {
      ja: '未設定: {name} に {record} レコードが {count} 件あります。1 件でなければ無効です。',
      en: 'There are {count} {record} records at {name}; with more than one, none counts.',
    },
    {
      ja: '{name} の {record} レコードをすべて削除し、次の 1 件だけにしてください: {value}',
      en: 'Delete all {record} records at {name} and publish this single one: {value}',
    },
  ),
  syntax: problem({
    ja: '未設定: {record} レコードの書式に誤りがあります({problem})。',
    en: 'The {record} record can not be read: {problem}',
  }),
  'mechanism-missing': problem({
    ja: '未設定: SPF レコードに {missing} が含まれていません。',
    en: 'The SPF record does not contain {missing}.',
  }),
  'ip-not-covered': problem({
    ja: '未設定: 送信元 IP アドレス {ip} が SPF で許可されません(結果: {result})。',
    en: 'The sending address {ip} does not pass SPF (result: {result}).',
  }),
  'hard-fail': problem({
    ja: '未設定: SPF レコードは有効ですが、末尾が -all です。-all では転送されたメールが受信拒否されるため、~all を推奨します。',
    en: 'The SPF record is published and effective, but ends in -all: receivers then reject forwarded mail. ~all delivers better.',
  }),
  'pass-all': problem({
    ja: '未設定: SPF レコードの末尾が +all のため、誰でもこのドメインを名乗って送信できます。',
    en: 'The SPF record ends in +all, which lets anybody send in the name of this domain.',
  }),
  'too-many-lookups': problem(
    {
      ja: '未設定: SPF レコードの DNS 参照は現在 {lookups} 回、必要な値を加えると {merged} 回になり、上限の {limit} 回を超えます。受信側では SPF エラー(permerror)になります。',
      en: 'The SPF record takes {lookups} DNS lookups, {merged} with what is needed; the limit is {limit}, and beyond it receivers answer permerror.',
    },
    {
      ja: '使っていないものを削除するか、include、a、mx をその送信元の ip4:、ip6: に置き換えて、合計 {limit} 回以内に減らしてください(参照回数: {costs})。減らしたうえで次を all の前に追加します: {needed}',
      en: 'Remove what is no longer in use, or replace include, a and mx by the ip4: and ip6: of those senders, until at most {limit} lookups remain (lookups each: {costs}). Then add this before all: {needed}',
    },
  ),
  'void-lookups': problem({
    ja: '未設定: SPF レコードが存在しない名前を 3 回以上参照しています({voids})。受信側では SPF エラー(permerror)になります。',
    en: 'The SPF record refers to more than two names that do not exist ({voids}); receivers answer permerror.',
  }),
  'include-broken': problem({
    ja: '未設定: SPF レコードが参照する {include} に、有効な SPF レコードが 1 件だけある状態ではありません。受信側では SPF エラー(permerror)になります。',
    en: 'The SPF record includes {include}, which does not have exactly one SPF record; receivers answer permerror.',
  }),
  'include-loop': problem({
    ja: '未設定: SPF レコードの参照が循環しています({loop} が自分自身に戻ります)。受信側では SPF エラー(permerror)になります。',
    en: 'The SPF record goes in a circle: {loop} leads back to itself; receivers answer permerror.',
  }),
  'key-differs': problem({
    ja: '未設定: {name} に別の DKIM 公開鍵が登録されています。',
    en: 'Another DKIM key is published at {name}.',
  }),
  'old-key': problem({
    ja: '未設定: {name} に、以前発行した鍵({selector})の値が登録されています。',
    en: 'The value of an older key ({selector}) is published at {name}.',
  }),
  'old-selector': problem(
    {
      ja: '未設定: 以前のセレクタ {selector} のレコードはありますが、現在の {name} がありません。',
      en: 'The record of the older selector {selector} is published, but not the current one at {name}.',
    },
    { ja: '{name} に次の TXT レコードを追加してください: {value}', en: 'Add this TXT record at {name}: {value}' },
  ),
  truncated: problem({
    ja: '未設定: 公開鍵が途中で切れています({full} 文字中 {length} 文字)。',
    en: 'The key is cut off: {length} of {full} characters.',
  }),
  revoked: problem({
    ja: '未設定: DKIM レコードの p= が空のため、鍵は失効しています。',
    en: 'The p= of the DKIM record is empty: the key is revoked.',
  }),
  'several-keys': problem(
    {
      ja: '未設定: {name} に TXT レコードが {count} 件あります。1 件でなければ検証に失敗することがあります。',
      en: 'There are {count} TXT records at {name}; with more than one, verification may fail.',
    },
    {
      ja: '{name} の TXT レコードをすべて削除し、次の 1 件だけにしてください: {value}',
      en: 'Delete all TXT records at {name} and publish this single one: {value}',
    },
  ),
  'split-records': problem(
    {
      ja: '未設定: 1 件の値が {name} の {count} 件の TXT レコードに分かれて登録されています。',
      en: 'One value was published as {count} TXT records at {name}.',
    },
    {
      ja: '{name} の TXT レコードをすべて削除し、次の値を 1 件として登録してください(255 文字ごとの分割は 1 件のレコードの中で行います): {value}',
      en: 'Delete all TXT records at {name} and publish this value as a single one (strings of 255 characters belong into one record): {value}',
    },
  ),
  'semicolons-lost': problem({
    ja: '未設定: DKIM レコードの項目を区切るセミコロン(;)が失われています。',
    en: 'The semicolons between the tags of the DKIM record are lost.',
  }),
  'plus-lost': problem({
    ja: '未設定: 公開鍵のプラス記号(+)が失われています。登録画面で空白に置き換えられた可能性があります。',
    en: 'The plus signs of the key are lost; the DNS panel may have turned them into spaces.',
  }),
  'case-changed': problem({
    ja: '未設定: 公開鍵の大文字と小文字が変わっています。',
    en: 'Upper and lower case of the key were changed.',
  }),
  'full-width': problem({
    ja: '未設定: DKIM レコードに全角文字など ASCII 以外の文字が含まれています。',
    en: 'The DKIM record contains full-width or other characters outside ASCII.',
  }),
  'wrong-selector': problem(
    {
      ja: '未設定: この鍵の DKIM レコードが {name} ではなく {at} に登録されています。',
      en: 'The DKIM record of this key stands at {at} instead of {name}.',
    },
    {
      ja: '{name} に登録し直してください。{at} に以前の鍵があった場合は元の値に戻してください。値: {value}',
      en: 'Publish it at {name}. If {at} held an older key, put its value back there. Value: {value}',
    },
  ),
  'cname-elsewhere': problem(
    {
      ja: '未設定: {name} の CNAME が {target} を指しています。',
      en: '{name} is a CNAME of {target}.',
    },
    replaceTarget,
  ),
  'target-doubled': problem(
    {
      ja: '未設定: {name} の CNAME の値の末尾にドメイン名が付いています({target})。',
      en: 'The domain was appended to the value of the CNAME at {name} ({target}).',
    },
    {
      ja: '{name} の CNAME の値を、末尾にドット(.)を付けて次に置き換えてください: {value}.',
      en: 'Replace the value of the CNAME at {name} by this, with the dot at its end: {value}.',
    },
  ),
  'cname-replaced': problem(
    {
      ja: '未設定: {name} に、CNAME ではなく {type} レコードがあります。',
      en: 'There is a {type} record at {name} in place of the CNAME.',
    },
    {
      ja: '{name} の {type} レコードを削除し、次の CNAME レコードを登録してください: {value}',
      en: 'Delete the {type} record at {name} and publish this CNAME record: {value}',
    },
  ),
  'target-absent': problem(
    {
      ja: '未設定: {name} の CNAME は正しいですが、その先の {target} に公開鍵がありません。ドメインの管理者の対応は不要です。',
      en: 'The CNAME at {name} is right, but there is no key at {target} yet. The holder of the domain need do nothing.',
    },
    publishZone,
  ),
  'target-stale': problem(
    {
      ja: '未設定: {name} の CNAME は正しいですが、その先の {target} の公開鍵が最新ではありません。ドメインの管理者の対応は不要です。',
      en: 'The CNAME at {name} is right, but the key at {target} is not the current one. The holder of the domain need do nothing.',
    },
    publishZone,
  ),
  'wrong-key-type': problem({
    ja: '未設定: 鍵の種類が k={type} になっています(正しくは {expected})。',
    en: 'The record says k={type}, but the key is {expected}.',
  }),
  'wrong-service': problem({
    ja: '未設定: s={s} のため、この鍵はメールに使えません。',
    en: 'The record says s={s}, so the key is not for mail.',
  }),
  'hash-excluded': problem({
    ja: '未設定: h={h} のため、SHA-256 による署名が認められません。',
    en: 'The record says h={h}, which excludes SHA-256.',
  }),
  quotes: problem({
    ja: '未設定: レコードの値に引用符(")がそのまま含まれています。',
    en: 'Quotation marks are part of the published value.',
  }),
  backslashes: problem({
    ja: '未設定: レコードの値にバックスラッシュ(\\)がそのまま含まれています。',
    en: 'Backslashes are part of the published value.',
  }),
  'host-doubled': problem(
    {
      ja: '未設定: レコードが {at} に登録されています(ドメイン名が二重になっています)。',
      en: 'The record stands at {at}: the domain was written twice.',
    },
    {
      ja: 'ホスト名の欄からドメイン名を除き、{name} になるように登録し直してください。値: {value}',
      en: 'Leave the domain out of the host field, so that the record stands at {name}. Value: {value}',
    },
  ),
  'at-apex': problem(
    {
      ja: '未設定: DKIM レコードがドメイン自体({at})に登録されています。',
      en: 'The DKIM record stands at the domain itself ({at}).',
    },
    {
      ja: '{at} のそのレコードを削除し、{name} に登録し直してください。値: {value}',
      en: 'Delete that record at {at} and publish it at {name}. Value: {value}',
    },
  ),
  'wrong-type': problem(
    {
      ja: '未設定: {name} は {type} レコードで、その先の {target} に正しい DKIM レコードがありません。',
      en: '{name} is a {type} record, and its target {target} does not have the right DKIM record.',
    },
    {
      ja: '{name} の {type} レコードを削除し、次の TXT レコードを登録してください: {value}',
      en: 'Delete the {type} record at {name} and publish this TXT record: {value}',
    },
  ),
  'address-differs': problem(
    {
      ja: '未設定: {name} の {type} レコードは {addresses} で、送信元 IP アドレス {value} が含まれていません。',
      en: '{name} has the {type} records {addresses}, and the sending address {value} is not among them.',
    },
    { ja: '{name} に次の {type} レコードを追加してください: {value}', en: 'Add this {type} record at {name}: {value}' },
  ),
  'ptr-absent': problem(
    {
      ja: '未設定: 送信元 IP アドレス {ip} に逆引き(PTR)がありません。多くの受信側でメールが拒否されます。',
      en: 'The sending address {ip} has no reverse name (PTR); many receivers refuse its mail.',
    },
    askForReverseName,
  ),
  'ptr-differs': problem(
    {
      ja: '未設定: 送信元 IP アドレス {ip} の逆引き(PTR)が {names} になっています。',
      en: 'The reverse name (PTR) of the sending address {ip} is {names}.',
    },
    askForReverseName,
  ),
  'ptr-unconfirmed': problem(
    {
      ja: '未設定: {ip} の逆引き(PTR)は {host} ですが、{host} の正引きに {ip} がありません。',
      en: 'The reverse name of {ip} is {host}, but {host} does not have the address {ip}.',
    },
    {
      ja: '{host} の A または AAAA レコードに {ip} を追加してください。',
      en: 'Add {ip} to the A or AAAA records of {host}.',
    },
  ),
  'mx-elsewhere': problem(
    {
      ja: '未設定: {name} の MX レコードが {exchanges} を指しており、返送メールがこのリレーに届きません。',
      en: 'The MX records of {name} are {exchanges}, so bounces do not come back to this relay.',
    },
    {
      ja: '{name} の MX レコードを次に置き換えてください: {value}',
      en: 'Replace the MX records of {name} by: {value}',
    },
  ),
  'not-everywhere': problem(
    {
      ja: '未設定: {record} レコードは {have} にはありますが、{lack} にはまだありません。いま揃えば、遅くとも {visibleAt} には受信側から見えます。',
      en: 'The {record} record is at {have}, but not yet at {lack}. If they catch up now, receivers see it by {visibleAt} at the latest.',
    },
    {
      ja: '値の変更は不要です。ネームサーバー間の同期を待ってください。続く場合は、DNS の管理者に {lack} の更新を依頼してください。',
      en: 'Nothing needs to be changed: wait until the name servers agree. If this goes on, ask whoever runs the DNS to update {lack}.',
    },
  ),
  'not-yet-visible': problem(
    {
      ja: '未設定: {record} レコードはすべてのネームサーバーに登録されましたが、リゾルバー {resolvers} は以前の内容をまだ覚えています。受信側からは遅くとも {visibleAt} に見えるようになります。',
      en: 'The {record} record is at all name servers, but the resolvers {resolvers} still remember what was there before. Receivers see it by {visibleAt} at the latest.',
    },
    {
      ja: '対応は不要です。{visibleAt} までお待ちください。',
      en: 'Nothing needs to be done: wait until {visibleAt}.',
    },
  ),
} as const satisfies Record<string, Reason>

export type ReasonCode = keyof typeof reasons

/** Remarks beside a reason; their codes stand in the check's `notes`. */
export const notes = {
  'note-hard-fail': {
    ja: '末尾が -all のため、転送されたメールは受信拒否されることがあります。',
    en: 'It ends in -all, so receivers may reject forwarded mail.',
  },
  'note-lookups': {
    ja: 'DNS 参照が {lookups} 回あり、他の送信元では上限の 10 回を超えることがあります。',
    en: 'It takes {lookups} DNS lookups in all; other senders of the domain may exceed the limit of 10.',
  },
  'note-neutral': {
    ja: '末尾が ?all か、all がないため、他のサーバーからの送信について何も示していません。~all を推奨します。',
    en: 'It ends in ?all or without all, so it says nothing about other servers; ~all is better.',
  },
  'note-ptr': {
    ja: '非推奨の ptr が含まれています。可能であれば ip4: などに置き換えてください。',
    en: 'It contains ptr, which should no longer be used; replace it by ip4: or the like where possible.',
  },
  'note-redundant': {
    ja: '{redundant} は他の include に含まれているため、削除できます。',
    en: '{redundant} is contained in another include and can be removed.',
  },
  'note-testing': {
    ja: 'テスト中を示す t=y が付いています。運用を始めたら外してください。',
    en: 'It says t=y (testing); take that out once in operation.',
  },
  'note-cname': { ja: '{target} への CNAME で参照されています。', en: 'It is found by way of a CNAME to {target}.' },
  'note-255': {
    ja: '値が 255 文字で切れています。長い値を登録できない DNS では、CNAME 形式または 1024 ビットの鍵を使えます。',
    en: 'It was cut at 255 characters. Where a long value does not fit, the CNAME form or a key of 1024 bits does.',
  },
  'note-flattened': {
    ja: 'CNAME ではなく、その先の値が直接応答されています。手動で登録した値の場合は、CNAME に置き換えてください。',
    en: 'The value of the target is answered in place of the CNAME. If it was entered by hand, replace it by the CNAME.',
  },
  'note-visible-later': {
    ja: 'リゾルバー {resolvers} は以前の内容をまだ覚えています。遅くとも {visibleAt} には見えるようになります。',
    en: 'The resolvers {resolvers} still remember what was there before; they see it by {visibleAt} at the latest.',
  },
  'note-resolver-differs': {
    ja: 'すべてのネームサーバーにありますが、リゾルバー {resolvers} は待ち時間を過ぎても別の内容を返しています。受信側には影響しません。',
    en: 'All name servers have it, but the resolvers {resolvers} still say otherwise although the time for that is over; receivers are not affected.',
  },
  'note-silent-servers': {
    ja: 'ネームサーバー {silent} からは有効な応答がありませんでした。DNS の管理者に確認してください。',
    en: 'The name servers {silent} gave no valid answer; ask whoever runs the DNS to look after them.',
  },
  'note-inherited': { ja: '上位ドメイン {parent} のレコードが適用されます。', en: 'The record of {parent} applies.' },
} as const satisfies Record<string, Bilingual>

/** The record as people call it; where no name stands here, by its type. */
export const recordNames = {
  spf: 'SPF',
  dkim: 'DKIM',
  dmarc: 'DMARC',
  'return-path': 'Return-Path (MX)',
  'return-path-spf': 'Return-Path (SPF)',
  tracking: 'Tracking',
} as const
