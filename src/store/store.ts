import type { Event, EventType } from '../mail/event.ts'
import type { AccountId, DomainName, EntryId, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Suppression } from '../mail/suppression.ts'
import type { Webhook, WebhookId, WebhookProgress } from '../mail/webhook.ts'

import type { Page, QueueStore } from './queue-store.ts'
import type { VolumeStore, WarmUpName, WarmUpStore } from './sending-store.ts'
import type { StsPolicyStore } from './sts-policy-store.ts'
import type { SuppressionStore } from './suppression-store.ts'
import type { DetourStore, QueueOperationStore, SuspensionStore } from './suspension-store.ts'
import type { AccountStore, ClaimStore, DomainStore, ShareLinkStore } from './tenant-store.ts'
import type { TlsReportStore } from './tls-report-store.ts'

export type * from './queue-store.ts'
export type * from './sending-store.ts'
export type * from './sts-policy-store.ts'
export type * from './suppression-store.ts'
export type * from './suspension-store.ts'
export type * from './tenant-store.ts'
export type * from './tls-report-store.ts'

export interface Store
  extends QueueStore,
    AccountStore,
    DomainStore,
    ClaimStore,
    ShareLinkStore,
    EventStore,
    VolumeStore,
    WarmUpStore,
    WebhookStore,
    RequestStore,
    TlsReportStore,
    StsPolicyStore,
    SuppressionStore,
    SuspensionStore,
    DetourStore,
    QueueOperationStore,
    SettingStore {
  /** Told after commit, in every thread that opened the store, when something cached elsewhere may have changed. */
  onChange(listener: (change: Change) => void): () => void
  /** Whether writing works and how much room is left. Never throws. */
  health(): Promise<StoreHealth>
  close(): Promise<void>
}

export type Change =
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'credential'; readonly username: string }
  | { readonly kind: 'sender'; readonly address: Mailbox }
  | { readonly kind: 'domain'; readonly name: DomainName }
  | { readonly kind: 'webhook'; readonly id: WebhookId }
  | { readonly kind: 'warm-up'; readonly of: WarmUpName }
  /** Any of them: they are few, and read whole. */
  | { readonly kind: 'suspension' | 'detour' }
  /** Added; as `suppressedAddress` writes them. What is removed is told to nobody. */
  | {
      readonly kind: 'suppression'
      readonly account: AccountId | null
      readonly addresses: readonly Mailbox[]
      /** It was concluded from a bounce or a complaint. */
      readonly concluded?: Suppression
      /** These are over. */
      readonly ended?: readonly Suppression[]
    }
  /**
   * Entries became due earlier than before: released, limits raised, or `retried` by an operator, who wants to see now
   * whether a closed site takes mail again.
   */
  | { readonly kind: 'queue'; readonly retried?: boolean }
  /** Whoever has these in hand and has not begun to send them gives them back: an operator holds or cancels them. */
  | { readonly kind: 'recall'; readonly entries: readonly EntryId[] }

export interface StoreHealth {
  /** False below `store.minFreeBytes` or after a failed write: intake answers 452 4.3.1. */
  readonly acceptsMail: boolean
  /** False while outcomes can't be written: nothing may be sent. Comes back by itself. */
  readonly writable: boolean
  readonly freeBytes: number
  readonly reason: string | null
}

// ── Events, settings ────────────────────────────────────────────────────────────────────────────────────────────────

export interface EventFilter {
  readonly type?: EventType
  readonly account?: AccountId
  readonly message?: MessageId
  readonly domain?: DomainName
  /** Only events with a greater `seq`. */
  readonly after?: number
  /** Only events of these types. */
  readonly types?: readonly EventType[]
  /** Only events up to this `seq`: bounds how many rows are looked at when few of them match. */
  readonly through?: number
}

export interface EventRange {
  /** Seq of the newest event, 0 before the first. Everything up to it can be read. */
  readonly newest: number
  /** The greatest seq that was ever deleted, 0: none. Older events may still be there. */
  readonly purgedThrough: number
}

export interface EventStore {
  events(filter: EventFilter, limit: number): Promise<readonly Event[]>
  eventRange(): Promise<EventRange>
}

export type WebhookChange = Partial<Omit<Webhook, 'id' | 'account' | 'createdAt'>>

/** Those of an account are deleted with it. */
export interface WebhookStore {
  createWebhook(webhook: Webhook): Promise<void>
  webhook(id: WebhookId): Promise<Webhook | null>
  listWebhooks(filter: { readonly account?: AccountId }, page: Page): Promise<readonly Webhook[]>
  updateWebhook(id: WebhookId, change: WebhookChange): Promise<Webhook>
  deleteWebhook(id: WebhookId): Promise<void>
  /** Written often, so it is told to nobody, and nothing happens when the webhook is gone. */
  saveProgress(id: WebhookId, progress: WebhookProgress): Promise<void>
}

/** Requests that can be repeated under one key without being carried out twice. */
export interface RequestStore {
  /** Takes the key until then; answers null, or what stands under it when it is taken. */
  takeRequest(key: string, sealed: string, until: Instant, now: Instant): Promise<string | null>
  /** Replaces what stands under the key. */
  finishRequest(key: string, sealed: string, until: Instant): Promise<void>
  dropRequest(key: string): Promise<void>
  /** Removes those whose time is over; answers how many. */
  purgeRequests(now: Instant): Promise<number>
}

/** Small named values: relay keys, schema facts, token hashes. */
export interface SettingStore {
  setting(name: string): Promise<string | null>
  /** Sets it unless it exists; answers what stands there afterwards. */
  initSetting(name: string, value: string): Promise<string>
  setSetting(name: string, value: string): Promise<void>
}

/** What stands in place of a recipient whose data was erased (RFC 2606 §2: no such domain can exist). */
export const erasedAddress = 'erased@erased.invalid'

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Writing does not work now (disk full, database locked or gone); the same call may work later. */
export class StoreUnavailable extends Error {
  readonly code = 'store-unavailable'
}

/** What should be created exists, or what should go is in use. `holder` names the account that has it. */
export class Conflict extends Error {
  readonly code = 'conflict'
  readonly holder: AccountId | null
  constructor(message: string, holder: AccountId | null, options?: ErrorOptions) {
    super(message, options)
    this.holder = holder
  }
}

export class NotFound extends Error {
  readonly code = 'not-found'
}
