/**
 * A message: what one DATA accepted, and the queue entries it became.
 */
import type { Envelope, Recipient } from './envelope.ts'
import type { AccountId, CredentialId, DomainName, EntryId, HostName, Instant, Mailbox, MessageId } from './ids.ts'
import type { Priority } from './priority.ts'
import type { SuspensionId } from './suspension.ts'

/** Where the content is: in the database beside the message, or in a synced file of the spool. */
export type ContentRef = { readonly kind: 'inline' } | { readonly kind: 'file'; readonly path: string }

/** What is kept of a message besides its content. */
export interface Message {
  readonly id: MessageId
  /** Null only for the relay's own reports (DSN), which belong to the account of the message they report on if known. */
  readonly account: AccountId | null
  readonly credential: CredentialId | null
  readonly envelope: Envelope
  readonly content: ContentRef
  /** Octets of the stored content: CRLF line ends, not dot-stuffed. */
  readonly size: number
  /** The first From address of the header; decides the sending mode. Null for the relay's own reports. */
  readonly from: Mailbox | null
  /** Domain of `from`; the relay's own name for its reports. */
  readonly senderDomain: DomainName
  /** Message-ID field without angle brackets, at most 998 octets. */
  readonly messageIdHeader: string
  readonly receivedAt: Instant
  /**
   * `submission`: accepted from a client. `dsn`: a report of our own (never reported on again, RFC 5321 §6.1).
   * `tls-report`: to a domain that asked how TLS with its hosts goes (RFC 8460).
   */
  readonly origin: 'submission' | 'dsn' | 'tls-report'
  /** It can be unsubscribed from with one click (RFC 8058). */
  readonly oneClick?: true
  /** Absent: normal. */
  readonly priority?: Priority
  /** Not to be tried before then, as its sender asked (RFC 4865); absent: at once. Entries say what became of it. */
  readonly releaseAt?: Instant
  /** EHLO name, address and TLS of the client, for log and console. */
  readonly client?: { readonly ehlo: string; readonly address: string; readonly tls: string | null }
}

/** One recipient of one message that has no final outcome yet. */
export interface QueueEntry {
  readonly id: EntryId
  readonly message: MessageId
  readonly recipient: Recipient
  /** Domain of the recipient: what MX is looked up for. */
  readonly domain: DomainName
  /** Attempts already settled. */
  readonly attempts: number
  readonly nextAttemptAt: Instant
  readonly expiresAt: Instant
  readonly delayNotified: boolean
  /** Set when an earlier attempt ended without us knowing its outcome: a duplicate is possible. */
  readonly inDoubt: boolean
  readonly heldReason?: string
  /** That holds it; absent: an operator's own order does, or nothing. */
  readonly suspension?: SuspensionId
  readonly lastReply?: string
  readonly lastHost?: HostName
  /** Site of the last attempt. */
  readonly lastSite?: string
  /** What it waits for without having been tried: `warm-up domain example.jp`, `source pool marketing`. */
  readonly waitsFor?: string
}
