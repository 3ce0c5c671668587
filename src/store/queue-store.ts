import type { NewEvent } from '../mail/event.ts'
import type { AccountId, DomainName, EntryId, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message, QueueEntry } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Priority } from '../mail/priority.ts'
import type { Returned } from '../mail/returned.ts'
import type { SendLimits } from '../mail/sender-domain.ts'
import type { AutomaticSuppression } from '../mail/suppression.ts'
import type { SuspensionId } from '../mail/suspension.ts'
import type { Volume, VolumeNote } from '../mail/volume.ts'

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
  /** Told to every data plane: whoever accepts it delivers nothing itself. */
  readonly announced?: true
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
  readonly priority?: Priority
  /** Waits for the moment its sender named (true), or not. */
  readonly scheduled?: boolean
}

/** Of whole backlogs. */
export type CommonFilter = Omit<QueueFilter, 'message' | 'entry' | 'recipient' | 'state'>

export interface QueueGroup {
  readonly value: string
  readonly count: number
  readonly oldestReceivedAt: Instant
}

/** The queue of one moment. */
export interface QueueOverview {
  readonly counts: QueueCounts
  readonly by: Readonly<Record<QueueColumn, readonly QueueGroup[]>>
  readonly rows: readonly QueueRow[]
}

export interface QueueFinish {
  readonly value: string
  readonly count: number
  /** A moment past: all are due. */
  readonly lastDueAt: Instant
}

/** What the queue is counted by. `none`: no class or no site known yet. */
export type QueueColumn = 'domain' | 'account' | 'senderDomain' | 'class' | 'site' | 'priority'

export type WaitReason = 'suspended' | 'turn' | 'schedule' | 'limit' | 'noted' | 'retry' | 'site'

export interface QueueRow extends LeasedEntry {
  readonly state: 'due' | 'waiting' | 'leased' | 'held'
  readonly lastClass: string | null
  /** Not tried before the moment its sender named. */
  readonly scheduled: boolean
  /**
   * `turn`: due, and others go before it. `schedule`: the moment its sender named. `limit`: its send slot. `noted`: what
   * `entry.waitsFor` says. `retry`: the pause after an attempt. `site`: its site takes nothing now. `suspended`: a suspension holds it. Null:
   * leased, or held by an operator.
   */
  readonly waitReason: WaitReason | null
}

/** Told after each slice of an order how many entries it has changed so far; false: no more of them. */
export type GoOn = (changed: number) => boolean | Promise<boolean>

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

export type RecipientState = 'queued' | 'delivered' | 'bounced' | 'cancelled'

export interface MessageStates extends MessageSummary {
  /** Of each recipient, in the order of the envelope; null: nothing was queued for it. */
  readonly states: readonly (RecipientState | null)[]
}

export interface Totals {
  readonly accepted: number
  readonly delivered: number
  readonly bounced: number
  readonly cancelled: number
  readonly queued: number
}

/** What `eraseRecipient` did. */
export interface Erasure {
  /** Changed. */
  readonly messages: number
  readonly events: number
  /** Left alone, because the recipient is still queued there. */
  readonly queued: number
}

export interface AccountTotals extends Totals {
  readonly account: AccountId | null
}

