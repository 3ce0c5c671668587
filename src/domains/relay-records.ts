/**
 * What the operator publishes for the relay itself: its signing key, and SPF and MX of the bounce host.
 */
import type { Config } from '../base/config.ts'
import type { DnsRecord } from '../mail/sender-domain.ts'
import type { KeyRing } from '../signing/key-ring.ts'

export function relayRecords(keyRing: KeyRing, config: Pick<Config, 'relayDomain' | 'spf' | 'hostname'>): DnsRecord[] {
  const { bounceHost } = config.relayDomain
  const addresses = config.spf.sendingIps.map(ip => (ip.includes(':') ? `ip6:${ip}` : `ip4:${ip}`))
  return [
    keyRing.relayRecord(),
    // Only this relay sends with the bounce host as reverse-path, and such mail is not forwarded with it: -all.
    { purpose: 'spf', type: 'TXT', name: bounceHost, value: ['v=spf1', ...addresses, '-all'].join(' ') },
    { purpose: 'return-path', type: 'MX', name: bounceHost, value: `10 ${config.hostname}` },
  ]
}
