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

/**
 * What to do in the panel; `move`: the record stands at a wrong name, `wait`: it was set and is on its way to everybody,
 * `mend`: something else must be put right before a value can be given, `unknown`: nobody could say what is there now.
 */
export type SetupAction = 'none' | 'add' | 'replace' | 'replace-all' | 'move' | 'wait' | 'mend' | 'unknown'

export interface SetupRecord extends DnsRecord {
  readonly title: string
  /** Mail does not wait for it. */
  readonly isAdvice: boolean
  readonly entry: PanelEntry
  readonly state: RecordState
  readonly message: Bilingual
  /** What the action and the fields don't say already. */
  readonly fix: Bilingual | null
  readonly found: readonly string[]
  readonly action: SetupAction
  /** The value in pieces, joined by spaces; new ones are not in the live record. Empty: nothing to mark. */
  readonly parts: readonly ValuePart[]
  /** What is changed in the live record, in words. */
  readonly changes: readonly Bilingual[]
  /** When resolvers will see what the authoritative servers have; null: nothing to wait for, or not known. */
  readonly visibleAt: Instant | null
}

export interface ValuePart {
  readonly text: string
  readonly isNew: boolean
}

export interface RemovableRecord extends Pick<DnsRecord, 'type' | 'name'> {
  /** Without the zone, as panels list it. */
  readonly host: string
}

export interface SetupSheet {
  readonly domain: DomainName
  /** What panels append to hosts. */
  readonly zone: DomainName
  readonly provider: Provider | null
  readonly records: readonly SetupRecord[]
  /** Records of former DKIM keys, which can be deleted if they are still there. */
  readonly removable: readonly RemovableRecord[]
  /** Of those that mail waits for. */
  readonly published: number
  readonly needed: number
  readonly checkedAt: Instant | null
}

/** Nobody needs to be asked for what is published or on its way. */
export function isOpen({ action }: SetupRecord): boolean {
  return action !== 'none' && action !== 'wait'
}

const unknownNow: Bilingual = {
  ja: 'DNS サーバーから応答が得られず、確認できませんでした。設定の誤りとは限りません。',
  en: 'The DNS servers did not answer, so this could not be checked. That does not mean that anything is wrong.',
}

const notYetVisible: Bilingual = {
  ja: 'すべてのネームサーバーに登録されました。受信側が覚えている以前の内容が消えるのを待っています。',
  en: 'The record is at all name servers. Receivers may remember what was there before for a while.',
}

export function setupSheet(view: DomainView): SetupSheet {
  const provider = providerOf(view.nameServers)
  const zone = view.zone ?? view.name
  const records = view.records.map(record => setupRecord(record, provider, zone))
  const needed = records.filter(({ isAdvice }) => !isAdvice)
  const checked = view.records.flatMap(({ checkedAt }) => checkedAt ?? [])
  return {
    ...{ domain: view.name, zone, provider, records, needed: needed.length },
    removable: removableRecords(view, zone),
    published: needed.filter(({ state }) => state === 'published').length,
    checkedAt: checked.length === 0 ? null : Math.min(...checked),
  }
}

function removableRecords({ keys, records }: DomainView, zone: DomainName): readonly RemovableRecord[] {
  return keys
    .filter(({ canBeDeleted, record }) => canBeDeleted && !records.some(({ name }) => name === record))
    .map(({ record }) => ({ type: 'TXT', name: record, host: hostIn(zone, record) }))
}

function setupRecord(record: RecordView, provider: Provider | null, zone: DomainName): SetupRecord {
  const { purpose, type, name, value, state, found } = record
  const action = actionFor(record)
  const isMerge = action === 'replace' || action === 'replace-all'
  return {
    ...{ purpose, type, name, value, state, found, action },
    title: recordNames[purpose],
    isAdvice: recordKinds.find(kind => kind.purpose === purpose)?.isAdvice ?? false,
    entry: panelEntry(provider, record, zone),
    message: messageOf(record),
    fix: needsFix(record, action) ? record.fix : null,
    parts: isMerge && record.parts.some(({ isNew }) => !isNew) ? record.parts : [],
    changes: isMerge ? record.changes : [],
    visibleAt: action === 'wait' ? record.visibleAt : null,
  }
}

/** The sentences of both name the resolvers that were asked. */
function messageOf({ state, reason, message }: RecordView): Bilingual {
  if (state === 'dns-error') return unknownNow
  return reason === 'not-yet-visible' ? notYetVisible : message
}

/** Reasons whose record was found at another name than the one it should have. */
const elsewhere = ['host-doubled', 'at-apex']
const onItsWay = ['not-yet-visible', 'not-everywhere']

function actionFor({ state, reason, found, value }: RecordView): SetupAction {
  if (state === 'published') return 'none'
  // A second SPF record would undo the first.
  if (state !== 'not-published') return 'unknown'
  if (onItsWay.includes(reason)) return 'wait'
  if (value === '') return 'mend'
  // What was found of an older key stays: mail signed with it may be under way.
  if (found.length === 0 || reason === 'old-selector') return 'add'
  if (elsewhere.includes(reason)) return 'move'
  return found.length > 1 ? 'replace-all' : 'replace'
}

function needsFix({ reason, fix, value, state }: RecordView, action: SetupAction): boolean {
  if (action === 'none' || state === 'unchecked' || reason === 'not-yet-visible') return false
  return action === 'mend' || !fix.en.includes(value)
}
