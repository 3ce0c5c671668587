/**
 * What the other side of the wire said to one recipient, before anybody judged what it means.
 */
import type { Mailbox } from './ids.ts'
import type { Reply } from './reply.ts'

/** `lookup` is ours: before a host was known. */
export const phases = [
  'lookup',
  'connect',
  'banner',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'dot',
  'idle',
] as const
export type Phase = (typeof phases)[number]

/** Why a phase went wrong without a usable reply. */
export interface Failure {
  readonly phase: Phase
  /** `timeout` | `refused` | `reset` | `unreachable` | `tls` | `malformed-reply` | `unsupported` (SMTPUTF8, SIZE …) | `closed` | `tls-policy` (TLS as it must be can't be had). */
  readonly kind:
    | 'timeout'
    | 'refused'
    | 'reset'
    | 'unreachable'
    | 'tls'
    | 'tls-policy'
    | 'malformed-reply'
    | 'unsupported'
    | 'closed'
  /** What was seen, for the log: `ECONNREFUSED`, the malformed line, the TLS alert. */
  readonly detail: string
  /** True when the final dot may have reached the other side and no valid reply came back. */
  readonly inDoubt: boolean
}

/** What one recipient was answered: by a reply (in a phase), or by a failure. */
export type RecipientResult =
  | { readonly address: Mailbox; readonly reply: Reply; readonly phase: Phase }
  | { readonly address: Mailbox; readonly failure: Failure }
