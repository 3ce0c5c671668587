/**
 * One record on the share page: how it stands, what to do, and each field to copy into the panel.
 */

import { panelWords } from '../../domains/panel-words.ts'
import { recordTtl } from '../../domains/record-forms.ts'
import { actionWords } from '../../domains/setup-request.ts'
import type { SetupRecord, SetupSheet } from '../../domains/setup-sheet.ts'
import { type Html, html } from './html.ts'
import type { Language } from './language.ts'
import { purposeWords, stateWords, words } from './words.ts'

export interface CardContext {
  readonly sheet: SetupSheet
  readonly language: Language
  /** An instant as people read it. */
  readonly timeText: (at: number) => string
}

export function recordCard(record: SetupRecord, number: number, context: CardContext): Html {
  const { language } = context
  const { state, title, isAdvice, purpose, action } = record
  const body = action === 'none' ? finishedBody(record, context) : openBody(record, context)
  return html`<section class="card ${state}" id="record-${number}" data-live aria-labelledby="record-${number}-title">
<header><h3 id="record-${number}-title">${title}${isAdvice && html` <span class="advice">${words.advice[language]}</span>`}</h3>
<span class="badge ${state}">${stateWords[state][language]}</span></header>
<p class="purpose">${purposeWords[purpose][language]}</p>
${body}</section>`
}

function finishedBody(record: SetupRecord, context: CardContext): Html {
  return html`<p class="message">${plain(record.message[context.language])}</p>
<details><summary>${words.showValue[context.language]}</summary>${fields(record, context)}</details>`
}

function openBody(record: SetupRecord, context: CardContext): Html {
  const { language, timeText } = context
  const { message, action, found, visibleAt, fix, changes } = record
  const isSet = action === 'wait'
  return html`<p class="message">${plain(message[language])}</p>
${fix !== null && html`<p class="message"><strong>${words.fix[language]}:</strong> ${fix[language]}</p>`}
${visibleAt !== null && html`<p class="visible">${words.visibleAt[language].replace('{time}', timeText(visibleAt))}</p>`}
<p class="todo${isSet ? ' waiting' : ''}"><strong>${words.todo[language]}</strong> ${actionWords[action][language]}</p>
${changes.length > 0 && html`<ul>${changes.map(change => html`<li>${change[language]}</li>`)}</ul>`}
${found.length > 0 && !isReplaced(action) && !isSet && currentValues(record, language)}
${action !== 'mend' && !isSet && fields(record, context)}
${isSet && html`<details><summary>${words.showValue[language]}</summary>${fields(record, context)}</details>`}`
}

function currentValues({ found, action }: SetupRecord, language: Language): Html {
  const label = isReplaced(action) ? words.current : words.currentElsewhere
  return html`<div class="field current"><span class="label">${label[language]}</span>
${found.map(text => html`<div class="box"><code>${text}</code></div>`)}</div>`
}

/** Then the current value stands right above the one to put in its place. */
function isReplaced(action: SetupRecord['action']): boolean {
  return action === 'replace' || action === 'replace-all'
}

function fields(record: SetupRecord, { sheet, language }: CardContext): Html {
  const { entry, name, type, parts, action } = record
  const panel = panelWords(sheet.provider, sheet.zone, record, language)
  const field = (label: string, value: string, more: Partial<Field> = {}) =>
    fieldBox({ label, value, hint: null, shown: null, isNarrow: false, language, ...more })
  // Quoted or not, as long as it is in one piece.
  const quote = entry.value === `"${record.value}"` ? '"' : ''
  const isMarked = parts.length > 0 && entry.value === quote + record.value + quote
  const valueHint = [words.oneLine, ...(isMarked ? [words.newParts] : [])].map(text => text[language]).join(' ')
  const full = words.fullName[language].replace('{name}', name)
  const host = field(panel.hostLabel, entry.host, {
    hint: `${panel.hostHint} ${full}`,
    shown: entry.host === '' ? html`<em>${panel.hostShown}</em>` : null,
  })
  const valueLabel = isReplaced(action) ? `${panel.valueLabel} ${words.after[language]}` : panel.valueLabel
  const shown = isMarked ? html`${quote}${marked(record)}${quote}` : null
  const single = html`${host}
<div class="row">${field(panel.typeLabel, type, { isNarrow: true })}
${entry.priority !== null && field(panel.priorityLabel, entry.priority, { isNarrow: true })}
${panel.ttlLabel !== null && field(panel.ttlLabel, String(recordTtl), { isNarrow: true })}</div>
${isReplaced(action) && entry.line === null && currentValues(record, language)}
${field(valueLabel, entry.value, { hint: valueHint, shown })}`
  if (entry.line === null) return single
  const lineLabel = (isReplaced(action) ? words.lineInstead : words.line)[language]
  return html`${isReplaced(action) && currentValues(record, language)}
${field(lineLabel, entry.line, { hint: words.oneLine[language] })}
<details><summary>${words.byField[language]}</summary>${single}</details>`
}

interface Field {
  readonly label: string
  readonly value: string
  readonly hint: string | null
  /** Instead of the value as it is. */
  readonly shown: Html | null
  readonly isNarrow: boolean
  readonly language: Language
}

/** Characters; on a telephone the button then stands below. */
const longValue = 80

/** Copy buttons are for browsers with scripts, which show them; narrow fields are chosen rather than pasted. */
function fieldBox({ label, value, hint, shown, isNarrow, language }: Field): Html {
  const what = words.copyWhat[language].replace('{what}', label)
  const button = html`<button type="button" class="copy" data-copy="${value}" aria-label="${what}" hidden>${words.copy[language]}</button>`
  return html`<div class="field${isNarrow ? ' narrow' : ''}"><span class="label">${label}</span>
<div class="box${value.length > longValue ? ' long' : ''}"><code translate="no">${shown ?? value}</code>${value !== '' && !isNarrow && button}</div>
${hint !== null && html`<p class="hint">${hint}</p>`}</div>`
}

function marked({ parts }: SetupRecord): Html {
  return html`${parts.map(({ text, isNew }, index) => html`${index > 0 && ' '}${isNew ? html`<mark>${text}</mark>` : text}`)}`
}

/** The badge says it already. */
function plain(message: string): string {
  return message.replace(/^未設定: /, '')
}
