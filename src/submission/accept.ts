/**
 * Takes responsibility for a message (RFC 5321 §4.2.5, §6.1): content and entries go into the store, and only when they
 * are committed and synced is the 250 given.
 *
 * Delivery is asked beforehand what it can attempt at once; what is leased is handed over with the content, so nothing is
 * read back. When the store fails, nothing was accepted: the error passes through and the client tries again.
 */
import type { Clock } from '../base/clock.ts'
import type { FreshDelivery, FreshOffer } from '../delivery/fresh.ts'
import type { Account, Credential } from '../mail/account.ts'
import { domainOf } from '../mail/address.ts'
import type { NewEvent } from '../mail/event.ts'
import type { Instant } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { SenderDomain, SendLimits } from '../mail/sender-domain.ts'
import type { Bilingual } from '../outcome/classes.ts'
import type { Spool } from '../store/spool.ts'
import type { AcceptResult, LeasedEntry, LimitUse, NewContent, NewEntry, Store } from '../store/store.ts'
import type { Suppressed } from '../store/suppressed.ts'

export interface AcceptParts {
  readonly store: Pick<Store, 'accept'>
  readonly fresh: FreshDelivery
  readonly spool: Pick<Spool, 'absolute'>
  readonly clock: Clock
  readonly expireAfterMs: number
  readonly suppressed?: Pick<Suppressed, 'mayBe'>
}

export interface Acceptance {
  readonly message: Message
  readonly content: NewContent
  readonly account: Account
  readonly credential: Credential
  /** Registered domain of the From address; null when only the address is registered. */
  readonly domain: SenderDomain | null
  readonly warnings: readonly Bilingual[]
}

/** Resolves when the message is safe. */
export async function accept(parts: AcceptParts, acceptance: Acceptance): Promise<void> {
  const { recipients } = acceptance.message.envelope
  const offer = parts.fresh.ask(recipients.length, acceptance.message.account, acceptance.message.priority)
  const now = parts.clock.now()
  const entries = entriesOf(acceptance.message, offer, now, parts)
  const result = await commit(parts, acceptance, offer, entries)
  handOver(parts, acceptance, entries, result)
}

async function commit(
  { store, fresh }: AcceptParts,
  { message, content, account, credential, domain, warnings }: Acceptance,
  offer: FreshOffer,
  entries: readonly NewEntry[],
): Promise<AcceptResult> {
  try {
    return await store.accept({
      message,
      content,
      entries,
      limits: limitsOf(account, credential, domain),
      events: eventsOf(message, warnings),
      ...(offer.lease === undefined ? {} : { lease: offer.lease }),
    })
  } catch (error) {
    fresh.giveBack(entries.length)
    throw error
  }
}

function entriesOf(
  message: Message,
  offer: FreshOffer,
  now: Instant,
  { expireAfterMs, suppressed }: Pick<AcceptParts, 'expireAfterMs' | 'suppressed'>,
): NewEntry[] {
  return message.envelope.recipients.map((recipient, index) => {
    const domain = domainOf(recipient.address)
    // What ends without an attempt needn't wait for its site.
    const leasable = offer.leasable(domain) || suppressed?.mayBe(message.account, recipient.address) === true
    return {
      id: `${message.id}.${index}`,
      recipient,
      domain,
      nextAttemptAt: leasable ? now : offer.nextAttemptAt(domain),
      // What is scheduled has its whole time from its release on.
      expiresAt: (message.releaseAt ?? message.receivedAt) + expireAfterMs,
      leasable,
    }
  })
}

/** Only what is limited: every key costs a row in the store. */
function limitsOf(account: Account, credential: Credential, domain: SenderDomain | null): LimitUse[] {
  const uses: LimitUse[] = [
    { key: `account:${account.id}`, limits: account.limits },
    { key: `credential:${credential.id}`, limits: credential.limits },
  ]
  if (domain !== null) uses.push({ key: `domain:${domain.name}`, limits: domain.limits })
  return uses.filter(({ limits }) => isLimited(limits))
}

function isLimited({ perMinute, perHour, perDay }: SendLimits): boolean {
  return perMinute !== undefined || perHour !== undefined || perDay !== undefined
}

function eventsOf(message: Message, warnings: readonly Bilingual[]): NewEvent[] {
  const about = { at: message.receivedAt, account: message.account, message: message.id, domain: message.senderDomain }
  const recipients = message.envelope.recipients.map(({ address }) => address)
  const { priority, releaseAt } = message
  const order = { ...(priority && { priority }), ...(releaseAt !== undefined && { releaseAt }) }
  const acceptedEvent: NewEvent = {
    ...about,
    type: 'message.accepted',
    data: { from: message.from, reversePath: message.envelope.reversePath, recipients, size: message.size, ...order },
  }
  return [
    acceptedEvent,
    ...warnings.map(
      (told): NewEvent => ({ ...about, type: 'message.warned', data: { reason: told.en, message: told } }),
    ),
  ]
}

function handOver(
  { fresh, spool }: AcceptParts,
  { message, content }: Acceptance,
  entries: readonly NewEntry[],
  { leased, nextDueAt }: AcceptResult,
): void {
  if (leased.length > 0) {
    const ids = new Set(leased)
    const taken = entries.filter(({ id }) => ids.has(id)).map(entry => leasedEntry(message, entry))
    fresh.offer(taken, freshContent(content, spool), entries.length)
  } else fresh.giveBack(entries.length)
  if (nextDueAt !== null) fresh.waiting(nextDueAt)
}

function leasedEntry(message: Message, { leasable: _, ...entry }: NewEntry): LeasedEntry {
  return {
    message,
    entry: { ...entry, message: message.id, attempts: 0, delayNotified: false, inDoubt: false },
  }
}

function freshContent(content: NewContent, spool: Pick<Spool, 'absolute'>) {
  if (content.kind === 'file') return { path: spool.absolute(content.path) }
  const { buffer, byteOffset, byteLength } = content.bytes
  return Buffer.from(buffer, byteOffset, byteLength)
}
