/**
 * Signs requests so that a receiver knows who sent them and that nothing was changed or sent again later.
 *
 * In the form of Standard Webhooks 1.0: the key is the base64 after `whsec_`, and what is signed with HMAC-SHA256
 * (RFC 2104) is `<webhook-id>.<webhook-timestamp>.<body>`. While a secret is replaced both sign, separated by a space.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Instant } from '../mail/ids.ts'

const prefix = 'whsec_'
/** As long as the hash: more would not make it stronger (RFC 2104 §3). */
const secretBytes = 32

export function newSecret(): string {
  return prefix + randomBytes(secretBytes).toString('base64')
}

export interface SignedHeaders {
  readonly 'webhook-id': string
  /** Seconds since 1970. */
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

export function signedHeaders(secrets: readonly string[], id: string, at: Instant, body: Uint8Array): SignedHeaders {
  const timestamp = String(Math.floor(at / 1000))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(secret => `v1,${sign(secret, id, timestamp, body)}`).join(' '),
  }
}

function sign(secret: string, id: string, timestamp: string, body: Uint8Array): string {
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
}
