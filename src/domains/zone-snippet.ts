/**
 * All records of a domain as lines of a zone file (RFC 1035 §5), to be put into BIND, NSD, Knot or a panel that imports.
 *
 * Names are full, so the lines need no $ORIGIN. Each record has its state above it in Japanese and English; one that
 * can't be given stands as a comment with what to do first. Comments never break out of their line.
 */
import type { DomainView, RecordView } from './domain-view.ts'
import { recordNames } from './reasons.ts'
import { isInPlace } from './records/record-kind.ts'

const stateTexts: Readonly<Record<RecordView['state'], string>> = {
  published: '設定済 / published',
  'not-published': '未設定 / not published',
  'dns-error': '確認不可 / DNS error',
  unchecked: '未確認 / not checked yet',
}

export function zoneSnippet({ name, records }: DomainView): string {
  const heading = [`${name}: メール送信に必要な DNS レコード / DNS records that its mail needs`]
  return [comment(heading), ...records.map(recordLines)].map(block => `${block}\n`).join('\n')
}

function recordLines(record: RecordView): string {
  const { purpose, state, forms } = record
  const lines = [`${recordNames[purpose]}: ${stateTexts[state]}`, ...advice(record)]
  return [comment(lines), forms.zoneLine].filter(line => line !== '').join('\n')
}

function advice({ state, reason, found, fix, value }: RecordView): string[] {
  if (isInPlace({ state, reason })) return []
  if (value === '') return [fix.ja, fix.en]
  if (state !== 'not-published' || found.length === 0) return []
  const there = found.map(text => `  ${text}`)
  return ['次の内容は、下のレコードに置き換えてください / replace this by the record below:', ...there]
}

function comment(lines: readonly string[]): string {
  return lines.map(line => `; ${line.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '\ufffd')}`).join('\n')
}
