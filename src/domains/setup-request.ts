/**
 * The request to whoever edits the DNS (設定依頼書), as text to paste into a mail.
 */
import { panelWords } from './panel-words.ts'
import type { Bilingual } from './reasons.ts'
import { recordTtl } from './record-forms.ts'
import { isOpen, type SetupAction, type SetupRecord, type SetupSheet } from './setup-sheet.ts'

export type Language = keyof Bilingual

const words = {
  title: { ja: 'DNS 設定依頼書', en: 'Request to set DNS records' },
  intro: {
    ja: '{domain} からのメールが正しく届くように、DNS に次のレコードを設定してください。',
    en: 'Please set the following DNS records, so that mail from {domain} arrives as it should.',
  },
  allDone: {
    ja: '{domain} に必要なレコードはすべて設定済です。作業は不要です。',
    en: 'All records that {domain} needs are published. Nothing is left to do.',
  },
  provider: { ja: 'DNS サービス', en: 'DNS provider' },
  menu: { ja: '設定場所', en: 'Where' },
  asIs: {
    ja: '値は途中で改行せず、1 行のまま貼り付けてください。',
    en: 'Paste each value on one line, without line breaks.',
  },
  keepOthers: {
    ja: 'ここにないレコードは変更・削除しないでください。',
    en: 'Leave all records that are not listed here as they are.',
  },
  fullName: { ja: '完全な名前', en: 'Full name' },
  line: { ja: '追加する行', en: 'Line to add' },
  now: { ja: '現在の値', en: 'Current value' },
  action: { ja: '作業', en: 'To do' },
  advice: { ja: '（推奨）', en: ' (recommended)' },
  notes: { ja: '注意', en: 'Notes' },
  fix: { ja: '対処', en: 'What to do' },
  why: { ja: '状態', en: 'State' },
  removable: {
    ja: '削除できるレコード（以前の署名鍵のものです。残っていても害はありません）',
    en: 'Records that can be deleted (of former signing keys; they do no harm where they stay)',
  },
  done: { ja: '設定済のレコード（作業不要）', en: 'Published already (nothing to do)' },
} as const satisfies Record<string, Bilingual>

export const actionWords: Record<SetupAction, Bilingual> = {
  none: { ja: '作業は不要です', en: 'Nothing to do' },
  add: { ja: '新しく追加', en: 'Add a new record' },
  wait: { ja: '作業は不要です（反映待ち）', en: 'Nothing to do: wait until it is visible' },
  mend: { ja: '先に「対処」が必要です', en: 'See "What to do" first' },
  unknown: {
    ja: '再確認をお待ちください（急ぐ場合は、同じ名前に同種のレコードがないことを確かめてから追加）',
    en: 'Wait for the next check (if it is urgent, add the record only where there is none of its kind yet)',
  },
  replace: { ja: '今ある値を置き換え', en: 'Replace the current value' },
  'replace-all': {
    ja: '今あるレコードをすべて削除し、この 1 件に置き換え',
    en: 'Delete the current records and publish this one',
  },
  move: {
    ja: '誤った場所のレコードを削除し、この名前で登録し直し',
    en: 'Delete the record at the wrong name and publish it here',
  },
}

export function setupRequest(sheet: SetupSheet, language: Language): string {
  const open = sheet.records.filter(isOpen)
  const say = (text: Bilingual) => text[language].replaceAll('{domain}', sheet.domain)
  const head = [`${say(words.title)}: ${sheet.domain}`, '', say(open.length > 0 ? words.intro : words.allDone)]
  const sections = open.map((record, index) => recordText(record, index + 1, sheet, language))
  const asked = open.length === 0 ? [] : [providerText(sheet, language), ...sections, doneText(sheet, language)]
  return `${[head.join('\n'), ...asked, removableText(sheet, language)].filter(text => text !== '').join('\n\n')}\n`
}

function providerText({ provider }: SetupSheet, language: Language): string {
  const notes = [words.asIs, words.keepOthers, ...(provider?.notes ?? [])]
  return [
    ...(provider ? [`${words.provider[language]}: ${provider.name[language]}`] : []),
    ...(provider?.menu ? [`${words.menu[language]}: ${provider.menu[language]}`] : []),
    `${words.notes[language]}:`,
    ...notes.map(note => `- ${note[language]}`),
  ].join('\n')
}

function recordText(record: SetupRecord, number: number, sheet: SetupSheet, language: Language): string {
  const { title, isAdvice, action, fix, found, message } = record
  const rows: Row[] = [
    [words.action[language], actionWords[action][language]],
    [words.why[language], message[language]],
    ...(fix === null ? [] : [[words.fix[language], fix[language]] as const]),
    ...(action === 'mend' ? [] : fieldRows(record, sheet, language)),
    ...found.map(text => [words.now[language], text] as const),
  ]
  const heading = `■ ${number}. ${title}${isAdvice ? words.advice[language] : ''}`
  return [heading, ...rows.map(([label, value]) => `${label}: ${onOneLine(value)}`)].join('\n')
}

type Row = readonly [label: string, value: string]

/** What strangers published must not look like a line of ours, nor turn around or colour what follows. */
function onOneLine(value: string): string {
  return value.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd')
}

function fieldRows(record: SetupRecord, { provider, zone }: SetupSheet, language: Language): Row[] {
  const { entry, name, type } = record
  const fields = panelWords(provider, zone, record, language)
  return [
    ...(entry.line === null ? [] : [[words.line[language], entry.line] as const]),
    [fields.hostLabel, fields.hostShown],
    [words.fullName[language], name],
    [fields.typeLabel, type],
    ...(entry.priority === null ? [] : [[fields.priorityLabel, entry.priority] as const]),
    [fields.valueLabel, entry.value],
    ...(fields.ttlLabel === null ? [] : [[fields.ttlLabel, String(recordTtl)] as const]),
  ]
}

function doneText({ records }: SetupSheet, language: Language): string {
  const done = records.filter(record => !isOpen(record))
  if (done.length === 0) return ''
  return [words.done[language], ...done.map(({ title, name }) => `- ${title}: ${name}`)].join('\n')
}

function removableText({ removable }: SetupSheet, language: Language): string {
  if (removable.length === 0) return ''
  return [words.removable[language], ...removable.map(({ type, name }) => `- ${type}: ${name}`)].join('\n')
}
