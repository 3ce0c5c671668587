/**
 * Who may send: accounts, their credentials and sender addresses.
 */
import type { AccountId, CredentialId, Instant, Mailbox } from './ids.ts'
import type { OutcomeClass } from './outcome.ts'
import type { Priority } from './priority.ts'
import type { SendLimits } from './sender-domain.ts'
import type { TlsLevel } from './tls-level.ts'

export interface Account {
  readonly id: AccountId
  readonly name: string
  readonly createdAt: Instant
  readonly limits: SendLimits
  /** What happens to mail that the recipient's DMARC rules would fail (design section 4). */
  readonly unaligned: 'send' | 'warn' | 'refuse'
  /** A suspended account's submissions are refused with 550 5.7.1 and this text. */
  readonly suspendedReason: string | null
  /** Whether its mail gets a Feedback-ID; absent or null: where `submission.feedbackId.add` says all. */
  readonly feedbackId?: boolean | null
  /** Whether hard bounces and complaints suppress recipients; absent or null: as the configuration says. */
  readonly autoSuppress?: boolean | null
  /** How far its mail must be protected on the way out. Absent: as far as hosts can. */
  readonly tls?: TlsLevel
  /** Pool of source addresses; absent or null: the default. */
  readonly pool?: string | null
}

/** `account: null` is a credential of the CRM itself (scope `all`): the From address decides the account. */
export interface Credential {
  readonly id: CredentialId
  readonly account: AccountId | null
  readonly scope: 'account' | 'all'
  readonly username: string
  /** Argon2id, PHC string. */
  readonly passwordHash: string
  readonly limits: SendLimits
  /** Of this stream of mail; absent or null: its domain's or account's. */
  readonly pool?: string | null
  /** Of mail that doesn't say another; absent or null: normal. */
  readonly priority?: Priority | null
  readonly createdAt: Instant
  readonly revokedAt: Instant | null
}

/** A sender's own SMTP server (mode `own-smtp`). */
export interface OwnSmtp {
  readonly host: string
  readonly port: number
  /** `required` unless told otherwise; `opportunistic` allows plain text. */
  readonly tls: 'required' | 'opportunistic'
  readonly username: string
  readonly sealedPassword: string
  readonly limits?: OwnSmtpLimits
}

/** What a sender's own server takes; what is absent is as configured for all of them (`ownSmtp`). */
export interface OwnSmtpLimits {
  readonly connections?: number
  readonly messagesPerConnection?: number
  /** Recipients. */
  readonly perMinute?: number
}

/** Why mail through a sender's own server waits, as long as it does. */
export interface SmtpTrouble {
  readonly since: Instant
  readonly class: OutcomeClass
  readonly reply: string
}

/** 送信元メールアドレス. */
export interface SenderAddress {
  readonly address: Mailbox
  readonly account: AccountId
  readonly smtp: OwnSmtp | null
  /** Absent or null: its server lets mail through, or was never tried. */
  readonly smtpTrouble?: SmtpTrouble | null
  readonly note: string
  readonly createdAt: Instant
}
