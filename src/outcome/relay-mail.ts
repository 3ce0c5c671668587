/**
 * A mail of the relay's own as a new message: reports, and what is forwarded to the operator.
 *
 * Null reverse-path, so that nothing of it ever comes back (RFC 5321 §4.5.5), and nobody is told about its fate (RFC 3461
 * §6.2). It counts against nobody's limits: such mails are few, and holding them back behind a customer's own would hide
 * why mail fails. Never fails.
 */
import { domainOf } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { NewEvent } from '../mail/event.ts'
import type { AccountId, DomainName, HostName, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { NewMessage } from '../store/store.ts'

export interface RelayMail extends Pick<Envelope, 'body' | 'smtpUtf8'> {
  /** Absent: as for any mail. */
  readonly tls?: Envelope['tls'] | undefined
  readonly id: MessageId
  /** Whose mail it is about; null: nobody's. */
  readonly account: AccountId | null
  readonly to: Mailbox
  /** Header and body as they are stored and sent. */
  readonly bytes: Buffer
  readonly origin: Message['origin']
  readonly now: Instant
  readonly settings: {
    readonly hostname: HostName
    /** Domain of the relay: it submits, it signs. */
    readonly relayDomain: DomainName
    /** How long it is tried, ms. */
    readonly expireAfterMs: number
  }
}

export function relayMail(mail: RelayMail, eventsOf: (message: Message) => readonly NewEvent[]): NewMessage {
  const { id, account, to, bytes, origin, now, settings, body, smtpUtf8, tls } = mail
  const recipient = { address: to, notify: ['NEVER'] as const }
  const message: Message = {
    id,
    account,
    credential: null,
    envelope: { reversePath: null, recipients: [recipient], body, smtpUtf8, ...(tls === undefined ? {} : { tls }) },
    content: { kind: 'inline' },
    size: bytes.length,
    from: null,
    senderDomain: settings.relayDomain,
    messageIdHeader: `${id}@${settings.hostname}`,
    receivedAt: now,
    origin,
  }
  const due = { nextAttemptAt: now, expiresAt: now + settings.expireAfterMs }
  return {
    message,
    content: { kind: 'inline', bytes },
    entries: [{ id: `${id}.0`, recipient, domain: domainOf(to), ...due }],
    limits: [],
    events: eventsOf(message),
  }
}
