/**
 * The share page: for whoever edits the DNS of one sender domain, without login, in Japanese or English.
 *
 * Works without scripts; with them it follows the state by itself and has copy buttons. Everything that came from a
 * zone is escaped, and no script or style stands in the page itself, so its Content-Security-Policy can refuse both.
 */
import { isOpen, type SetupSheet } from '../../domains/setup-sheet.ts'
import type { Instant } from '../../mail/ids.ts'
import { type Html, html } from './html.ts'
import { type Language, languages } from './language.ts'
import { recordCard } from './record-card.ts'
import { words } from './words.ts'

export interface SharePage {
  readonly sheet: SetupSheet
  readonly nameServers: readonly string[]
  /** Where the page stands: `/share/<token>`. */
  readonly path: string
  readonly language: Language
  readonly timeZone: string
  readonly now: Instant
  readonly expiresAt: Instant
  /** Until the next check is possible. */
  readonly waitMs: number
}

export function sharePage(page: SharePage): string {
  const { sheet, language, path } = page
  const isOpenAny = sheet.records.some(isOpen)
  const timeText = (at: Instant) => timeOf(at, page)
  const cards = sheet.records.map((record, index) => recordCard(record, index + 1, { sheet, language, timeText }))
  const body = html`<div aria-live="polite">${summary(page)}</div>
<form method="post" action="${path}/check?lang=${language}" class="check" id="check" data-live>
<button type="submit" class="primary" data-wait="${Math.ceil(page.waitMs / 1000)}" data-checking="${words.checking[language]}">${words.check[language]}</button>
${page.waitMs > 0 && html`<p class="hint">${words.checkAgain[language].replace('{time}', clockTime(page.now + page.waitMs, page))}</p>`}
</form>
${isOpenAny && where(page)}
<h2>${words.records[language]}</h2>
${cards}
${removable(page)}
${isOpenAny && html`<p class="keep">${words.keepOthers[language]}</p>`}
<footer><p class="links"><a href="${path}/request?lang=${language}">${words.asText[language]}</a>
<button type="button" class="link" id="print" hidden>${words.print[language]}</button></p>
<p class="hint">${words.privacy[language].replace('{time}', timeText(page.expiresAt))}</p></footer>`
  const title = words.title[language].replace('{domain}', sheet.domain)
  return frame({ title, language, body, path })
}

/** The same for a link that never was, one that is over, and one that was revoked. */
export function gonePage(language: Language): string {
  return messagePage(language, words.goneTitle[language], words.gone[language])
}

export function troublePage(language: Language): string {
  return messagePage(language, words.troubleTitle[language], words.trouble[language])
}

function messagePage(language: Language, title: string, text: string): string {
  const body = html`<section class="card"><h1>${title}</h1><p>${text}</p></section>`
  return frame({ title, language, body, path: null })
}

function summary({ sheet, language, ...page }: SharePage): Html {
  const { published, needed, checkedAt, domain } = sheet
  const isDone = published === needed
  const lead = !isDone ? words.lead : sheet.records.some(isOpen) ? words.leadAdvice : words.leadDone
  const progress = words.progress[language]
    .replace('{published}', String(published))
    .replace('{needed}', String(needed))
  const checked =
    checkedAt === null
      ? words.notChecked[language]
      : `${words.checkedAt[language]}: ${timeOf(checkedAt, { language, ...page })}`
  return html`<section class="summary${isDone ? ' done' : ''}" id="summary" data-live>
<p class="eyebrow">${words.heading[language]}</p>
<h1 translate="no">${domain}</h1>
<p>${lead[language]}</p>
<p class="progress"><progress value="${published}" max="${needed}" aria-hidden="true"></progress> <strong>${progress}</strong>
<span class="hint">${checked}</span></p></section>`
}

function removable({ sheet, language }: SharePage): Html {
  const rows = sheet.removable.map(({ type, host, name }) => {
    const full = words.fullName[language].replace('{name}', name)
    return html`<li><code translate="no">${host}</code> ${type} <span class="hint">${full}</span></li>`
  })
  return html`<div id="removable" data-live>${
    rows.length > 0 &&
    html`<section class="card"><h3>${words.removable[language]}</h3><p>${words.removableWhy[language]}</p><ul>${rows}</ul></section>`
  }</div>`
}

function where({ sheet, nameServers, language }: SharePage): Html {
  const { provider } = sheet
  const neutral = nameServers.length > 0 ? words.unknownProvider : words.unseenProvider
  const row = (label: string, value: Html | string) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`
  return html`<section class="card where" id="where" data-live><h2>${words.where[language]}</h2>
${(provider === null || provider.menu === undefined) && html`<p>${neutral[language]}</p>`}
<dl>${provider !== null && row(words.provider[language], html`<strong>${provider.name[language]}</strong>`)}
${provider?.menu !== undefined && row(words.menu[language], provider.menu[language])}
${nameServers.length > 0 && row(words.nameServers[language], html`<span translate="no">${nameServers.join(', ')}</span>`)}</dl>
${provider?.notes?.map(note => html`<p class="note">${note[language]}</p>`) ?? null}</section>`
}

interface Frame {
  readonly title: string
  readonly language: Language
  readonly body: Html
  /** Null: a page that leads nowhere. */
  readonly path: string | null
}

function frame({ title, language, body, path }: Frame): string {
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow"><meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title><link rel="stylesheet" href="/share-assets/page.css">
${path !== null && html`<script src="/share-assets/page.js" defer></script>`}</head>
<body data-copied="${words.copied[language]}" data-copy-failed="${words.copyFailed[language]}">
${path !== null && languageSwitch(path, language)}
<main>${body}</main><p id="announce" class="unseen" role="status"></p></body></html>
`.text
}

function languageSwitch(path: string, current: Language): Html {
  return html`<nav aria-label="${words.language[current]}">${Object.entries(languages).map(
    ([code, name]) =>
      html`<a href="${path}?lang=${code}" lang="${code}" hreflang="${code}"${code === current && html` aria-current="true"`}>${name}</a>`,
  )}</nav>`
}

type Timed = Pick<SharePage, 'language' | 'timeZone'>

function timeOf(at: Instant, { language, timeZone }: Timed): string {
  return new Intl.DateTimeFormat(language, { timeZone, dateStyle: 'long', timeStyle: 'short' }).format(at)
}

function clockTime(at: Instant, { language, timeZone }: Timed): string {
  return new Intl.DateTimeFormat(language, { timeZone, timeStyle: 'medium' }).format(at)
}
