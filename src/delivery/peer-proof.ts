/**
 * How a host's certificate is judged during and after the handshake, as its `HostSpec` wants it.
 *
 * With DANE the TLSA records decide alone, after a handshake that judged nothing (RFC 7672 §3.1). To an MX otherwise a known
 * authority and the DNS-IDs (RFC 8461 §4.1); without need for proof the same is only noted. A sender's own server is
 * judged as Node does. Never throws.
 */
import { X509Certificate } from 'node:crypto'
import net from 'node:net'
import { type ConnectionOptions, type DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Instant } from '../mail/ids.ts'
import { daneProblem } from '../tls/dane-match.ts'
import { checkDnsId } from '../tls/dns-id.ts'
import type { HostSpec } from './transport.ts'

/** A chain that is longer is none. */
const longestChain = 10

export function tlsOptions({ host, auth, verifyCertificate, plan }: HostSpec): ConnectionOptions {
  const dane = plan?.dane ?? null
  // A host that is an address has no DNS-ID.
  const byDnsId = auth === undefined && net.isIP(host) === 0
  return {
    rejectUnauthorized: verifyCertificate && dane === null,
    ...(byDnsId && { checkServerIdentity: (_name, certificate) => checkDnsId([host], certificate) }),
    // RFC 7672 §8.1.
    ...(dane !== null && { servername: dane.base }),
  }
}

/** A code as Node's; null: the certificate proves the host, or there is no TLS. */
export function certificateProblem(socket: net.Socket, { plan }: HostSpec, now: Instant): string | null {
  if (!(socket instanceof TLSSocket)) return null
  if (plan?.dane) return daneProblem({ chain: shownBy(socket), ...plan.dane, now })
  return socket.authorized ? null : String(socket.authorizationError ?? 'UNKNOWN')
}

/** The host's own certificate first, then its issuers. */
function shownBy(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < longestChain) {
    chain.push(new X509Certificate(next.raw))
    // A root is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
