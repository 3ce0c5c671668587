/**
 * What is told to the outside and kept as a timeline: one row per thing that happened.
 */
import type { AccountId, DomainName, EntryId, Instant, MessageId } from './ids.ts'

export const eventTypes = [
  'message.accepted',
  'message.delivered',
  'message.deferred',
  'message.bounced',
  'message.cancelled',
  'message.bounced_later',
  'message.delayed_later',
  'message.complained',
  'message.held',
  'message.released',
  'message.retried',
  'message.rescheduled',
  'message.warned',
  'domain.registered',
  'domain.deleted',
  'domain.restored',
  'domain.claim_opened',
  'domain.claimed',
  'domain.key_issued',
  'domain.key_state',
  'domain.published',
  'domain.record_lost',
  'domain.check_changed',
  'sender.removed',
  'sender.smtp_failed',
  'sender.smtp_works',
  'domain.bulk_sender_near',
  'domain.bulk_sender',
  'warm_up.started',
  'warm_up.advanced',
  'warm_up.paused',
  'warm_up.resumed',
  'warm_up.finished',
  'suppression.added',
  'suppression.removed',
  'queue.suspended',
  'queue.resumed',
] as const
export type EventType = (typeof eventTypes)[number]

/** An event about to be written; the store gives it its `seq`. */
export interface NewEvent {
  readonly type: EventType
  readonly at: Instant
  readonly account: AccountId | null
  readonly message?: MessageId
  readonly entry?: EntryId
  readonly recipient?: string
  readonly domain?: DomainName
  /** Plain JSON; for message outcomes the `Outcome` itself. */
  readonly data: unknown
}

export interface Event extends NewEvent {
  /** Grows with every event; a cursor for readers. */
  readonly seq: number
}
