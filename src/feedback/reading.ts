/**
 * What a mail that came back says, whoever wrote it: the vocabulary of the readers in this folder.
 */
import type { Phase } from '../mail/attempt-result.ts'
import type { HostName } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import type { Fields } from './fields.ts'

/** RFC 3464 §2.3.3. */
export type ReportedAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** What became of one recipient. */
export interface RecipientReport {
  readonly action: ReportedAction
  /** As our message named it first, if the report says so, then what it became. Never empty strings. */
  readonly addresses: readonly string[]
  readonly reply: Reply
  /** Which command was answered so; null: nothing is said of it. */
  readonly phase: Phase | null
  readonly remoteMta: HostName | null
}

export interface StatusReport {
  readonly kind: 'status'
  readonly format: 'rfc3464' | 'text'
  readonly system: string | null
  readonly reportingMta: HostName | null
  readonly recipients: readonly RecipientReport[]
  /** Of the message that came back, as far as it is attached. */
  readonly original?: Fields | null
}

export interface Complaint {
  readonly kind: 'complaint'
  readonly format: 'arf' | 'jmrp'
  readonly system: string | null
  /** RFC 5965 §7.3, lower case. */
  readonly feedbackType: string
  /** Recipients it names, if it names any. */
  readonly addresses: readonly string[]
  /** Reverse-paths it names, ours among them if the message had one of ours. */
  readonly reversePaths: readonly string[]
  /** Of the message that is complained about. */
  readonly original: Fields | null
}

/** Why a mail means nothing to us. */
export type Meaningless = 'auto-reply' | 'receipt' | 'no-complaint' | 'not-understood'

export type Reading = StatusReport | Complaint | { readonly kind: Meaningless }
