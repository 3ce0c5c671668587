/**
 * How a message travels now: its sending mode with the facts it was decided from.
 *
 * Asked twice for each message, when its route is chosen and again when it is sent, so that a changed record, key or
 * sender address counts at once (design section 2). Fails with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import type { OwnSmtp } from '../mail/account.ts'
import { domainOf } from '../mail/address.ts'
import type { DomainName, Mailbox } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import { resolveSendingMode, type SendingDecision, spfCounts } from '../policy/sending-mode.ts'
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

export async function decide(message: Message, parts: DecisionParts): Promise<Decision> {
  const { directory, clock, lostGraceMs } = parts
  if (message.from === null) return ownReport
  const registered = await directory.domain(message.senderDomain)
  const registeredSender = await directory.sender(message.from)
  // What belongs to another account today must neither sign nor carry this message (design invariant 4).
  const domain = registered?.account === message.account ? registered : null
  const sender = registeredSender?.account === message.account ? registeredSender : null
  const decision = resolveSendingMode({ from: message.from, domain, sender, now: clock.now(), lostGraceMs })
  const own = sender?.smtp ? { smtp: sender.smtp, sender: sender.address } : null
  const decided = { ...decision, domain, own: decision.mode === 'own-smtp' ? own : null }
  const { reversePath } = message.envelope
  if (reversePath === null || decision.reversePath === 'verp' || decision.mode === 'own-smtp') return decided
  const envelopeDomain = domainOf(reversePath)
  if (envelopeDomain === message.senderDomain) return decided
  return withReversePath(decided, envelopeDomain, message, parts)
}

/**
 * A message may come back to another domain of its account than that of From. SPF looks at that one: where it is not
 * published there, the mail travels under the bounce host, as mail of mode `sender-only` does.
 */
async function withReversePath(
  decided: Decision,
  envelopeDomain: DomainName,
  { account }: Message,
  { directory, clock, lostGraceMs }: DecisionParts,
): Promise<Decision> {
  const domain = await directory.domain(envelopeDomain)
  if (domain?.account === account && spfCounts(domain, { now: clock.now(), lostGraceMs })) return decided
  const reason = `${decided.reason}; ${envelopeDomain} of the reverse-path has no spf published`
  return { ...decided, reason, reversePath: 'verp' }
}
