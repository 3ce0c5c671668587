/**
 * What is said of the servers that were asked about a record, in Japanese and English; the reasons of records are in
 * `reasons.ts`.
 */
import type { AuthorityFault, ServerFault } from '../dns/authority.ts'
import type { Bilingual } from './reasons.ts'

/** What is wrong with a server whose answer does not count (`dns/authority.ts`). */
export const serverFaults = {
  lame: {
    ja: 'このドメインを管理していません(設定の誤り)。',
    en: 'It does not serve this domain, although it is named for it (lame).',
  },
  servfail: { ja: 'エラーを返しました。', en: 'It answered with an error.' },
  timeout: { ja: '時間内に応答がありませんでした。', en: 'It did not answer in time.' },
  unreachable: { ja: '接続できませんでした。', en: 'It can not be reached.' },
  malformed: { ja: '応答が壊れています。', en: 'Its answer makes no sense.' },
  'no-address': { ja: 'アドレスがありません。', en: 'It has no address.' },
  'refused-address': {
    ja: '内部ネットワークのアドレスのため、問い合わせません(dns.allowPrivateAuthorities)。',
    en: 'It is at an internal address, which is not asked (dns.allowPrivateAuthorities).',
  },
} as const satisfies Record<ServerFault, Bilingual>

/** What a server says about a record, in short. */
export const serverStates = {
  published: { ja: '設定済です。', en: 'It has the record.' },
  absent: { ja: 'このレコードがありません。', en: 'It does not have the record.' },
  'not-published': { ja: '別の内容か、誤りのある内容です。', en: 'It has something else, or a mistake in it.' },
  'dns-error': { ja: '確認できませんでした。', en: 'It could not be checked.' },
} as const satisfies Record<string, Bilingual>

/** Why only the resolvers were asked. */
export const authorityFaults = {
  'not-asked': {
    ja: 'リゾルバーだけに問い合わせました。',
    en: 'Only the resolvers were asked.',
  },
  'no-name-servers': {
    ja: 'ネームサーバーが分からないため、リゾルバーの応答だけで判定しました。',
    en: 'Only the resolvers were asked, because nobody names the name servers.',
  },
  'private-addresses': {
    ja: 'ネームサーバーが内部ネットワークのアドレスにあるため、リゾルバーの応答だけで判定しました。',
    en: 'Only the resolvers were asked, because the name servers are at internal addresses.',
  },
  'none-answers': {
    ja: '有効な応答を返すネームサーバーがなかったため、リゾルバーの応答だけで判定しました。',
    en: 'Only the answers of the resolvers counted, because no name server gave a valid one.',
  },
} as const satisfies Record<AuthorityFault, Bilingual>
