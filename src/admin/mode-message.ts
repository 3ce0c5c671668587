/**
 * Why a sending mode applied, in both languages. The reason is stored with each attempt as one English clause
 * (`policy/sending-mode.ts`); here is its other language, found by its form. An unknown one is told as it is.
 */
import type { Bilingual } from './texts.ts'

const clauses: readonly (readonly [form: RegExp, ja: string])[] = [
  [/^spf and dkim are published/, 'SPFとDKIMが公開されています'],
  [/^spf is published but dkim is not/, 'SPFは公開されていますが、DKIMは未設定です'],
  [
    /^dkim is published but spf is not: signed by (\S+),/,
    'DKIMは公開されていますが、SPFは未設定です。$1で署名し、sender-onlyとして送ります',
  ],
  [/^neither spf nor dkim is published/, 'SPFもDKIMも未設定です'],
  [/^(\S+) is not a registered sender domain/, '$1は送信ドメインとして登録されていません'],
  [/^(\S+) has its own SMTP server (\S+), signed by (\S+)/, '$1には自社SMTPサーバー$2があり、$3で署名します'],
  [/^(\S+) has its own SMTP server (\S+)/, '$1には自社SMTPサーバー$2があります'],
  [/^not decided: an error came first/, '決まる前にエラーが起きました'],
]
const lost = /\(the (\w+)(?: and (\w+))? records? (?:was|were) lost and still counts? for a while\)/

export function modeMessage(reason: string): Bilingual {
  const [form, template] = clauses.find(([each]) => each.test(reason)) ?? []
  if (form === undefined || template === undefined) return { ja: reason, en: reason }
  const parts = form.exec(reason)!
  const ja = template.replace(/\$(\d)/g, (_, number) => parts[Number(number)] ?? '')
  const names =
    lost
      .exec(reason)
      ?.slice(1)
      .filter(name => name !== undefined) ?? []
  const told =
    names.length === 0
      ? ''
      : `（${names.join('と').toUpperCase()}のレコードが消えましたが、しばらくは公開中とみなします）`
  return { ja: ja + told, en: reason }
}
