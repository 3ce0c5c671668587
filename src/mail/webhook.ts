/**
 * A webhook: where events are told to by HTTP, which of them, and how far that has come.
 */
import type { AccountId, Instant } from './ids.ts'

export type WebhookId = string

export interface Webhook {
  readonly id: WebhookId
  /** http or https, without userinfo and fragment. Its query may hold a secret: for the API, never for logs. */
  readonly url: string
  /** Null: events of all accounts, and of the relay itself. */
  readonly account: AccountId | null
  /** Event types, each exact or a prefix: `message.bounced`, `domain.*`, `*`. */
  readonly types: readonly string[]
  /** Of the events of messages only those that end a recipient's story: delivered, bounced, cancelled. */
  readonly terminalOnly: boolean
  /** Events in one request. 1: the body is the event itself; more: a list of events. */
  readonly batch: number
  readonly note: string
  /** Sealed by `base/seal.ts` for `webhook:<id>`. */
  readonly sealedSecret: string
  /** Signs too until then, so that receivers can change over. */
  readonly previousSecret: { readonly sealed: string; readonly until: Instant } | null
  readonly state: 'enabled' | 'paused'
  /** Why it is paused: an operator's words, or `gone`. */
  readonly stateReason: string | null
  readonly createdAt: Instant
  readonly progress: WebhookProgress
}

export interface WebhookProgress {
  /** Seq of the last event that was delivered or passed over. */
  readonly cursor: number
  /** Up to here it was told that events are gone that it never got. */
  readonly gapTold: number
  /** Failed requests in a row. */
  readonly failures: number
  /** Null: as soon as there is something to tell. */
  readonly nextTryAt: Instant | null
  readonly lastSuccess: DeliverySuccess | null
  readonly lastFailure: DeliveryFailure | null
}

export interface DeliverySuccess {
  readonly at: Instant
  readonly status: number
}

export interface DeliveryFailure {
  readonly at: Instant
  /** A code of `webhooks/failures.ts`. */
  readonly reason: string
  /** Null: there was no answer. */
  readonly status: number | null
  /** Values for the reason's sentence. */
  readonly detail: Readonly<Record<string, string>>
  /** The beginning of the answer's body; empty: none. */
  readonly reply: string
}
