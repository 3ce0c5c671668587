/**
 * Fetches a domain's MTA-STS policy from its policy host (RFC 8461 §3.3).
 *
 * HTTPS with a certificate for that host by a known authority; no redirect; 200 with text/plain; bounded in size and time.
 * A policy host is named by strangers: its addresses are judged as an MX host's are, and the connection goes to one of
 * them and nowhere else, so that DNS can't answer differently the second time. Never throws: what went wrong is an answer.
 */
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import { findAddresses, type LookupOptions } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { DomainName } from '../mail/ids.ts'
import { checkDnsId } from './dns-id.ts'
import type { TlsFailureType } from './tls-result.ts'

export interface StsFetchParts {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly lookup: LookupOptions
  /** `tls.mtaStsTimeout`: for all of it. */
  readonly timeoutMs: number
  readonly port: number
  secureContext(): SecureContext
}

export interface StsFetchFailure {
  readonly type: Extract<TlsFailureType, 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'>
  readonly detail: string
}

export type StsFetched = { readonly text: string } | { readonly failure: StsFetchFailure }

/** RFC 8461 §3.3: 64 kilobytes. */
const maxBytes = 64 * 1024
const addressesTried = 2
/** What Node calls a certificate that is no good. */
const certificateCodes =
  /^(?:CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_)/

export async function fetchStsPolicy(
  domain: DomainName,
  parts: StsFetchParts,
  signal: AbortSignal,
): Promise<StsFetched> {
  const host = `mta-sts.${domain}`
  const found = await findAddresses(parts.resolver, host, { ...parts.lookup, maxAddressesPerHost: addressesTried })
  if ('failure' in found) return failed('sts-policy-fetch-error', found.failure.detail)
  return get(host, found.addresses, parts, signal)
}

function get(
  host: string,
  addresses: readonly string[],
  { clock, timeoutMs, port, secureContext }: StsFetchParts,
  signal: AbortSignal,
): Promise<StsFetched> {
  const { promise, resolve } = Promise.withResolvers<StsFetched>()
  // Options of `tls.connect` are passed on to it.
  const options: RequestOptions & { readonly secureContext: SecureContext } = {
    host,
    port,
    path: '/.well-known/mta-sts.txt',
    headers: { accept: 'text/plain', 'user-agent': 'Kitte', host: port === 443 ? host : `${host}:${port}` },
    agent: false,
    lookup: pinned(addresses),
    secureContext: secureContext(),
    servername: host,
    checkServerIdentity: (_name, certificate) => checkDnsId([host], certificate),
    signal,
  }
  const asking = request(options)
  const end = (result: StsFetched) => {
    cancel()
    resolve(result)
    asking.destroy()
  }
  const cancel = clock.after(timeoutMs, () => end(failed('sts-policy-fetch-error', `not sent within ${timeoutMs} ms`)))
  asking.on('error', error => end(failureOf(error)))
  asking.once('close', () => end(failed('sts-policy-fetch-error', 'closed by the policy host')))
  asking.once('response', response => read(response, end))
  asking.end()
  return promise
}

function read(response: IncomingMessage, end: (result: StsFetched) => void): void {
  const refused = refusalOf(response)
  if (refused !== null) {
    end({ failure: refused })
    return
  }
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) end(failed('sts-policy-invalid', `larger than ${maxBytes} octets`))
    else chunks.push(chunk)
  })
  response.on('error', error => end(failureOf(error)))
  response.once('end', () => {
    if (!response.complete) return
    const text = Buffer.concat(chunks).toString('utf8')
    end(mayBeCut(response, text) ? failed('sts-policy-fetch-error', 'cut off within a line') : { text })
  })
}

/**
 * Without a length the end of the connection is the end of the text, and Node can't tell one that the host meant from one that
 * somebody on the way brought about (RFC 9112 §9.8): `max_age: 86400` must not become `max_age: 8`.
 */
function mayBeCut({ headers }: IncomingMessage, text: string): boolean {
  const isFramed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  return !isFramed && !text.endsWith('\n')
}

/** RFC 8461 §3.3: redirects must not be followed, and only 200 is a policy. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage): StsFetchFailure | null {
  if (statusCode !== 200) return { type: 'sts-policy-fetch-error', detail: `HTTP status ${statusCode}` }
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  return type === 'text/plain' ? null : { type: 'sts-policy-invalid', detail: 'its content type is not text/plain' }
}

/** Whatever is asked for, the answer is what was judged. */
function pinned(addresses: readonly string[]): LookupFunction {
  const known = addresses.map(address => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    if (options.all) callback(null, known)
    else callback(null, known[0]!.address, known[0]!.family)
  }
}

function failureOf(error: Error & { readonly code?: string }): StsFetched {
  const detail = error.code ?? error.message
  return failed(certificateCodes.test(detail) ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', detail)
}

function failed(type: StsFetchFailure['type'], detail: string): { readonly failure: StsFetchFailure } {
  return { failure: { type, detail } }
}
