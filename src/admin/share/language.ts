/**
 * Which language a page is shown in: the one asked for in the address, else what the browser prefers (RFC 9110 §12.5.4).
 */
import type { Request } from 'express'
import type { Bilingual } from '../texts.ts'

export type Language = keyof Bilingual

export const languages = { ja: '日本語', en: 'English' } as const satisfies Record<Language, string>

/** Japanese when nothing is said: most whose DNS is asked for read it. */
export function languageOf(request: Request): Language {
  const { lang } = request.query
  if (lang === 'ja' || lang === 'en') return lang
  if (request.get('accept-language') === undefined) return 'ja'
  return request.acceptsLanguages('ja', 'en') === 'ja' ? 'ja' : 'en'
}
