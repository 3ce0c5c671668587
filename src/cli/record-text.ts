/**
 * A DNS record for a terminal: what to publish, how it stands, and when it does not count why, in Japanese and English.
 */

import type { RecordAnswer } from '../admin/routes/domains.ts'
import type { RelayAnswer } from '../admin/routes/relay.ts'
import { type CliContext, colour } from './context.ts'
import { facts } from './table.ts'
import type { TimeText } from './times.ts'

type Shown = RecordAnswer | RelayAnswer['records'][number]

/** 設定済 and 未設定, as the API's states. */
const stateTexts = {
  published: ['設定済 / published', 'green'],
  'not-published': ['未設定 / not published', 'red'],
  'dns-error': ['確認不可 / DNS error', 'yellow'],
  unchecked: ['未確認 / not checked yet', 'dim'],
} as const

export function stateText(context: CliContext, state: Shown['state']): string {
  const [text, style] = stateTexts[state]
  return colour(context, style, text)
}

/** Name and value stand alone on their lines, to be copied whole. */
export function recordText(context: CliContext, record: Shown, at: TimeText): string {
  const heading = `${record.purpose.toUpperCase()}  ${stateText(context, record.state)}`
  const { found } = record
  const explained = record.state === 'published' ? [] : (['ja', 'en'] as const).map(language => told(language, record))
  return [
    heading,
    facts([
      ['  name', record.name],
      ['  type', record.type],
      ['  value', record.value],
      ...explained.flat(),
      ...(found.length > 0 ? [['  found', found.join('\n')] as const] : []),
      ['  checked', at(record.checkedAt)],
    ]),
  ].join('\n')
}

/** A key of 400 characters is shown once, above. */
function told(language: 'ja' | 'en', { message, fix, value }: Shown) {
  const [why, what, above] =
    language === 'ja' ? ['  理由', '  対処', '上の値'] : ['  reason', '  fix', 'the value above']
  return [[why, message[language]] as const, [what, fix[language].replaceAll(value, above)] as const]
}
