/**
 * A suppression: a recipient that is not tried again, with reason, evidence and a way to undo it.
 *
 * Addresses are compared without case, the local part too: hardly any receiver tells `Info@` from `info@`, and who said no
 * as one means the other (RFC 5321 §2.4 leaves it to the receiver).
 */
import { domainOf, localPartOf, parseMailbox } from './address.ts'
import type { AccountId, EntryId, HostName, Instant, Mailbox, MessageId } from './ids.ts'
import type { OutcomeClass } from './outcome.ts'

export const suppressionReasons = ['hard-bounce', 'complaint', 'unsubscribed', 'manual'] as const
export type SuppressionReason = (typeof suppressionReasons)[number]

/** What it was concluded from. */
export interface SuppressionEvidence {
  /** `outcome`: what our own attempt was answered; `report`: a bounce or complaint that came later. */
  readonly from: 'outcome' | 'report'
  readonly message: MessageId
  readonly at: Instant
  /** `550 5.1.1 no such user`; null for complaints. */
  readonly reply: string | null
  readonly class: OutcomeClass | null
  readonly remoteMta: HostName | null
}

export interface Suppression {
  /** Null: of all accounts, and of the relay's own reports. */
  readonly account: AccountId | null
  /** As `suppressedAddress` writes it. */
  readonly address: Mailbox
  readonly reason: SuppressionReason
  /** Null: somebody said so. */
  readonly evidence: SuppressionEvidence | null
  readonly note: string
  readonly createdAt: Instant
  /** Null: until it is removed. */
  readonly expiresAt: Instant | null
}

/** What names a suppression. */
export type SuppressionKey = Pick<Suppression, 'account' | 'address'>

/** What a hard bounce or a complaint leads to, as far as the account wants it. */
export interface AutomaticSuppression extends Suppression {
  readonly account: AccountId
  readonly evidence: SuppressionEvidence
  /** The outcome it comes with; null: it comes alone. */
  readonly entry: EntryId | null
  /** For accounts that say nothing themselves. */
  readonly byDefault: boolean
  /** Only the so-manieth within `countWithinMs` suppresses. */
  readonly after: number
  readonly countWithinMs: number
}

/**
 * One name for each mailbox, however it is written: `"info"@` is `info@` (RFC 5321 §4.1.2), and a letter with its accent
 * may be one character or two (RFC 6532 §3.1).
 */
export function suppressedAddress(address: Mailbox): Mailbox {
  const plain = address.toLowerCase().normalize('NFC')
  return plain.startsWith('"') ? withoutQuotes(plain) : plain
}

/** Where they aren't needed; else with no more backslashes than needed. */
function withoutQuotes(address: Mailbox): Mailbox {
  const said = localPartOf(address).slice(1, -1).replace(/\\(.)/gs, '$1')
  const bare = `${said}@${domainOf(address)}`
  if (!said.startsWith('"') && parseMailbox(bare) !== null) return bare
  return `"${said.replace(/["\\]/g, '\\$&')}"@${domainOf(address)}`
}
