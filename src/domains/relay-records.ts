/**
 * What the operator publishes for the relay itself, as it would stand in an empty zone.
 *
 * The host and its reverse names (RFC 5321 §4.1.1.1: large receivers refuse hosts whose names don't fit), SPF for the
 * name in EHLO, which stands for the null reverse-path (RFC 7208 §2.4), MX and SPF of the bounce host, the relay's key.
 */
import { isIPv6 } from 'node:net'
import type { Config } from '../base/config.ts'
import { reverseName } from '../dns/reverse-name.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import type { DnsRecord } from '../mail/sender-domain.ts'
import { reportKeyRecord } from '../signing/key-ring.ts'

export const relayPurposes = ['address', 'ptr', 'spf', 'return-path', 'dkim', 'dmarc', 'tls-reports'] as const
export const relayRecordTypes = ['A', 'AAAA', 'PTR', 'TXT', 'MX'] as const

export interface RelayRecord {
  readonly purpose: (typeof relayPurposes)[number]
  readonly type: (typeof relayRecordTypes)[number]
  /** Full owner name without trailing dot. */
  readonly name: DomainName
  readonly value: string
}

export type RelayRecordConfig = Pick<Config, 'relayDomain' | 'spf' | 'hostname' | 'domains' | 'pools' | 'tlsReports'>

/** `key`: the record of the relay's own key (signing/key-ring.ts). */
export function relayRecords(key: DnsRecord, config: RelayRecordConfig): RelayRecord[] {
  const { hostname, relayDomain } = config
  const { bounceHost } = relayDomain
  const hosts = hostsOf(config)
  const names = [...new Set([hostname, ...hosts.map(([, host]) => host)])]
  return [
    ...hosts.map(([ip, host]) => addressRecord(ip, host)),
    ...hosts.map(([ip, host]) => reverseRecord(ip, host)),
    ...names.map(name => spfRecord(name, config)),
    { purpose: 'return-path', type: 'MX', name: bounceHost, value: `10 ${hostname}` },
    ...(names.includes(bounceHost) ? [] : [spfRecord(bounceHost, config)]),
    { purpose: 'dkim', type: 'TXT', name: key.name, value: key.value },
    // Harms no mail that is sent in other ways, should the domain be used for more than this relay.
    { purpose: 'dmarc', type: 'TXT', name: `_dmarc.${relayDomain.name}`, value: 'v=DMARC1; p=none' },
    ...tlsReportRecords(key, config),
  ]
}

/** Where mail leaves from: `spf.sendingIps`, and the pools should they have others. */
export function sendingIpsOf(config: Pick<RelayRecordConfig, 'spf' | 'pools'>): readonly string[] {
  return [...new Set([...config.spf.sendingIps, ...config.pools.flatMap(({ sources }) => sources.map(({ ip }) => ip))])]
}

/** Each address with the name it says in EHLO, which its reverse name must be. */
function hostsOf(config: RelayRecordConfig): (readonly [ip: string, host: HostName])[] {
  const named = new Map(config.pools.flatMap(({ sources }) => sources.map(({ ip, ehlo }) => [ip, ehlo] as const)))
  return sendingIpsOf(config).map(ip => [ip, named.get(ip) ?? config.hostname])
}

function addressRecord(ip: string, hostname: HostName): RelayRecord {
  return { purpose: 'address', type: isIPv6(ip) ? 'AAAA' : 'A', name: hostname, value: ip }
}

function reverseRecord(ip: string, hostname: HostName): RelayRecord {
  return { purpose: 'ptr', type: 'PTR', name: reverseName(ip)!, value: hostname }
}

/** Only this relay sends under these names, and such mail is not forwarded with them: -all. */
function spfRecord(name: DomainName, config: RelayRecordConfig): RelayRecord {
  return { purpose: 'spf', type: 'TXT', name, value: ['v=spf1', ...sendingTerms(config), '-all'].join(' ') }
}

/** The mechanisms that let the relay's addresses pass. */
export function sendingTerms(config: RelayRecordConfig): readonly string[] {
  const ips = sendingIpsOf(config)
  if (ips.length === 0) return [`a:${config.hostname}`]
  return ips.map(ip => (isIPv6(ip) ? `ip6:${ip}` : `ip4:${ip}`))
}

/**
 * Both can be left out: the relay's key for reports on TLS, which some receivers want to see declared for that service
 * (RFC 8460 §3), under a selector of its own, since a key for several services verifies nothing for dkimpy; and where
 * others report to about TLS with the bounce host.
 */
function tlsReportRecords(key: DnsRecord, { relayDomain, tlsReports }: RelayRecordConfig): RelayRecord[] {
  const contact = tlsReports.contact ?? `postmaster@${relayDomain.name}`
  const common = { purpose: 'tls-reports', type: 'TXT' } as const
  return [
    ...(tlsReports.enabled ? [{ ...common, ...reportKeyRecord(key) }] : []),
    { ...common, name: `_smtp._tls.${relayDomain.bounceHost}`, value: `v=TLSRPTv1; rua=mailto:${contact}` },
  ]
}
