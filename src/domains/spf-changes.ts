/**
 * What is changed in a live SPF record, told to the person who edits it.
 *
 * The only place with these texts; `records/spf-merge.ts` finds what applies.
 */
import type { Bilingual } from './reasons.ts'

export const spfChanges = {
  'own-added': {
    ja: 'このドメインのメールを送信するサーバーを許可するため、{terms} を追加しました。',
    en: 'Added {terms}, so that the servers that send mail for this domain are allowed to.',
  },
  'put-first': {
    ja: '他の記述が先に判定されるため、{terms} を先頭に追加しました。',
    en: 'Put {terms} first, because something else in the record would decide about it before.',
  },
  'all-softened': {
    ja: '末尾の {from} を {to} に変更しました。-all では転送されたメールが受信拒否されるためです。',
    en: 'Changed {from} at the end to {to}: under -all receivers reject forwarded mail.',
  },
  'all-closed': {
    ja: '末尾の {from} を {to} に変更しました。+all では誰でもこのドメインを名乗って送信できるためです。',
    en: 'Changed {from} at the end to {to}: +all lets anybody send in the name of this domain.',
  },
  'all-added': {
    ja: '末尾に {to} を追加しました。',
    en: 'Added {to} at the end.',
  },
  'redirect-opened': {
    ja: '{from} を {to} に変更しました。all と併用すると redirect は無視されるためです。',
    en: 'Changed {from} to {to}: beside all, redirect is ignored.',
  },
  'records-joined': {
    ja: '{count} 件の SPF レコードを 1 件にまとめました。複数あるとすべて無効になるためです。',
    en: 'Joined {count} SPF records into one: with more than one, none counts.',
  },
  'duplicates-dropped': {
    ja: '重複していた {terms} を 1 つにしました。',
    en: 'Left out the repetition of {terms}.',
  },
  'invalid-dropped': {
    ja: '書式が誤っている {terms} を除きました。残すと SPF レコード全体が無効になります。',
    en: 'Left out {terms}, which can not be read and would make the whole record invalid.',
  },
  'hopeless-dropped': {
    ja: '参照先がないか循環している {terms} を除きました。残すと受信側で SPF エラー(permerror)になります。',
    en: 'Left out {terms}, which leads nowhere or in a circle; with it receivers answer permerror.',
  },
  'open-dropped': {
    ja: '誰にでも送信を許可している {terms} を除きました。',
    en: 'Left out {terms}, which lets anybody send in the name of this domain.',
  },
  'term-mended': { ja: '{from} を {to} に直しました。', en: 'Mended {from} to {to}.' },
  'version-mended': {
    ja: '先頭を「v=spf1 」(直後に空白)に直し、余分な引用符や空白を除きました。',
    en: 'Mended the beginning to v=spf1, followed by a space, and took out quotation marks and spaces that do not belong there.',
  },
  flattened: {
    ja: '{flattened} の代わりに、その IP アドレスを直接記載しました。{flattened} では DNS 参照が {merged} 回になり、上限の {limit} 回を超えるためです。IP アドレスが変わったときは、あらためて変更が必要です。',
    en: 'Instead of {flattened} its addresses are listed: with it the record would take {merged} DNS lookups, more than the limit of {limit}. Should they change, the record has to be changed again.',
  },
} as const satisfies Record<string, Bilingual>

export interface ToldChange {
  readonly code: keyof typeof spfChanges
  readonly values: Readonly<Record<string, string>>
}

export function tellChange({ code, values }: ToldChange): Bilingual {
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder)
  return { ja: fill(spfChanges[code].ja), en: fill(spfChanges[code].en) }
}
