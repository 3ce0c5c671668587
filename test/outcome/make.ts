/**
 * Builders for the plain data that outcomes are made of; each call names only what its test is about.
 */
import type { Envelope, Recipient } from '../../src/mail/envelope.ts'
import type { Message } from '../../src/mail/message.ts'
import type { AttemptFacts, Outcome } from '../../src/mail/outcome.ts'
import { parseReply } from '../../src/mail/reply.ts'
import type { SettledAttempt } from '../../src/outcome/settled-attempt.ts'
import type { LeasedEntry } from '../../src/store/store.ts'

export const start = Date.UTC(2026, 0, 15, 3, 0, 0)
const day = 86_400_000

export function makeMessage(change: Partial<Message> & { readonly ret?: 'FULL' | 'HDRS' } = {}): Message {
  const { ret, ...given } = change
  const envelope: Envelope = {
    reversePath: 'sales@example.co.jp',
    recipients: [{ address: 'b@example.com' }],
    body: '7BIT',
    smtpUtf8: false,
    ...(ret === undefined ? {} : { ret }),
  }
  return {
    id: '01jhm3w5c0f8k2v6q9x7r1t4ab',
    account: 'account-1',
    credential: 'credential-1',
    envelope,
    content: { kind: 'inline' },
    size: 64,
    from: 'sales@example.co.jp',
    senderDomain: 'example.co.jp',
    messageIdHeader: 'abc@crm.example.jp',
    receivedAt: start,
    origin: 'submission',
    client: { ehlo: 'crm.example.jp', address: '192.0.2.10', tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384' },
    ...given,
  }
}

export function makeLeased(
  message: Message,
  recipient: Recipient = { address: 'b@example.com' },
  change: Partial<LeasedEntry['entry']> = {},
): LeasedEntry {
  return {
    message,
    entry: {
      id: `${message.id}.0`,
      message: message.id,
      recipient,
      domain: recipient.address.slice(recipient.address.lastIndexOf('@') + 1),
      attempts: 0,
      nextAttemptAt: start,
      expiresAt: start + 4 * day,
      delayNotified: false,
      inDoubt: false,
      ...change,
    },
  }
}

export const facts: AttemptFacts = {
  mode: 'spf-dkim',
  modeReason: 'spf and dkim are published',
  signatures: ['20240125._domainkey.example.co.jp'],
  site: 'mx1.example.com,mx2.example.com',
  remoteMta: 'mx1.example.com',
  remoteIp: '203.0.113.25',
  sourceIp: '210.198.21.20',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384 verified',
  tlsPolicy: 'mta-sts:enforce',
  reversePath: 'sales@example.co.jp',
  startedAt: start,
  durations: { signMs: 2, connectMs: 48, sendMs: 61, totalMs: 113 },
}

/** One attempt in which every entry was answered the same at RCPT, or at the dot when it was taken. */
export function makeAttempt(leased: readonly LeasedEntry[], raw: string): SettledAttempt {
  const reply = parseReply(raw)
  if (reply === null) throw new Error(`no reply: ${raw}`)
  const phase = reply.code < 400 ? 'dot' : 'rcpt'
  const results = leased.map(one => ({
    leased: one,
    result: { address: one.entry.recipient.address, reply, phase } as const,
  }))
  return { facts, route: 'mx', results }
}

export function makeOutcome(action: Outcome['action'] = 'delivered', raw = '250 2.0.0 ok'): Outcome {
  const base = {
    entry: '01jhm3w5c0f8k2v6q9x7r1t4ab.0',
    message: '01jhm3w5c0f8k2v6q9x7r1t4ab',
    recipient: 'b@example.com',
    at: start + 1234,
    attempt: 1,
    reply: parseReply(raw)!,
    class: 'none',
    actor: 'nobody',
    inDoubt: false,
    facts,
  } as const
  return action === 'deferred' ? { ...base, action, nextAttemptAt: start + 120_000 } : { ...base, action }
}
