/**
 * The store as everyone else sees it: interfaces only (SQLite in `sqlite/`, PostgreSQL later beside it).
 *
 * Methods are named after a message's life; one method is one transaction, durable (synced) when its promise
 * resolves. No caller sees begin or commit. Everything that goes in or out is plain data that can cross threads.
 * Fails with the errors at the end of this file, each with a stable `code`; a caller decides by code, never by text.
 */
import type { Account, Credential, SenderAddress } from '../mail/account.ts'
import type { DomainClaim } from '../mail/domain-claim.ts'
import type { Event, EventType, NewEvent } from '../mail/event.ts'
import type { AccountId, CredentialId, DomainName, EntryId, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message, QueueEntry } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Check, DkimKey, DomainOptions, KeyState, SenderDomain, SendLimits } from '../mail/sender-domain.ts'
import type { ShareLink } from '../mail/share-link.ts'
import type { Webhook, WebhookId, WebhookProgress } from '../mail/webhook.ts'

export interface Store
  extends QueueStore,
    AccountStore,
    DomainStore,
    ClaimStore,
    ShareLinkStore,
    EventStore,
    WebhookStore,
    RequestStore,
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
  /**
   * Entries became due earlier than before: released, limits raised, or `retried` by an operator, who wants to see now
   * whether a closed site takes mail again.
   */
  | { readonly kind: 'queue'; readonly retried?: boolean }

export interface StoreHealth {
  /** False below `store.minFreeBytes` or after a failed write: intake answers 452 4.3.1. */
  readonly acceptsMail: boolean
  /** False while outcomes can't be written: nothing may be sent. Comes back by itself. */
  readonly writable: boolean
  readonly freeBytes: number
  readonly reason: string | null
}

// ── Messages and queue entries ──────────────────────────────────────────────────────────────────────────────────────

/** Where new content stands: bytes for the database, or a spool file already written **and synced**, directory too. */
export type NewContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string }

export interface NewMessage {
  readonly message: Message
  readonly content: NewContent
  readonly entries: readonly NewEntry[]
  /** Limits this message counts against, e.g. `domain:example.jp`; each recipient takes one from each. */
  readonly limits: readonly LimitUse[]
  readonly events: readonly NewEvent[]
  /** The owner that will attempt the entries at once (fresh path). Entries whose slot lies in the future stay unleased. */
  readonly lease?: Lease
}

export type NewEntry = Pick<QueueEntry, 'id' | 'recipient' | 'domain' | 'nextAttemptAt' | 'expiresAt'> & {
  /** False keeps the entry out of the fresh lease (its site is closed or full). Default true. */
  readonly leasable?: boolean
}

/** A bucket and its size; buckets are created on first use and follow the limits they are used with. */
export interface LimitUse {
  /** `account:<id>` | `domain:<name>` | `credential:<id>`. */
  readonly key: string
  readonly limits: SendLimits
}

export interface Lease {
  /** The data-plane worker that holds it: `<node>/<worker>`. */
  readonly owner: string
  readonly until: Instant
}

export interface AcceptResult {
  /** The entries leased to the caller, to be attempted now. The others wait for their send slot. */
  readonly leased: readonly EntryId[]
  /** When the first of the others is due; null when all are leased. */
  readonly nextDueAt: Instant | null
}

/** A leased entry with its message: what an attempt needs besides the content. */
export interface LeasedEntry {
  readonly entry: QueueEntry
  readonly message: Message
}

export interface ClaimRequest {
  readonly now: Instant
  readonly lease: Lease
  /** At most this many entries in all. */
  readonly limit: number
  /** At most this many per recipient domain in one claim, so that one domain can't fill the claim. */
  readonly perDomain: number
}

/** Messages of one queue, narrowed; all given fields must hold. */
export interface QueueFilter {
  readonly message?: MessageId
  readonly entry?: EntryId
  readonly account?: AccountId
  readonly senderDomain?: DomainName
  /** Recipient domain. */
  readonly domain?: DomainName
  readonly recipient?: Mailbox
  readonly state?: 'due' | 'waiting' | 'leased' | 'held'
  /** Class of the last deferral. */
  readonly class?: string
  /** Site of the last attempt; for an entry not tried yet the one its recipient domain is known to be served by. */
  readonly site?: string
}

/** What the queue is counted by. `none`: no class or no site known yet. */
export type QueueColumn = 'domain' | 'account' | 'senderDomain' | 'class' | 'site'

export interface QueueRow extends LeasedEntry {
  readonly state: 'due' | 'waiting' | 'leased' | 'held'
  readonly lastClass: string | null
}

export interface QueueCounts {
  readonly total: number
  readonly due: number
  readonly waiting: number
  readonly leased: number
  readonly held: number
  readonly oldestReceivedAt: Instant | null
}

export interface MessageFilter {
  readonly account?: AccountId
  readonly recipient?: Mailbox
  readonly sender?: Mailbox
  readonly senderDomain?: DomainName
  readonly messageIdHeader?: string
  readonly state?: 'queued' | 'delivered' | 'bounced' | 'cancelled'
  readonly since?: Instant
  readonly until?: Instant
}

