/**
 * What an explanation of a domain says, in Japanese and English.
 *
 * The only place with these texts; `{…}` is filled in by `explain.ts`.
 */
import type { SendingMode } from '../mail/sending-mode.ts'
import type { Bilingual } from './reasons.ts'

export const modeTexts: Readonly<Record<SendingMode, Bilingual>> = {
  'spf-dkim': {
    ja: 'SPF と DKIM が設定済のため、{domain} の鍵で署名し、エンベロープの送信元は指定どおりで送信します。',
    en: 'SPF and DKIM are published: mail is signed with the key of {domain} and keeps its reverse-path.',
  },
  spf: {
    ja: 'SPF のみ設定済のため、リレー({relay})の鍵で署名し、エンベロープの送信元は指定どおりで送信します。',
    en: 'Only SPF is published: mail is signed with the key of the relay ({relay}) and keeps its reverse-path.',
  },
  'sender-only': {
    ja: 'SPF が設定済ではないため、エンベロープの送信元を {envelope} にして送信します。署名は {signer} の鍵で行います。',
    en: 'SPF is not published: mail travels with a reverse-path at {envelope}, signed with the key of {signer}.',
  },
  'own-smtp': {
    ja: '送信元アドレスごとに登録された SMTP サーバーから送信します。',
    en: "Mail leaves by the sender address's own SMTP server.",
  },
}

export const spfTexts = {
  pass: {
    ja: '{ip} からの送信は {domain} の SPF で許可されます(一致: {term})。',
    en: 'Mail from {ip} passes the SPF of {domain}; {term} lets it.',
  },
  fail: {
    ja: '{ip} からの送信は {domain} の SPF で拒否されます(一致: {term})。',
    en: 'Mail from {ip} fails the SPF of {domain} by {term}.',
  },
  softfail: {
    ja: '{ip} からの送信は {domain} の SPF で softfail になります(一致: {term})。',
    en: 'Mail from {ip} gets softfail from the SPF of {domain} by {term}.',
  },
  neutral: {
    ja: '{domain} の SPF は {ip} について何も示していません(一致: {term})。',
    en: 'The SPF of {domain} says nothing about {ip}; what decided: {term}.',
  },
  none: { ja: '{domain} に SPF レコードがありません。', en: '{domain} has no SPF record.' },
  permerror: {
    ja: '{domain} の SPF レコードに誤りがあり、判定されません({text})。',
    en: 'The SPF record of {domain} is in error, so it counts for nothing: {text}',
  },
  temperror: {
    ja: 'DNS に問い合わせできず、{domain} の SPF を判定できません({text})。',
    en: 'DNS could not be asked, so the SPF of {domain} gives no result: {text}',
  },
} as const satisfies Record<string, Bilingual>

/** Beside an SPF result or a signature. */
export const alignmentTexts = {
  aligned: {
    ja: 'From の {from} と一致するため、DMARC で有効です({mode})。',
    en: 'It counts for DMARC, because it fits {from} of From ({mode}).',
  },
  unaligned: {
    ja: 'From の {from} と一致しないため、DMARC では有効になりません({mode})。',
    en: 'It does not count for DMARC, because it does not fit {from} of From ({mode}).',
  },
} as const satisfies Record<string, Bilingual>

export const alignmentModes = {
  relaxed: { ja: '組織ドメインで比較', en: 'relaxed: organizational domains compared' },
  strict: { ja: '完全一致で比較', en: 'strict: whole names compared' },
} as const satisfies Record<string, Bilingual>

export const signatureTexts = {
  valid: {
    ja: '{domain} のセレクタ {selector} で署名され、公開鍵が一致するため検証に成功します。',
    en: 'Signed by {domain} under selector {selector}; the published key fits, so it verifies.',
  },
  invalid: {
    ja: '{domain} のセレクタ {selector} で署名されますが、検証に失敗します。',
    en: 'Signed by {domain} under selector {selector}, but it does not verify:',
  },
  unknown: {
    ja: '{domain} のセレクタ {selector} で署名されますが、DNS に問い合わせできず、検証できるかわかりません。',
    en: 'Signed by {domain} under selector {selector}; DNS could not be asked whether it verifies.',
  },
} as const satisfies Record<string, Bilingual>

export const policyTexts = {
  found: {
    ja: '{at} の DMARC ポリシーは p={policy} です(SPF: {aspf}、DKIM: {adkim})。',
    en: 'The DMARC policy at {at} is {policy} (SPF {aspf}; DKIM {adkim}).',
  },
  absent: {
    ja: '{domain} には有効な DMARC レコードがありません。受信側はそれぞれの基準で判断します。',
    en: '{domain} has no DMARC record that counts; receivers judge by rules of their own.',
  },
  unknown: {
    ja: 'DNS に問い合わせできず、{domain} の DMARC ポリシーがわかりません。',
    en: 'DNS could not be asked for the DMARC policy of {domain}.',
  },
} as const satisfies Record<string, Bilingual>

/** `none`: there is no policy. `unknown`: a part of it could not be asked for. */
export const dmarcTexts = {
  pass: { ja: 'DMARC は成功します({by} による)。', en: 'DMARC passes by {by}.' },
  fail: {
    ja: 'SPF も DKIM も From と一致する形で成功しないため、DMARC は失敗します。受信側への要望: {policy}',
    en: 'DMARC fails: neither SPF nor DKIM passes for a domain that fits From. What receivers are asked to do: {policy}',
  },
  none: {
    ja: 'DMARC レコードがないため、DMARC の判定はありません。',
    en: 'Without a DMARC record there is no DMARC result.',
  },
  unknown: {
    ja: 'DNS に問い合わせできず、DMARC の結果はわかりません。',
    en: 'DNS could not be asked for all that DMARC needs, so its result is not known.',
  },
} as const satisfies Record<string, Bilingual>

export const policyNames = {
  none: { ja: 'そのまま受信(none)', en: 'nothing special (none)' },
  quarantine: { ja: '迷惑メール扱い(quarantine)', en: 'treat it as spam (quarantine)' },
  reject: { ja: '受信拒否(reject)', en: 'refuse it (reject)' },
} as const satisfies Record<string, Bilingual>

/** A Japanese value fills the Japanese text, an English one the English. */
export function fillBoth(text: Bilingual, values: Readonly<Record<string, string | Bilingual>>): Bilingual {
  const fill = (language: keyof Bilingual) =>
    text[language].replace(/\{(\w+)\}/g, (placeholder, name: string) => {
      const value = values[name]
      return value === undefined ? placeholder : typeof value === 'string' ? value : value[language]
    })
  return { ja: fill('ja'), en: fill('en') }
}

export function joinBoth(texts: readonly Bilingual[]): Bilingual {
  return { ja: texts.map(({ ja }) => ja).join(''), en: texts.map(({ en }) => en).join(' ') }
}
