/**
 * How near a sender domain is to what Gmail and Outlook.com call a bulk sender, and whether it does what they ask of one.
 *
 * Both ask the same of whoever sends 5,000 a day to mailboxes of persons (support.google.com/a/answer/81126; Microsoft since
 * May 2025), and Gmail remembers it for good. They count all of a company's subdomains together, Kitte each sender domain.
 * What nobody tells a sender (its spam rate) stays unknown, with the place to look. Pure.
 */
import type { CalendarDay } from '../mail/ids.ts'
import type { RecordState } from '../mail/sender-domain.ts'
import type { Volume } from '../mail/volume.ts'
import { bulkFrom, nearShare, type Receiver, receivers } from '../policy/receivers.ts'
import { type ChecklistItem, checklistTexts } from './bulk-sender-texts.ts'
import type { DomainView } from './domain-view.ts'
import type { Bilingual } from './reasons.ts'
import type { RelayView } from './relay-dns.ts'

export type ChecklistState = 'done' | 'missing' | 'unknown'

export interface ChecklistEntry {
  readonly item: ChecklistItem
  readonly state: ChecklistState
  readonly message: Bilingual
  readonly fix: Bilingual
}

export interface Gauge {
  readonly receiver: Receiver
  readonly limit: number
  /** Delivered today. */
  readonly today: number
  /** Of the limit, today. */
  readonly share: number
  /** The day on which most was delivered, of those kept. */
  readonly most: { readonly day: CalendarDay; readonly delivered: number } | null
  /** By the day on which most was delivered: a receiver remembers it. */
  readonly state: 'below' | 'near' | 'bulk-sender'
}

export interface BulkSenderFacts {
  readonly domain: Pick<DomainView, 'spf' | 'dkim' | 'mode' | 'records'>
  readonly relay: Pick<RelayView, 'records'>
  readonly today: CalendarDay
  /** Of the days kept, and … */
  readonly volumes: readonly Volume[]
  /** … the first day that says something about how it sends now. */
  readonly recently: CalendarDay
}

/** Gmail's bound; below 0.1 % is what it recommends. */
const spamBound = 0.003

export function gaugesOf({ volumes, today }: Pick<BulkSenderFacts, 'volumes' | 'today'>): Gauge[] {
  return receivers.flatMap(receiver => {
    const { id, bulkFrom: limit } = receiver
    if (limit === null) return []
    const days = volumes.filter(volume => volume.receiver === id)
    const sent = days.find(({ day }) => day === today)?.delivered ?? 0
    const [most = null] = days.toSorted((a, b) => b.delivered - a.delivered)
    const highest = most?.delivered ?? 0
    const state = highest >= limit ? 'bulk-sender' : highest >= limit * nearShare ? 'near' : 'below'
    return [{ receiver, limit, today: sent, share: sent / limit, most: most && pick(most), state } as const]
  })
}

function pick({ day, delivered }: Volume) {
  return { day, delivered }
}

export function checklistOf(facts: BulkSenderFacts): ChecklistEntry[] {
  const sent = recent(facts)
  const toThem = recent(facts, receiver => bulkFrom(receiver) !== null)
  return [
    record('spf', facts.domain.spf),
    record('dkim', facts.domain.dkim),
    record('dmarc', stateOf(facts.domain.records, 'dmarc')),
    entry('alignment', alignment(facts)),
    entry('one-click', sent.delivered === 0 ? 'unknown' : sent.oneClick > 0 ? 'done' : 'missing', sent),
    entry('reverse-name', reverseName(facts)),
    entry('tls', toThem.delivered === 0 ? 'unknown' : toThem.tls === toThem.delivered ? 'done' : 'missing', toThem),
    entry('spam-rate', sent.complained > sent.delivered * spamBound ? 'missing' : 'unknown', sent),
  ]
}

function record(item: ChecklistItem, state: RecordState): ChecklistEntry {
  return entry(item, state === 'published' ? 'done' : state === 'not-published' ? 'missing' : 'unknown')
}

function stateOf(records: readonly { readonly purpose: string; readonly state: RecordState }[], purpose: string) {
  return records.find(one => one.purpose === purpose)?.state ?? 'unchecked'
}

/** DKIM of the domain's own aligns wherever mail is forwarded to; SPF alone aligns until then. */
function alignment({ domain: { spf, dkim } }: BulkSenderFacts): ChecklistState {
  if (dkim === 'published' || spf === 'published') return 'done'
  return dkim === 'not-published' && spf === 'not-published' ? 'missing' : 'unknown'
}

function reverseName({ relay: { records } }: BulkSenderFacts): ChecklistState {
  const states = records.filter(({ purpose }) => purpose === 'address' || purpose === 'ptr').map(({ state }) => state)
  if (states.includes('not-published')) return 'missing'
  return states.length > 0 && states.every(state => state === 'published') ? 'done' : 'unknown'
}

type Sent = Pick<Volume, 'delivered' | 'complained' | 'tls' | 'oneClick'>

function recent({ volumes, recently }: BulkSenderFacts, counts: (receiver: string) => boolean = () => true): Sent {
  const counted = volumes.filter(({ day, receiver }) => day >= recently && counts(receiver))
  const sum = (field: keyof Sent) => counted.reduce((total, volume) => total + volume[field], 0)
  return { delivered: sum('delivered'), complained: sum('complained'), tls: sum('tls'), oneClick: sum('oneClick') }
}

function entry(item: ChecklistItem, state: ChecklistState, sent?: Sent): ChecklistEntry {
  const { message, fix } = checklistTexts[item][state]
  return { item, state, message: filled(message, sent), fix: filled(fix, sent) }
}

function filled({ ja, en }: Bilingual, sent: Sent | undefined): Bilingual {
  if (sent === undefined) return { ja, en }
  const percent = (count: number) => (sent.delivered === 0 ? '0' : ((count / sent.delivered) * 100).toFixed(1))
  const values: Readonly<Record<string, string>> = {
    sent: String(sent.delivered),
    oneClick: percent(sent.oneClick),
    tls: percent(sent.tls),
    complained: percent(sent.complained),
  }
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
  return { ja: fill(ja), en: fill(en) }
}
