/**
 * What an attempt came to, per recipient: the one record that feeds log, DSN, events and console.
 */
import type { EntryId, HostName, Instant, Mailbox, MessageId } from './ids.ts'
import type { Reply } from './reply.ts'
import type { SendingMode } from './sending-mode.ts'

/** Who must act on a failure (design: class). */
export const actorNames = [
  'customer-dns',
  'sender-content',
  'recipient',
  'own-ip',
  'remote',
  'own-smtp',
  'relay',
  'nobody',
] as const
export type Actor = (typeof actorNames)[number]

/** Why an attempt failed. `none` for a delivery. Sentences in both languages stand in `outcome/classes.ts`. */
export const outcomeClasses = [
  'none',
  'address-unknown',
  'unknown-or-filtered',
  'domain-unknown',
  'no-mail-accepted',
  'relay-denied',
  'mailbox-full',
  'mailbox-unavailable',
  'blocked-by-recipient',
  'suppressed',
  'message-too-large',
  'attachment-refused',
  'message-malformed',
  'spam-content',
  'url-block',
  'content-refused',
  'spf-failed',
  'dkim-failed',
  'dmarc-failed',
  'authentication',
  'sender-domain',
  'sender-refused',
  'domain-block',
  'spam-block',
  'no-ptr',
  'rate',
  'too-many-recipients',
  'greylisted',
  'policy',
  'tls-required',
  'tls',
  'tls-policy',
  'dns-trouble',
  'network',
  'remote-trouble',
  'protocol',
  'loop',
  'own-smtp-login',
  'own-smtp-sender',
  'own-smtp-limit',
  'expired',
  'cancelled',
  'relay-trouble',
  'other',
] as const
export type OutcomeClass = (typeof outcomeClasses)[number]

export type Action = 'delivered' | 'deferred' | 'bounced' | 'cancelled'

/** How an attempt travelled; the same for all recipients of one transaction. */
export interface AttemptFacts {
  readonly mode: SendingMode
  /** Why this mode applied, one English clause: `spf and dkim are published`. */
  readonly modeReason: string
  /** `selector._domainkey.domain` of each signature put on, in order; empty: unsigned. */
  readonly signatures: readonly string[]
  /** MX hosts of the site, joined by comma, or `smtp:host:port` for a sender's own server. */
  readonly site: string
  readonly remoteMta: HostName | null
  readonly remoteIp: string | null
  readonly sourceIp: string | null
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384 verified|unverified`, null for plain text. */
  readonly tls: string | null
  /** What asked for more than opportunistic TLS: `dane`, `mta-sts:enforce`, `site:required` …, joined by `+`. Absent: nothing. */
  readonly tlsPolicy?: string
  /** The reverse-path used on the wire (VERP or as submitted); null is `<>`. */
  readonly reversePath: Mailbox | null
  readonly startedAt: Instant
  /** What was said with the host when something failed, a line each: `> MAIL FROM:<…>`, `< 550 …`. Never content. */
  readonly conversation?: readonly string[]
  readonly durations: {
    readonly signMs: number
    readonly connectMs: number
    readonly sendMs: number
    readonly totalMs: number
  }
}

interface OutcomeBase {
  readonly entry: EntryId
  readonly message: MessageId
  readonly recipient: Mailbox
  readonly at: Instant
  /** Which try of this entry it was, from 1. */
  readonly attempt: number
  readonly reply: Reply
  readonly class: OutcomeClass
  readonly actor: Actor
  /** This attempt or an earlier one ended where the remote may have taken the message: it may come twice. */
  readonly inDoubt: boolean
  /** Null when nothing was tried (expired in the queue, cancelled). */
  readonly facts: AttemptFacts | null
}

export type Outcome =
  | (OutcomeBase & { readonly action: 'delivered' })
  | (OutcomeBase & { readonly action: 'deferred'; readonly nextAttemptAt: Instant })
  | (OutcomeBase & { readonly action: 'bounced' })
  | (OutcomeBase & { readonly action: 'cancelled' })
