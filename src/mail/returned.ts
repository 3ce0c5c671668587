/**
 * What came back for a recipient after the message had left: a bounce, a notice of delay, a complaint.
 *
 * It changes no outcome. The next host took responsibility, so the recipient stays delivered and the counts add up
 * (design invariant 2); that host's word that it failed after all is told beside it, once per recipient and kind.
 */
import type { EntryId, HostName, Instant, Mailbox, MessageId } from './ids.ts'
import type { Actor, OutcomeClass } from './outcome.ts'
import type { Reply } from './reply.ts'

export const returnedKinds = ['bounce', 'delay', 'complaint'] as const
export type ReturnedKind = (typeof returnedKinds)[number]

export const returnedEvents = {
  bounce: 'message.bounced_later',
  delay: 'message.delayed_later',
  complaint: 'message.complained',
} as const satisfies Record<ReturnedKind, string>

/** As the event's data keeps it. */
export interface Returned {
  readonly kind: ReturnedKind
  readonly message: MessageId
  readonly entry: EntryId
  readonly recipient: Mailbox
  readonly at: Instant
  /** What the other side was told or says; null for complaints. */
  readonly reply: Reply | null
  /** Null for complaints. */
  readonly class: OutcomeClass | null
  readonly actor: Actor
  /** Sending to it again would fail again. False for complaints and delays. */
  readonly permanent: boolean
  /** `rfc3464`, `text` (a bounce in prose), `arf` (RFC 5965), `jmrp` (a complaint as Outlook.com sends it). */
  readonly format: 'rfc3464' | 'text' | 'arf' | 'jmrp'
  /** Whose words it is written in, where they say so: qmail, Exim, docomo … */
  readonly system: string | null
  /** Who wrote the report, and who had refused: as they call themselves. */
  readonly reportingMta: HostName | null
  readonly remoteMta: HostName | null
  /** The address that failed in the end, when it is another one: the recipient forwards there. */
  readonly finalRecipient: string | null
  /** RFC 5965 §7.3: abuse, fraud, virus, other …; null for all but complaints. */
  readonly feedbackType: string | null
  /** Address of the host that handed the report in. */
  readonly client: string
}

/** The recipient asks to be left alone, and calls nothing spam: `opt-out`, `opt-out-list` of early feedback loops. */
export function isOptOut({ feedbackType }: Pick<Returned, 'feedbackType'>): boolean {
  return feedbackType?.startsWith('opt-out') === true
}
