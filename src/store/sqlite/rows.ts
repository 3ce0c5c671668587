/**
 * Messages, entries and events as they cross threads and stand in tables, and back.
 *
 * The calling thread writes JSON and tuples, because the writer's time is everybody's, and one string crosses a thread
 * cheaper than a tree of objects. Fails with TypeError when an entry is none of its message's recipients.
 */

import type { Event, EventType, NewEvent } from '../../mail/event.ts'
import type { EntryId, MessageId } from '../../mail/ids.ts'
import type { Message, QueueEntry } from '../../mail/message.ts'
import type { Action, Outcome } from '../../mail/outcome.ts'
import { rankOf } from '../../mail/priority.ts'
import { formatReply } from '../../mail/reply.ts'
import type { VolumeNote } from '../../mail/volume.ts'
import { isLimited } from '../../policy/token-bucket.ts'
import type { Lease, LeasedEntry, LimitUse, NewEntry, NewMessage } from '../store.ts'

export interface AcceptRow {
  readonly id: MessageId
  readonly account: string | null
  readonly senderDomain: string
  /** Its rank. */
  readonly priority: number
  readonly receivedAt: number
  /** Not to be tried before; 0: at once. */
  readonly releaseAt: number
  readonly facts: string
  readonly states: string
  readonly path: string | null
  /** Becomes a view of the batch's slab before it crosses (writer-client.ts). */
  bytes: Uint8Array | null
  readonly entries: readonly NewEntryRow[]
  readonly limitKeys: string | null
  readonly limits: readonly LimitUse[]
  readonly events: readonly EventRow[]
  readonly lease: Lease | null
  readonly announced: boolean
}

export type NewEntryRow = readonly [
  n: number,
  domain: string,
  nextAttemptAt: number,
  expiresAt: number,
  notice: number,
  leasable: boolean,
]

export type EventRow = readonly [
  type: EventType,
  at: number,
  account: string | null,
  message: MessageId | null,
  n: number | null,
  recipient: string | null,
  domain: string | null,
  data: string,
]

export interface OutcomeRow {
  readonly message: MessageId
  readonly n: number
  readonly action: Action
  readonly nextAttemptAt: number
  readonly class: string
  readonly reply: string
  readonly host: string | null
  readonly site: string | null
  readonly inDoubt: number
  readonly volume: VolumeNote | null
}

/** Columns of an entry that a LeasedEntry needs; `select ${entryColumns} from entry e`. */
export const entryColumns =
  'e.message, e.n, e.domain, e.attempts, e.next_attempt_at, e.expires_at, e.notice, e.in_doubt, e.held_reason, e.last_reply, e.last_host, e.last_site, e.waits_for, e.suspension'

export type EntryRow = readonly [
  message: number,
  n: number,
  domain: string,
  attempts: number,
  nextAttemptAt: number,
  expiresAt: number,
  notice: number,
  inDoubt: number,
  heldReason: string | null,
  lastReply: string | null,
  lastHost: string | null,
  lastSite: string | null,
  waitsFor: string | null,
  suspension: string | null,
]

/** Claimed entries and, once each, their messages' facts. */
export interface ClaimedRows {
  readonly entries: readonly EntryRow[]
  readonly messages: ReadonlyMap<number, string>
}

export function entryIdOf(message: MessageId, n: number): EntryId {
  return `${message}.${n}`
}

/** `n` is -1 when the text is no entry id. */
export function splitEntryId(entry: EntryId): { message: MessageId; n: number } {
  const dot = entry.lastIndexOf('.')
  const n = entry.slice(dot + 1)
  return { message: entry.slice(0, dot), n: dot > 0 && /^\d{1,9}$/.test(n) ? Number(n) : -1 }
}

export function acceptRow({ message, content, entries, limits, events, lease, announced }: NewMessage): AcceptRow {
  return {
    id: message.id,
    account: message.account,
    senderDomain: message.senderDomain,
    priority: rankOf(message.priority),
    receivedAt: message.receivedAt,
    releaseAt: message.releaseAt ?? 0,
    facts: JSON.stringify(message),
    states: statesOf(message, entries),
    path: content.kind === 'file' ? content.path : null,
    bytes: content.kind === 'inline' ? content.bytes : null,
    entries: entries.map(entry => newEntryRow(message, entry)),
    limitKeys: limits.length === 0 ? null : limits.map(({ key }) => shortenKey(message, key)).join(' '),
    limits: limits.filter(use => isLimited(use.limits)),
    events: events.map(eventRow),
    lease: lease ?? null,
    announced: announced ?? false,
  }
}

