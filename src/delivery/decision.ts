/**
 * How a message travels now: its sending mode with the facts it was decided from.
 *
 * Asked twice for each message, when its route is chosen and again when it is sent, so that a changed record, key or
 * sender address counts at once (design section 2). Fails with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import type { OwnSmtp } from '../mail/account.ts'
import type { Mailbox } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import { resolveSendingMode, type SendingDecision } from '../policy/sending-mode.ts'
import type { Directory } from '../store/directory.ts'

export interface Decision extends SendingDecision {
  /** Null: not registered, or not the account's of this message. */
  readonly domain: SenderDomain | null
  /** The sender's own server and the address it is registered for: in mode `own-smtp` only. */
  readonly own: { readonly smtp: OwnSmtp; readonly sender: Mailbox } | null
}

export interface DecisionParts {
  readonly directory: Pick<Directory, 'domain' | 'sender'>
  readonly clock: Clock
  /** `domains.lostGrace`, ms. */
  readonly lostGraceMs: number
}

/** The relay's own reports travel by MX, with the null reverse-path, signed by the relay (RFC 3464 §2). */
const ownReport: Decision = {
  mode: 'sender-only',
  reason: 'a report of the relay itself',
  dkim: 'relay',
  reversePath: 'as-submitted',
  records: { spf: false, dkim: false },
  domain: null,
  own: null,
}

export async function decide(message: Message, { directory, clock, lostGraceMs }: DecisionParts): Promise<Decision> {
  if (message.from === null) return ownReport
  const registered = await directory.domain(message.senderDomain)
  const registeredSender = await directory.sender(message.from)
  // What belongs to another account today must neither sign nor carry this message (design invariant 4).
  const domain = registered?.account === message.account ? registered : null
  const sender = registeredSender?.account === message.account ? registeredSender : null
  const decision = resolveSendingMode({ from: message.from, domain, sender, now: clock.now(), lostGraceMs })
  const own = sender?.smtp ? { smtp: sender.smtp, sender: sender.address } : null
  return { ...decision, domain, own: decision.mode === 'own-smtp' ? own : null }
}