export interface Page {
  /** 1–1000. */
  readonly limit: number
  /**
   * The last row of the previous page, by its name: entry id, message id (newest first), account or credential id,
   * address, domain name; `checkedAt/purpose/name` for the history of checks (newest first).
   */
  readonly after?: string
}

export interface MessageSummary {
  readonly message: Message
  /** How many recipients are where; they add up to the recipients accepted (design invariant 2). */
  readonly counts: {
    readonly queued: number
    readonly delivered: number
    readonly bounced: number
    readonly cancelled: number
  }
}

export interface Totals {
  readonly accepted: number
  readonly delivered: number
  readonly bounced: number
  readonly cancelled: number
  readonly queued: number
}

export interface QueueStore {
  /** Content, message and entries, committed and synced. Takes send slots (RFC: none; design section 6). */
  accept(message: NewMessage): Promise<AcceptResult>
  /** Inline content as stored, or the path of its file. Null when the message has no entries left. */
  content(message: MessageId): Promise<NewContent | null>
  /**
   * Due, unheld, unleased entries under a lease; takes send slots for retries. Accounts have even shares of a domain's,
   * each the oldest first; what one leaves over is for the others.
   */
  claim(request: ClaimRequest): Promise<readonly LeasedEntry[]>
  /** The earliest moment at which `claim` could answer something; null: nothing waits. */
  nextDueAt(): Promise<Instant | null>
  /**
   * Makes a domain's entries invisible to `claim` until then (its site is closed or full); the entries stay untouched.
   * A later call replaces an earlier one, so a moment already past makes them visible again at once.
   */
  postpone(domains: readonly DomainName[], until: Instant): Promise<void>
  /**
   * Outcomes of a batch, DSNs owed for them and events, in one transaction; deletes content no entry needs any more.
   * Answers the entries whose outcome was passed over with its event: no longer queued, or no longer leased.
   */
  settle(batch: SettleBatch): Promise<readonly EntryId[]>
  /** Gives leases back without an attempt: stop, closed site, full throttle. */
  release(entries: readonly { readonly entry: EntryId; readonly nextAttemptAt: Instant }[]): Promise<void>
  /** Extends leases of attempts that take long. */
  renew(entries: readonly EntryId[], lease: Lease): Promise<void>
  /**
   * Ends leases: all of an owner (at its start), or those run out before `now`. Marks the entries in doubt. An owner's
   * start also ends every postponement: why it was made stood in the memory of whoever made it, and that may be gone.
   */
  reclaim(of: { readonly owner: string } | { readonly expiredBefore: Instant }): Promise<number>
  /** Unleased entries past their expiry, leased to the caller, which settles them as bounced. */
  claimExpired(request: Omit<ClaimRequest, 'perDomain'>): Promise<readonly LeasedEntry[]>
  /** Entries older than `receivedBefore` without a delay notice, whose sender wants one. Marks them notified. */
  takeDelayed(request: {
    readonly receivedBefore: Instant
    readonly limit: number
    readonly now: Instant
  }): Promise<readonly LeasedEntry[]>

  listQueue(filter: QueueFilter, page: Page): Promise<readonly QueueRow[]>
  countQueue(filter: QueueFilter): Promise<QueueCounts>
  /** Counts per value of one column, biggest first. */
  countQueueBy(
    column: QueueColumn,
    filter: QueueFilter,
    limit: number,
  ): Promise<readonly { readonly value: string; readonly count: number; readonly oldestReceivedAt: Instant }[]>
  hold(filter: QueueFilter, reason: string, now: Instant): Promise<number>
  unhold(filter: QueueFilter, now: Instant): Promise<number>
  /** Makes matching entries due now that are neither leased nor held. */
  retryNow(filter: QueueFilter, now: Instant): Promise<number>
  /** Leases up to `limit` matching entries so that the caller can settle them as cancelled. */
  claimForCancel(filter: QueueFilter, lease: Lease, limit: number): Promise<readonly LeasedEntry[]>

  message(id: MessageId): Promise<MessageSummary | null>
  listMessages(filter: MessageFilter, page: Page): Promise<readonly MessageSummary[]>
  totals(): Promise<Totals>
  /** Deletes finished messages and events older than `before`, at most `limit`; answers how many. */
  purge(before: Instant, limit: number): Promise<number>
}

export interface SettleBatch {
  /** At most one per entry. */
  readonly outcomes: readonly Outcome[]
  readonly reports: readonly BatchReport[]
  readonly events: readonly NewEvent[]
}

/** A report (DSN) that is owed. */
export interface BatchReport {
  readonly report: NewMessage
  /** Entries of this batch it tells the end of: when none of their outcomes counts, nothing is queued. Empty: none. */
  readonly about: readonly EntryId[]
}

// ── Accounts, credentials, sender addresses ─────────────────────────────────────────────────────────────────────────

