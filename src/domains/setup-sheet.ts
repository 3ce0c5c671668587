/**
 * What the person who edits the DNS of a domain needs to know and nothing else: each record as their panel wants it, how
 * it stands, what to do, and when that will be visible. The share page and the request (設定依頼書) are made of it.
 *
 * Names no account, no resolver of ours and no other domain.
 */
import type { DomainName, Instant } from '../mail/ids.ts'
import type { DnsRecord, RecordState } from '../mail/sender-domain.ts'
import type { DomainView, RecordView } from './domain-view.ts'
import { type PanelEntry, panelEntry } from './panel-entry.ts'
import { type Provider, providerOf } from './providers.ts'
import { type Bilingual, recordNames } from './reasons.ts'
import { hostIn } from './record-forms.ts'
import { recordKinds } from './records/index.ts'

/** What to do in the panel; `move`: the record stands at a wrong name. */
export type SetupAction = 'none' | 'add' | 'replace' | 'replace-all' | 'move'

export interface SetupRecord extends DnsRecord {
  readonly title: string
  /** Mail does not wait for it. */
  readonly isAdvice: boolean
  readonly entry: PanelEntry
  /** The host without the zone, and without a provider's ways. */
  readonly shortHost: string
  readonly state: RecordState
  readonly message: Bilingual
  readonly fix: Bilingual
  readonly found: readonly string[]
  readonly action: SetupAction
  /** The value in pieces, joined by spaces; new ones are not in the live record. Empty: nothing to mark. */
  readonly parts: readonly ValuePart[]
  /** When resolvers will see what the authoritative servers have; null: nothing to wait for, or not known. */
  readonly visibleAt: Instant | null
}

export interface ValuePart {
  readonly text: string
  readonly isNew: boolean
}

export interface SetupSheet {
  readonly domain: DomainName
  /** What panels append to hosts. */
  readonly zone: DomainName
  readonly provider: Provider | null
  readonly records: readonly SetupRecord[]
  /** Of those that mail waits for. */
  readonly published: number
  readonly needed: number
  readonly checkedAt: Instant | null
}

/** Seconds: soon enough to mend a slip, and what most panels offer. */
export const suggestedTtl = 3600

const unknownNow: Bilingual = {
  ja: 'DNS サーバーから応答が得られず、確認できませんでした。設定の誤りとは限りません。',
  en: 'The DNS servers did not answer, so this could not be checked. That does not mean that anything is wrong.',
}

export function setupSheet(view: DomainView): SetupSheet {
  const provider = providerOf(view.nameServers)
  const zone = view.zone ?? view.name
  const records = view.records.map(record => setupRecord(record, provider, zone))
  const needed = records.filter(({ isAdvice }) => !isAdvice)
  const checked = view.records.flatMap(({ checkedAt }) => checkedAt ?? [])
  return {
    ...{ domain: view.name, zone, provider, records, needed: needed.length },
    published: needed.filter(({ state }) => state === 'published').length,
    checkedAt: checked.length === 0 ? null : Math.min(...checked),
  }
}

function setupRecord(record: RecordView, provider: Provider | null, zone: DomainName): SetupRecord {
  const { purpose, type, name, value, state, fix, found } = record
  const action = actionFor(record)
  return {
    ...{ purpose, type, name, value, state, fix, found, action },
    title: recordNames[purpose],
    isAdvice: recordKinds.find(kind => kind.purpose === purpose)?.isAdvice ?? false,
    entry: panelEntry(provider, record, zone),
    shortHost: name === zone ? '@' : hostIn(zone, name),
    // The trouble names the resolvers that were asked.
    message: state === 'dns-error' ? unknownNow : record.message,
    parts: action === 'replace' ? partsOf(record) : [],
    visibleAt: visibleAt(record),
  }
}

/** Reasons whose record was found at another name than the one it should have. */
const elsewhere = ['host-doubled', 'at-apex']
/** What was found is an older record that may stay. */
const beside = ['old-selector']

function actionFor({ state, reason, found }: RecordView): SetupAction {
  if (state === 'published') return 'none'
  if (found.length === 0 || beside.includes(reason)) return 'add'
  if (elsewhere.includes(reason)) return 'move'
  return found.length > 1 ? 'replace-all' : 'replace'
}

/** As the merge tells it; without that by comparison with the live record, term by term. */
function partsOf(record: RecordView & { readonly parts?: readonly ValuePart[] | null }): readonly ValuePart[] {
  if (record.parts && record.parts.length > 0) return record.parts
  if (record.purpose !== 'spf') return []
  const live = new Set(record.found.join(' ').toLowerCase().split(/\s+/))
  return record.value.split(' ').map(text => ({ text, isNew: !live.has(text.toLowerCase()) }))
}

function visibleAt(record: RecordView & { readonly visibleAt?: Instant | null }): Instant | null {
  return record.visibleAt ?? null
}
