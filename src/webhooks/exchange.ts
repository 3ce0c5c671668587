/**
 * One HTTP request to a receiver and what it answered.
 *
 * The connection goes to an address the caller has judged and to no other: the host is not resolved again, so that DNS
 * can't answer differently the second time. Redirects are not followed. Of an answer's body only the beginning is kept,
 * and a connection whose body does not end soon is closed; the status line decides. Never rejects.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { FailureReason } from './failures.ts'

export interface Answer {
  readonly status: number
  /** Header Location; empty: none. */
  readonly location: string
  /** Header Retry-After; empty: none. */
  readonly retryAfter: string
  /** The beginning of the body. */
  readonly reply: string
}

export interface NoAnswer {
  readonly failed: FailureReason
  readonly problem: string
}

export interface Exchange {
  readonly url: URL
  readonly addresses: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly agent: HttpAgent
  readonly timeoutMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Enough to see what a receiver complains of. */
const replyBytes = 1024
/** A longer body costs less to cut off than to read. */
const bodyBytes = 64 * 1024
/** Most servers close an idle connection after 5 s or later. */
const idleMs = 4000
/** What a server that closes an idle connection looks like to who writes to it. */
const staleCodes = new Set(['ECONNRESET', 'EPIPE'])
const connectCodes = /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|EACCES|EINVAL)$/
const tlsCodes = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/

/** Keeps one connection to a receiver for a while. */
export function openAgent(url: URL): HttpAgent {
  const options = { keepAlive: true, maxSockets: 1, timeout: idleMs }
  return url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
}

export async function exchange(wanted: Exchange): Promise<Answer | NoAnswer> {
  const first = await once(wanted)
  // Events carry ids, so a request that may have arrived can be sent again.
  return 'isStale' in first && first.isStale ? once(wanted) : first
}

type Outcome = Answer | (NoAnswer & { readonly isStale: boolean })

function once(wanted: Exchange): Promise<Outcome> {
  const { url, addresses, headers, body, agent, timeoutMs, clock, signal } = wanted
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const request = send(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': body.byteLength },
    agent,
    lookup: pinned(addresses),
  })
  let head: IncomingMessage | null = null
  let reply = Buffer.alloc(0)
  const finish = (failure: NoAnswer) => {
    if (head) resolve(answerOf(head, reply))
    else resolve({ ...failure, isStale: request.reusedSocket && failure.failed === 'closed' && !signal.aborted })
  }
  const giveUp = (failure: NoAnswer) => {
    finish(failure)
    request.destroy()
  }
  const cancel = clock.after(timeoutMs, () => giveUp({ failed: 'timeout', problem: '' }))
  const abort = () => giveUp({ failed: 'closed', problem: 'the relay stops' })
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  request.on('error', error => finish(failureOf(error)))
  request.once('close', () => {
    cancel()
    signal.removeEventListener('abort', abort)
    finish({ failed: 'closed', problem: 'closed by the receiver' })
  })
  request.once('response', response => {
    head = response
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (reply.byteLength < replyBytes) reply = Buffer.concat([reply, chunk]).subarray(0, replyBytes)
      if (bytes > bodyBytes) giveUp({ failed: 'protocol', problem: '' })
    })
    // The body's end is not the answer's: a status was given.
    response.on('error', () => {})
    response.once('end', () => finish({ failed: 'protocol', problem: '' }))
  })
  request.end(body)
  return promise
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, reply: Buffer): Answer {
  return {
    status: statusCode,
    location: headers.location ?? '',
    retryAfter: headers['retry-after'] ?? '',
    reply: reply.toString('utf8'),
  }
}

/** Whatever is asked for, the answer is what was judged. */
function pinned(addresses: readonly string[]): LookupFunction {
  const known = addresses.map(address => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    if (options.all) callback(null, known)
    else callback(null, known[0]!.address, known[0]!.family)
  }
}

function failureOf(error: Error & { readonly code?: string }): NoAnswer {
  const code = error.code ?? ''
  const problem = code || error.message
  if (connectCodes.test(code)) return { failed: 'connect', problem }
  if (tlsCodes.test(code)) return { failed: 'tls', problem }
  if (code.startsWith('HPE_')) return { failed: 'protocol', problem }
  return { failed: staleCodes.has(code) || /hang up/.test(error.message) ? 'closed' : 'connect', problem }
}
