/**
 * The identifiers and scalar words of the whole system, as types only.
 *
 * Plain strings and numbers, so that they cross threads and databases unchanged; the names say what they hold.
 */

/** Sortable by time, 26 characters of Crockford base32 (made by `base/ids.ts`). Printed in the 250 after DATA. */
export type MessageId = string
/** One recipient of one message: `<message id>.<n>`, n counted from 0 in the order of the RCPT commands. */
export type EntryId = string
export type AccountId = string
export type CredentialId = string
/** Lower case, A-labels (RFC 5890), no trailing dot. */
export type DomainName = string
/** A host as it stands in an MX record: lower case, no trailing dot; or an address literal. */
export type HostName = string
/** `local-part@domain`, domain part in lower case A-labels; the local part as it was given (RFC 5321 §2.3.11). */
export type Mailbox = string
/** Wall clock, milliseconds since 1970-01-01T00:00Z. */
export type Instant = number
/** A day of the configuration's time zone, `2026-01-15` (`base/calendar.ts`). */
export type CalendarDay = string
