/**
 * What an attempt hands over to be settled: its facts and, per recipient, what was answered.
 */

import type { LookupFailure } from '../dns/mx.ts'
import type { RecipientResult } from '../mail/attempt-result.ts'
import type { AttemptFacts } from '../mail/outcome.ts'
import type { LeasedEntry } from '../store/store.ts'

/** One recipient's end of an attempt: an answer from the other side, or a failure to find where to go. */
export type EntryResult =
  | { readonly leased: LeasedEntry; readonly result: RecipientResult }
  | { readonly leased: LeasedEntry; readonly lookup: LookupFailure }

export interface SettledAttempt {
  readonly facts: AttemptFacts
  /** `own-smtp` answers are judged as the sender's own server's, not the recipient's. */
  readonly route: 'mx' | 'own-smtp'
  /** The host announced DSN and got the recipients' NOTIFY: it reports on success, not we (RFC 3461 §5.2). */
  readonly dsnPassedOn?: boolean
  readonly results: readonly EntryResult[]
}
