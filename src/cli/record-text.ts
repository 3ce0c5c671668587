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
export function recordText(context: CliContext, record: Shown, at: TimeText, remark = ''): string {
  const heading = `${record.purpose.toUpperCase()}  ${stateText(context, record.state)}${remark}`
  const { found } = record
  const explained = record.state === 'published' ? [] : (['ja', 'en'] as const).map(language => told(language, record))
  return [
    heading,
    facts([
      ['  name', record.name],
      ['  type', record.type],
      ['  value', record.value || null],
      ...mergeFacts(record),
      ...explained.flat(),
      ...(found.length > 0 ? [['  found', found.join('\n')] as const] : []),
      ...witnesses(context, record, at),
      ['  checked', at(record.checkedAt)],
    ]),
  ].join('\n')
}

/** What is new in a live record, what else was changed, and the lookups it takes. */
function mergeFacts(record: Shown) {
  if (record.state === 'published') return []
  const { parts, changes, lookups } = record
  const added = parts.filter(({ isNew }) => isNew).map(({ text }) => text)
  return [
    ...(added.length > 0 && added.length < parts.length ? [['  new', added.join(' … ')] as const] : []),
    ...changes.flatMap(({ ja, en }) => [['  変更', ja] as const, ['  change', en] as const]),
    ...(lookups === null ? [] : [['  lookups', lookupText(lookups)] as const]),
  ]
}

function lookupText({ before, after, limit }: NonNullable<RecordAnswer['lookups']>): string {
  return `${before ?? '–'} → ${after} (limit ${limit})`
}

/** Every form stands alone on its line, to be copied whole. */
export function formsText({ purpose, type, value, forms, fix }: RecordAnswer): string {
  const given = [
    ['  value', forms.line] as const,
    ...(type === 'TXT' ? [['  in quotes', forms.zone] as const] : []),
    ['  zone file', forms.zoneLine] as const,
  ]
  return [
    `${purpose.toUpperCase()}  ${type}`,
    facts([
      ['  host', forms.host.short],
      ['  full name', forms.host.full],
      ...(value === '' ? [['  対処', fix.ja] as const, ['  fix', fix.en] as const] : given),
    ]),
  ].join('\n')
}

/** A key of 400 characters is shown once, above. */
function told(language: 'ja' | 'en', { message, fix, value }: Shown) {
  const [why, what, above] =
    language === 'ja' ? ['  理由', '  対処', '上の値'] : ['  reason', '  fix', 'the value above']
  return [
    [why, message[language]] as const,
    [what, value === '' ? fix[language] : fix[language].replaceAll(value, above)] as const,
  ]
}

/** Who was asked and what each said; when the record is seen by all. */
function witnesses(
  context: CliContext,
  { servers, resolvers, reason, asked, visibleAt, visibleWithin }: Shown,
  at: TimeText,
) {
  const said = [
    ...servers.map(server => serverText(context, server, 'name server')),
    ...resolvers.map(server => serverText(context, server, 'resolver')),
  ]
  return [
    ...(said.length > 0 ? [['  seen by', said.join('\n')] as const] : []),
    ...(asked !== null && servers.every(({ state }) => state === 'dns-error')
      ? [['  asked', `${asked.ja}\n${asked.en}`] as const]
      : []),
    ...(visibleAt === null ? [] : [['  visible', momentText(at(visibleAt), reason)] as const]),
    ...(visibleWithin === null ? [] : [['  visible', withinText(visibleWithin)] as const]),
  ]
}

/** Name servers that lag behind have to catch up first, and nobody knows when they will. */
function momentText(moment: string, reason: string): string {
  if (reason === 'not-everywhere') return `いま揃えば ${moment} まで / by then, if the name servers agree now`
  return `${moment} まで / by then at the latest`
}

function withinText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  return `設定後 ${minutes} 分以内 / within ${minutes} min of being published`
}

function serverText(context: CliContext, answer: RecordAnswer['servers'][number], role: string): string {
  const { server, address, state, reason, ttl, message } = answer
  const who = address === '' || server.includes(address) ? server : `${server} (${address})`
  if (state === 'dns-error') return `${role} ${who}  ${colour(context, 'yellow', reason)}  ${message.ja} ${message.en}`
  return `${role} ${who}  ${stateText(context, state)}${reason === 'ok' ? '' : ` ${reason}`}, TTL ${ttl}`
}
