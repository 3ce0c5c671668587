/**
 * The name below in-addr.arpa or ip6.arpa that belongs to an address (RFC 1035 §3.5, RFC 3596 §2.5).
 *
 * Fails by returning null when the text is no address.
 */
import ipaddr from 'ipaddr.js'
import type { DomainName } from '../mail/ids.ts'

export function reverseName(address: string): DomainName | null {
  if (!ipaddr.isValid(address)) return null
  const bytes = ipaddr.process(address).toByteArray()
  if (bytes.length === 4) return `${bytes.reverse().join('.')}.in-addr.arpa`
  const nibbles = [...Buffer.from(bytes).toString('hex')]
  return `${nibbles.reverse().join('.')}.ip6.arpa`
}

/** The way back; null when the name is no complete reverse name. */
export function addressOfReverseName(name: DomainName): string | null {
  const [, v4] = /^((?:\d{1,3}\.){3}\d{1,3})\.in-addr\.arpa$/.exec(name) ?? []
  if (v4 !== undefined) return v4.split('.').reverse().join('.')
  const [, v6] = /^((?:[0-9a-f]\.){31}[0-9a-f])\.ip6\.arpa$/.exec(name) ?? []
  const groups = v6?.split('.').reverse().join('').match(/.{4}/g)
  return groups ? groups.join(':') : null
}
