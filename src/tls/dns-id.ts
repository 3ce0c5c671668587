/**
 * Whether a certificate is for a host: by its DNS-IDs only (RFC 6125 §6.4), as RFC 8461 §4.1 and RFC 7672 §3.2.3 ask.
 *
 * Node's own check takes a common name where there is no DNS-ID, and a wildcard inside of a label. Neither is taken here;
 * a wildcard is the whole leftmost label, and stands for exactly one. Pure.
 */
import type { HostName } from '../mail/ids.ts'

/** The code Node gives the same finding. */
export const wrongName = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** `subjectAltName` as Node writes it: `DNS:mx.example, IP Address:192.0.2.1`. A name with a comma in it is quoted. */
export function dnsIdsOf(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined) return []
  return [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"\s]+)(?=,|$)/g)].map(([, name]) => canonical(name!))
}

export function isFor(dnsIds: readonly string[], hosts: readonly HostName[]): boolean {
  return hosts.some(host => dnsIds.some(id => fits(id, canonical(host))))
}

/** `*.` stands for one label; the same in certificates and MTA-STS policies (RFC 8461 §4.1). */
export function fits(pattern: string, host: HostName): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot + 1) === pattern.slice(2) && !pattern.slice(2).includes('*')
}

/** For `tls.connect`: undefined when it is for one of the hosts. */
export function checkDnsId(
  hosts: readonly HostName[],
  certificate: { readonly subjectaltname?: string | undefined },
): Error | undefined {
  const dnsIds = dnsIdsOf(certificate.subjectaltname)
  if (isFor(dnsIds, hosts)) return undefined
  const error = new Error(`the certificate is for ${dnsIds.join(', ') || 'no host'}, not for ${hosts.join(' or ')}`)
  return Object.assign(error, { code: wrongName })
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
