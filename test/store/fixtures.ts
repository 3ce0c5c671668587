/**
 * Plain data for tests of the store: messages, outcomes, accounts as small as they can be.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '../../src/base/ids.ts'
import type { Account, Credential } from '../../src/mail/account.ts'
import { domainOf } from '../../src/mail/address.ts'
import type { NewEvent } from '../../src/mail/event.ts'
import type { Message } from '../../src/mail/message.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import type { DkimKey, SenderDomain, SendLimits } from '../../src/mail/sender-domain.ts'
import type { LeasedEntry, NewMessage } from '../../src/store/store.ts'

export const day = 86_400_000

export interface Draft {
  readonly now: number
  readonly to?: readonly string[]
  readonly account?: string
  readonly from?: string
  readonly limits?: NewMessage['limits']
  readonly lease?: NewMessage['lease']
  readonly content?: NewMessage['content']
  readonly message?: Partial<Message>
  readonly nextAttemptAt?: number
  readonly leasable?: boolean
  readonly events?: boolean
}

export function newMessage(draft: Draft): NewMessage {
  const { now, to = ['b@there.example'], account = 'acme', from = 'a@ours.example' } = draft
  const content = draft.content ?? { kind: 'inline', bytes: Buffer.from(`Subject: hello\r\n\r\n${now}\r\n`) }
  const id = newId(now)
  const recipients = to.map(address => ({ address }))
  const message: Message = {
    id,
    account,
    credential: 'cred',
    envelope: { reversePath: from, recipients, body: '8BITMIME', smtpUtf8: false },
    content: content.kind === 'file' ? content : { kind: 'inline' },
    size: content.kind === 'inline' ? content.bytes.byteLength : 1_000_000,
    from,
    senderDomain: domainOf(from),
    messageIdHeader: `${id}@client.example`,
    receivedAt: now,
    origin: 'submission',
    ...draft.message,
  }
  const entries = message.envelope.recipients.map((recipient, n) => ({
    id: `${id}.${n}`,
    recipient,
    domain: domainOf(recipient.address),
    nextAttemptAt: draft.nextAttemptAt ?? now,
    expiresAt: now + 4 * day,
    ...(draft.leasable !== undefined && { leasable: draft.leasable }),
  }))
  return {
    message,
    content,
    entries,
    limits: draft.limits ?? [],
    events: draft.events ? [acceptedEvent(message)] : [],
    ...(draft.lease && { lease: draft.lease }),
  }
}

function acceptedEvent({ id, account, receivedAt }: Message): NewEvent {
  return { type: 'message.accepted', at: receivedAt, account, message: id, data: { size: 1 } }
}

export function outcome(
  entry: string,
  action: Outcome['action'],
  at: number,
  more: Partial<Outcome> & { nextAttemptAt?: number } = {},
): Outcome {
  const code = action === 'delivered' ? 250 : action === 'deferred' ? 451 : 550
  return {
    entry,
    message: entry.slice(0, entry.lastIndexOf('.')),
    recipient: 'b@there.example',
    at,
    attempt: 1,
    reply: { code, detail: '0.0', text: 'said so', from: 'remote' },
    class: action === 'delivered' ? 'none' : 'other',
    actor: 'nobody',
    inDoubt: false,
    facts: null,
    nextAttemptAt: at + 60_000,
    ...more,
    action,
  } as Outcome
}

export function outcomeEvent(result: Outcome): NewEvent {
  const { message, entry, at, action } = result
  return { type: `message.${action}`, at, account: 'acme', message, entry, data: result }
}

export function account(id: string, limits: SendLimits = {}): Account {
  return { id, name: id, createdAt: 0, limits, unaligned: 'send', suspendedReason: null }
}

export function credential(id: string, owner: string | null, limits: SendLimits = {}): Credential {
  return {
    id,
    account: owner,
    scope: owner === null ? 'all' : 'account',
    username: `user-${id}`,
    passwordHash: '$argon2id$',
    limits,
    createdAt: 0,
    revokedAt: null,
  }
}

export function senderDomain(name: string, owner: string, limits: SendLimits = {}): SenderDomain {
  return {
    name,
    account: owner,
    createdAt: 0,
    limits,
    archivedAt: null,
    keys: [],
    checks: [],
    nextCheckAt: 0,
    keyFailure: null,
  }
}

export function dkimKey(domain: string, selector: string): DkimKey {
  return {
    domain,
    selector,
    algorithm: 'rsa',
    bits: 2048,
    publicKey: 'p',
    sealedPrivateKey: 's',
    state: 'pending',
    createdAt: 0,
    stateSince: 0,
  }
}

export function ids(leased: readonly LeasedEntry[]): string[] {
  return leased.map(({ entry }) => entry.id)
}

/** A folder of its own, gone with the scope. */
export function temporaryFolder(parent = tmpdir()): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, 'kitte-store-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
