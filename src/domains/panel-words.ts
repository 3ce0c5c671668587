/**
 * The labels of a record's fields: those of the provider's panel where they are known, and how an empty host is said.
 */
import type { DomainName } from '../mail/ids.ts'
import type { PanelFields, Provider } from './providers.ts'
import type { Bilingual } from './reasons.ts'
import type { SetupRecord } from './setup-sheet.ts'

export interface PanelWords {
  readonly hostLabel: string
  readonly typeLabel: string
  readonly valueLabel: string
  /** Null: the panel has no such field. */
  readonly ttlLabel: string | null
  readonly priorityLabel: string
  /** The host to type; in words when the field stays empty. */
  readonly hostShown: string
  /** What the panel does to hosts, or may do. */
  readonly hostHint: string
}

const neutral: Required<PanelFields> = {
  host: { ja: 'ホスト名', en: 'Host' },
  type: { ja: '種別', en: 'Type' },
  value: { ja: '値', en: 'Value' },
  ttl: { ja: 'TTL（秒）', en: 'TTL (seconds)' },
  priority: { ja: '優先度', en: 'Priority' },
}

const empty: Bilingual = { ja: '（空欄のまま）', en: '(leave empty)' }
const hints = {
  appended: {
    ja: '「.{zone}」は自動で付くため、入力しないでください。',
    en: '".{zone}" is appended by the panel: leave it out.',
  },
  apex: { ja: 'ドメイン自体のレコードです。', en: 'This is the record of the domain itself.' },
  unknownApex: {
    ja: 'ドメイン自体のレコードです。画面により「@」、空欄、またはドメイン名を入力します。',
    en: 'This is the record of the domain itself: panels want "@", an empty field, or the domain name.',
  },
  unknown: {
    ja: '画面が「.{zone}」を自動で付けない場合は、完全な名前を入力してください。',
    en: 'Where the panel does not append ".{zone}", write the full name.',
  },
} as const satisfies Record<string, Bilingual>

export function panelWords(
  provider: Provider | null,
  zone: DomainName,
  { name, entry }: Pick<SetupRecord, 'name' | 'entry'>,
  language: keyof Bilingual,
): PanelWords {
  const fields = { ...neutral, ...provider?.fields }
  const labelOf = (field: keyof PanelFields) => understood(fields[field][language], neutral[field][language])
  const isKnown = provider?.apex !== undefined
  const hint = name === zone ? hints[isKnown ? 'apex' : 'unknownApex'] : hints[isKnown ? 'appended' : 'unknown']
  return {
    hostLabel: labelOf('host'),
    typeLabel: labelOf('type'),
    valueLabel: labelOf('value'),
    ttlLabel: provider?.fields !== undefined && provider.fields.ttl === undefined ? null : labelOf('ttl'),
    priorityLabel: labelOf('priority'),
    hostShown: entry.host === '' ? empty[language] : entry.host,
    hostHint: hint[language].replaceAll('{zone}', zone),
  }
}

/** A Japanese label is what the panel shows; who reads English is told what it means. */
function understood(label: string, meaning: string): string {
  return /^[\x20-\x7e]*$/.test(meaning) && /[^\x20-\x7e]/.test(label) ? `${label} (${meaning})` : label
}