export function eventRow(event: NewEvent): EventRow {
  const { type, at, account, message, entry, recipient, domain, data } = event
  const n = entry === undefined ? null : splitEntryId(entry).n
  return [type, at, account, message ?? null, n, recipient ?? null, domain ?? null, JSON.stringify(data ?? null)]
}

export function outcomeRow(outcome: Outcome, volume: VolumeNote | null = null): OutcomeRow {
  return {
    message: outcome.message,
    n: splitEntryId(outcome.entry).n,
    action: outcome.action,
    nextAttemptAt: outcome.action === 'deferred' ? outcome.nextAttemptAt : 0,
    class: outcome.class,
    reply: outcome.action === 'deferred' ? formatReply(outcome.reply) : '',
    host: outcome.facts?.remoteMta ?? null,
    // Empty where no host was found.
    site: outcome.facts?.site || null,
    inDoubt: outcome.inDoubt ? 1 : 0,
    volume,
  }
}

export function leasedEntries({ entries, messages }: ClaimedRows): LeasedEntry[] {
  const parsed = new Map<number, Message>()
  for (const [seq, facts] of messages) parsed.set(seq, JSON.parse(facts) as Message)
  return entries.map(row => {
    const message = parsed.get(row[0])!
    return { entry: queueEntry(row, message), message }
  })
}

export function queueEntry(row: EntryRow, message: Message): QueueEntry {
  const [
    ,
    n,
    domain,
    attempts,
    nextAttemptAt,
    expiresAt,
    notice,
    inDoubt,
    heldReason,
    lastReply,
    lastHost,
    lastSite,
    waitsFor,
    suspension,
  ] = row
  return {
    id: entryIdOf(message.id, n),
    message: message.id,
    recipient: message.envelope.recipients[n]!,
    domain,
    attempts,
    nextAttemptAt,
    expiresAt,
    delayNotified: notice === 2,
    inDoubt: inDoubt === 1,
    ...(heldReason !== null && { heldReason }),
    ...(suspension !== null && { suspension }),
    ...(lastReply !== null && { lastReply }),
    ...(lastHost !== null && { lastHost }),
    ...(lastSite !== null && { lastSite }),
    ...(waitsFor !== null && { waitsFor }),
  }
}

export interface StoredEvent {
  readonly seq: number
  readonly type: EventType
  readonly at: number
  readonly account: string | null
  readonly message: string | null
  readonly n: number | null
  readonly recipient: string | null
  readonly domain: string | null
  readonly data: string
}

export function eventOf({ message, n, recipient, domain, data, ...row }: StoredEvent): Event {
  return {
    ...row,
    ...(message !== null && { message }),
    ...(message !== null && n !== null && { entry: entryIdOf(message, n) }),
    ...(recipient !== null && { recipient }),
    ...(domain !== null && { domain }),
    data: JSON.parse(data) as unknown,
  }
}

/** The message's own account and sender domain are one letter each: they stand beside it in the row. */
export function expandKeys(limitKeys: string | null, account: string | null, senderDomain: string): string[] {
  if (limitKeys === null) return []
  return limitKeys.split(' ').map(key => {
    if (key === 'a') return `account:${account}`
    return key === 'd' ? `domain:${senderDomain}` : key
  })
}

function shortenKey(message: Message, key: string): string {
  if (key === `account:${message.account}`) return 'a'
  return key === `domain:${message.senderDomain}` ? 'd' : key
}

function newEntryRow(message: Message, entry: NewEntry): NewEntryRow {
  const { n } = splitEntryId(entry.id)
  if (message.envelope.recipients[n]?.address !== entry.recipient.address)
    throw new TypeError(
      `entry ${entry.id} is for ${entry.recipient.address}, which is not recipient ${n} of its message`,
    )
  const notice = wantsDelayNotice(message, entry) ? 1 : 0
  return [n, entry.domain, entry.nextAttemptAt, entry.expiresAt, notice, entry.leasable !== false]
}

/** RFC 3461 §4.1: DELAY asked for, or nothing said (§5.2.7 allows one). Never about a report, never to `<>`. */
function wantsDelayNotice(message: Message, { recipient }: NewEntry): boolean {
  if (message.origin === 'dsn' || message.envelope.reversePath === null) return false
  return recipient.notify === undefined || recipient.notify.includes('DELAY')
}

function statesOf(message: Message, entries: readonly NewEntry[]): string {
  const count = message.envelope.recipients.length
  if (entries.length === count) return 'q'.repeat(count)
  const states = Array<string>(count).fill('-')
  for (const entry of entries) states[splitEntryId(entry.id).n] = 'q'
  return states.join('')
}
