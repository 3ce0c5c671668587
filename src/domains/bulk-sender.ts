/**
 * How near a sender domain is to what Gmail and Outlook.com call a bulk sender, and whether it does what they ask of one.
 *
 * Both ask the same of whoever sends 5,000 a day to mailboxes of persons (support.google.com/a/answer/81126; Microsoft since
 * May 2025), and Gmail remembers it for good. They count all of an organisation's subdomains together: its sum stands beside
 * the count of each sender domain.
 * What nobody tells a sender (its spam rate) stays unknown, with the place to look. Pure.
 */
import type { CalendarDay, DomainName } from '../mail/ids.ts'
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

export interface Gauge extends Filled {
  readonly receiver: Receiver
  readonly limit: number
  /** Of all that its organisation sends; null: that is only this domain. */
  readonly organisation: Filled | null
}

export interface Filled {
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
  /** Of the organisation: of its own name, and of all its subdomains; absent: it has none but this. */
  readonly organisation?: Organisation | undefined
  /** Of the days kept, and … */
  readonly volumes: readonly Volume[]
  /** … the first day that says something about how it sends now. */
  readonly recently: CalendarDay
}

export interface Organisation {
  readonly name: DomainName
  readonly volumes: readonly Volume[]
}

/** Gmail's bound; below 0.1 % is what it recommends. */
const spamBound = 0.003

export function gaugesOf(facts: Pick<BulkSenderFacts, 'volumes' | 'today' | 'organisation'>): Gauge[] {
  const { volumes, today, organisation } = facts
  return receivers.flatMap(receiver => {
    const { id, bulkFrom: limit } = receiver
    if (limit === null) return []
    const filled = (of: readonly Volume[]) => filledBy(of, { id, limit }, today)
    return [
      {
        receiver,
        limit,
        ...filled(volumes),
        organisation: organisation ? filled(organisation.volumes) : null,
      } as const,
    ]
  })
}

function filledBy(
  volumes: readonly Volume[],
  { id, limit }: { readonly id: string; readonly limit: number },
  today: CalendarDay,
): Filled {
  const days = new Map<CalendarDay, number>()
  for (const { receiver, day, delivered } of volumes)
    if (receiver === id) days.set(day, (days.get(day) ?? 0) + delivered)
  const sent = days.get(today) ?? 0
  const [most = null] = [...days]
    .map(([day, delivered]) => ({ day, delivered }))
    .toSorted((a, b) => b.delivered - a.delivered)
  const highest = most?.delivered ?? 0
  const state = highest >= limit ? 'bulk-sender' : highest >= limit * nearShare ? 'near' : 'below'
  return { today: sent, share: sent / limit, most, state }
}

export function checklistOf(facts: BulkSenderFacts): ChecklistEntry[] {
  const sent = recent(facts)
  const toThem = recent(facts, receiver => bulkFrom(receiver) !== null)
  return [
    ...organisationEntry(facts),
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

/** Its rules hold for each of its subdomains, also for one that sends little. */
function organisationEntry(facts: BulkSenderFacts): ChecklistEntry[] {
  if (facts.organisation === undefined) return []
  const gauges = gaugesOf(facts)
  const [fullest] = gauges.toSorted((a, b) => mostOf(b) - mostOf(a))
  const states = gauges.map(({ organisation }) => organisation!.state)
  const state = states.includes('bulk-sender') ? 'missing' : states.includes('near') ? 'unknown' : 'done'
  const { message, fix } = checklistTexts.organisation[state]
  const values = {
    organisation: facts.organisation.name,
    most: String(mostOf(fullest!)),
    limit: String(fullest!.limit),
  }
  return [{ item: 'organisation', state, message: filledWith(message, values), fix: filledWith(fix, values) }]
}

function mostOf({ organisation }: Gauge): number {
  return organisation?.most?.delivered ?? 0
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
  return filledWith({ ja, en }, values)
}

function filledWith({ ja, en }: Bilingual, values: Readonly<Record<string, string>>): Bilingual {
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
  return { ja: fill(ja), en: fill(en) }
}