export interface AccountStore {
  createAccount(account: Account): Promise<void>
  account(id: AccountId): Promise<Account | null>
  listAccounts(page: Page): Promise<readonly Account[]>
  updateAccount(
    id: AccountId,
    change: Partial<Pick<Account, 'name' | 'limits' | 'unaligned' | 'suspendedReason'>>,
  ): Promise<Account>
  /** Refused with `Conflict` while it has domains, senders or queued mail. */
  deleteAccount(id: AccountId): Promise<void>

  createCredential(credential: Credential): Promise<void>
  credential(id: CredentialId): Promise<Credential | null>
  credentialByUsername(username: string): Promise<Credential | null>
  listCredentials(filter: { readonly account?: AccountId }, page: Page): Promise<readonly Credential[]>
  updateCredential(
    id: CredentialId,
    change: Partial<Pick<Credential, 'passwordHash' | 'limits' | 'revokedAt'>>,
  ): Promise<Credential>

  /** Refused with `Conflict` naming the holder when the address is registered (design section 8). */
  createSender(sender: SenderAddress): Promise<void>
  sender(address: Mailbox): Promise<SenderAddress | null>
  listSenders(filter: { readonly account?: AccountId }, page: Page): Promise<readonly SenderAddress[]>
  updateSender(address: Mailbox, change: Partial<Pick<SenderAddress, 'smtp' | 'note'>>): Promise<SenderAddress>
  deleteSender(address: Mailbox): Promise<void>
}

// ── Sender domains ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A domain's links go with it: when it is purged, or registered again. */
export interface ShareLinkStore {
  createShareLink(link: ShareLink): Promise<void>
  /** Whatever became of it: the caller looks whether it still opens anything. */
  shareLinkByHash(tokenHash: string): Promise<ShareLink | null>
  /** Newest first; a page's `after` is a link's id. */
  listShareLinks(domain: DomainName, page: Page): Promise<readonly ShareLink[]>
  revokeShareLink(domain: DomainName, id: string, at: Instant): Promise<ShareLink>
  /** Removes those that ended before then. */
  forgetShareLinks(before: Instant): Promise<number>
}

export interface DomainStore {
  /** Refused with `Conflict` naming the holder when the domain is registered; replaces an archived one. */
  createDomain(domain: SenderDomain, events: readonly NewEvent[]): Promise<void>
  /** With keys and latest checks; null when not registered or archived (unless `archived` is asked for). */
  domain(name: DomainName, options?: { readonly archived?: boolean }): Promise<SenderDomain | null>
  listDomains(
    filter: { readonly account?: AccountId; readonly archived?: boolean },
    page: Page,
  ): Promise<readonly SenderDomain[]>
  updateDomain(
    name: DomainName,
    change: Partial<
      Pick<
        SenderDomain,
        'limits' | 'archivedAt' | 'nextCheckAt' | 'keyFailure' | 'keyWanted' | 'delegation' | keyof DomainOptions
      >
    >,
    events: readonly NewEvent[],
  ): Promise<SenderDomain>
  /** Takes the place of a retired key under the same selector; refused with `Conflict` while one is in use there. */
  addKey(key: DkimKey, events: readonly NewEvent[]): Promise<void>
  setKeyState(
    domain: DomainName,
    selector: string,
    state: KeyState,
    at: Instant,
    events: readonly NewEvent[],
  ): Promise<void>
  /** Replaces the latest check of each (purpose, name); the history keeps it when state, reason or findings differ. */
  recordChecks(
    domain: DomainName,
    checks: readonly Check[],
    nextCheckAt: Instant,
    events: readonly NewEvent[],
  ): Promise<void>
  checkHistory(domain: DomainName, page: Page): Promise<readonly Check[]>
  /** The history's row of the same record before this one. */
  checkBefore(domain: DomainName, check: Pick<Check, 'purpose' | 'name' | 'checkedAt'>): Promise<Check | null>
  /** Domains whose next check is due, earliest first. */
  dueForCheck(now: Instant, limit: number): Promise<readonly DomainName[]>
  /** Removes domains archived before then, with their keys. */
  purgeArchivedDomains(before: Instant): Promise<number>
}

/** Who claims a domain of another account, and the change of hands. */
export interface ClaimStore {
  /** Replaces the account's earlier claim of the domain. */
  putClaim(claim: DomainClaim, events: readonly NewEvent[]): Promise<void>
  /** All that are kept, expired ones too. */
  claims(domain: DomainName): Promise<readonly DomainClaim[]>
  /** As if new: keys retired; limits, choices, claims, share links and the holder's addresses gone, these with events. */
  moveDomain(move: DomainMove, events: readonly NewEvent[]): Promise<void>
}

export interface DomainMove {
  readonly name: DomainName
  /** The holder as the claimer knew it; refused with `Conflict` when it is another by now. */
  readonly from: AccountId
  readonly to: AccountId
  readonly at: Instant
  /** Null: none could be made, and `keyFailure` says why. */
  readonly key: DkimKey | null
  readonly keyFailure: string | null
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