export interface QueueStore {
  /** Content, message and entries, committed and synced. Takes send slots (RFC: none; design section 6). */
  accept(message: NewMessage): Promise<AcceptResult>
  /** Inline content as stored, or the path of its file. Null when the message has no entries left. */
  content(message: MessageId): Promise<NewContent | null>
  /**
   * Due, unheld, unleased entries under a lease; takes send slots for retries. Accounts have even shares, of a domain's
   * too; of an account's the more urgent go first, and its sender domains have even shares, each the oldest first. What
   * one leaves over is for the others.
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
  /** Gives an owner's leases back without an attempt: stop, closed site, full throttle. What others hold by now stays theirs. */
  release(entries: readonly Release[], owner: string): Promise<void>
  /** Extends leases of attempts that take long. */
  renew(entries: readonly EntryId[], lease: Lease): Promise<void>
  /**
   * Ends leases: all of an owner (at its start), or those run out before `now`. Marks the entries in doubt. An owner's
   * start also ends every postponement: why it was made stood in the memory of whoever made it, and that may be gone.
   */
  reclaim(of: { readonly owner: string } | { readonly expiredBefore: Instant }): Promise<number>
  /**
   * The clock was set back by that much: waits that were reckoned by it end as much earlier, none before `now`; what people
   * named stays. 0: it was set forward. Either way all workers look at what is due. Answers how many entries it moved.
   */
  clockSetBack(byMs: number, now: Instant): Promise<number>
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
  /** Those an operator holds, and no suspension. */
  countOwnHolds(filter: QueueFilter): Promise<number>
  /** Counts per value of one column, biggest first. */
  countQueueBy(column: QueueColumn, filter: QueueFilter, limit: number): Promise<readonly QueueGroup[]>
  /** What the three before tell, at less than the price of two; `mostGroups` of each column. */
  queueOverview(filter: QueueFilter, page: Page, mostGroups: number): Promise<QueueOverview>
  /**
   * When the last of what waits will be due as things stand (its slot, its release, its next try), per value of one column,
   * most entries first; at most five minutes late. Neither held nor leased entries count.
   */
  finishBy(column: QueueColumn, filter: CommonFilter, limit: number): Promise<readonly QueueFinish[]>
  /** When one more recipient under all of these would leave, were it handed in now; null: none of them limits it. */
  nextSlot(uses: readonly LimitUse[]): Promise<Instant | null>
  hold(filter: QueueFilter, reason: string, now: Instant, goOn?: GoOn): Promise<number>
  /** Not what a suspension holds: that ends with it. */
  unhold(filter: QueueFilter, now: Instant, goOn?: GoOn): Promise<number>
  /** Makes matching entries due now that are neither leased nor held. */
  retryNow(filter: QueueFilter, now: Instant, goOn?: GoOn): Promise<number>
  /**
   * Scheduled entries that match are released then, at once when that is past; they expire as long after it as they
   * would have. `retryNow` releases them too.
   */
  reschedule(filter: QueueFilter, releaseAt: Instant, now: Instant): Promise<number>
  /** Leases up to `limit` matching entries so that the caller can settle them as cancelled. */
  claimForCancel(filter: QueueFilter, lease: Lease, limit: number): Promise<readonly LeasedEntry[]>

  /**
   * What came back for recipients, told as events, once per recipient and kind, and what follows from it: in one
   * transaction, and all of it or nothing. Written when every answer is `recorded`; else nothing is, and the answers say
   * which of them stand in the way.
   */
  recordReturned(batch: ReturnBatch): Promise<readonly RecordedReturn[]>

  message(id: MessageId): Promise<MessageStates | null>
  listMessages(filter: MessageFilter, page: Page): Promise<readonly MessageSummary[]>
  totals(): Promise<Totals>
  /** Of those with the most accepted recipients; null: the relay's own reports. */
  totalsByAccount(limit: number): Promise<readonly AccountTotals[]>
  /**
   * Takes the address out of these messages and their events, where it is not queued any more: `erasedAddress` stands
   * there instead. What it was answered, and all counts, stay.
   */
  eraseRecipient(address: Mailbox, messages: readonly MessageId[]): Promise<Erasure>
  /** Deletes finished messages and events older than `before`, at most `limit`; answers how many. */
  purge(before: Instant, limit: number): Promise<number>
}

/**
 * `waitsFor`: as in QueueEntry; absent: nothing but that moment. `suspension`: becomes held by it, if it is still in force.
 */
export interface Release {
  readonly entry: EntryId
  readonly nextAttemptAt: Instant
  readonly waitsFor?: string
  readonly suspension?: SuspensionId
}

export interface ReturnBatch {
  /** At most one for each entry and kind. */
  readonly returned: readonly Returned[]
  /** Also where the outcome of our own attempt isn't written yet, as long as there was one. */
  readonly unsettled: boolean
  /** Reports (DSN) that are owed for them. */
  readonly reports: readonly NewMessage[]
  readonly suppressions: readonly AutomaticSuppression[]
  /** What they count for. */
  readonly volume: readonly Volume[]
}

/** `not-sent`: it never left, or ended here already. */
export type RecordedReturn = 'recorded' | 'repeated' | 'unsettled' | 'not-sent' | 'unknown'

export interface SettleBatch {
  /** At most one per entry. */
  readonly outcomes: readonly Outcome[]
  readonly reports: readonly BatchReport[]
  readonly events: readonly NewEvent[]
  /** What each outcome counts for, in their order; null: nothing. Absent: none does. */
  readonly volume?: readonly (VolumeNote | null)[]
  /** Of outcomes that say that the recipient need not be tried again; each is written when its outcome counts. */
  readonly suppressions?: readonly AutomaticSuppression[]
}

/** A report (DSN) that is owed. */
export interface BatchReport {
  readonly report: NewMessage
  /** Entries of this batch it tells the end of: when none of their outcomes counts, nothing is queued. Empty: none. */
  readonly about: readonly EntryId[]
}
