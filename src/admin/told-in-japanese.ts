/**
 * In Japanese what store and domains refuse in English.
 *
 * Their errors cross threads as one sentence; here is its other language, found by its form. A test reads every such
 * sentence in the source, so none is without. Null: none of them.
 */
const sentences: readonly (readonly [form: RegExp, ja: string])[] = [
  [/^(.+) is not registered$/, '$1は登録されていません。'],
  [/^(.+) is neither registered nor kept for restoring$/, '$1は登録されておらず、復元できる記録もありません。'],
  [/^(.+) is registered by this account already$/, '$1はすでにこのアカウントに登録されています。'],
  [/^(.+) is registered by account (.+)$/, '$1はすでに登録されています。登録先アカウントのIDは$2です。'],
  [/^(.+) is registered already$/, '$1はすでに登録されています。'],
  [/^there is no account (.+)$/, 'アカウント$1はありません。'],
  [/^account (.+) exists$/, 'アカウント$1はすでにあります。'],
  [/^account (.+) still has (.+)$/, 'アカウント$1にはまだ次のものが残っています: $2'],
  [/^there is no credential (.+)$/, '認証情報$1はありません。'],
  [/^username (.+) is taken$/, 'ユーザー名$1は使われています。'],
  [/^This credential is revoked; make a new one\.$/, 'この認証情報は失効しています。新しく作成してください。'],
  [/^there is no webhook (.+)$/, 'Webhook $1はありません。'],
  [/^there are (.+) webhooks already; remove one/, 'Webhookはすでに$1件あります。使っていないものを削除してください。'],
  [/^there is no warm-up of \S+ (.+)$/, '$1のウォームアップはありません。'],
  [/^\S+ (.+) has a warm-up that goes on$/, '$1のウォームアップはすでに進行中です。'],
  [/^the warm-up of \S+ (.+) is done$/, '$1のウォームアップは完了しています。'],
  [/^there is no open claim to (.+): open one first$/, '$1の所有権の申請はありません。先に申請してください。'],
  [
    /^several claims to (.+) are proven: /,
    '$1の所有権を複数の申請が証明しています。登録先にするアカウントを指定してください。',
  ],
  [/^(.+) has no share link (.+)$/, '$1に共有リンク$2はありません。'],
  [
    /^(.+) has (.+) open share links already: /,
    '$1の有効な共有リンクはすでに$2件あります。不要なものを無効にしてください。',
  ],
  [/^(.+) has no key (.+)$/, '$1に鍵$2はありません。'],
  [/^(.+) has a key (.+) already$/, '$1に鍵$2はすでにあります。'],
  [/^the key (.+) of (.+) is retired$/, '$2の鍵$1は引退済みです。'],
  [
    /^the selector (.+) has been used for this domain before$/,
    'セレクター$1はこのドメインで以前に使われています。別の名前にしてください。',
  ],
  [
    /^the selector (.+) is kept for keys that are published as CNAMEs: /,
    'セレクター$1はCNAMEで公開する鍵のために予約されています。別の名前にしてください。',
  ],
  [
    /^the selectors of a domain that publishes CNAMEs are fixed \((.+)\): /,
    'CNAMEで公開するドメインのセレクターは固定（$1）です。セレクターを指定しないでください。',
  ],
  [/^(.+) is not a selector: /, '$1はセレクターに使えません。英小文字・数字・ハイフンで書いてください。'],
  [
    /^(.+) and (.+) are both in use: /,
    '$1と$2はどちらも使用中です。古い鍵で署名したメールが配送中でなくなるまで公開が必要なため、次の鍵はその後に発行してください。',
  ],
  [
    /^(.+) is not a domain name such as example\.jp$/,
    '$1はドメイン名ではありません。example.jpのように書いてください。',
  ],
  [
    /^(.+) is a public suffix, /,
    '$1は、その下にドメインを登録するための公開接尾辞（パブリックサフィックス）です。その下のドメインを指定してください。',
  ],
  [
    /^there is no tracking host to opt in to: /,
    'トラッキング用ホストは利用できません。運用者によるdomains.trackingTargetの設定が必要です。',
  ],
]

const things: Readonly<Record<string, string>> = {
  'sender domains': '送信ドメイン',
  'sender addresses': '送信元メールアドレス',
  'queued mail': '配信待ちのメール',
}

export function inJapanese(english: string): string | null {
  const [form, ja] = sentences.find(([each]) => each.test(english)) ?? []
  if (form === undefined || ja === undefined) return null
  const [, ...parts] = form.exec(english)!
  const translated = parts.map(part =>
    part.replace(/sender domains|sender addresses|queued mail/g, word => things[word]!),
  )
  return ja.replace(/\$(\d)/g, (_, number) => translated[Number(number) - 1] ?? '')
}
