/**
 * Whether the word of the configured resolvers on DNSSEC is taken.
 *
 * The AD bit is one bit of an unprotected datagram: it is worth something only when the resolver validates and nobody
 * stands between it and us (RFC 4035 §4.9.3, RFC 6698 §8.3). `auto` takes it from resolvers on this machine. One there that
 * doesn't validate never sets the bit, and dnsmasq clears what it got unless told to pass it on. The stub of
 * systemd-resolved passes on the bit of the server behind it in some of its modes, and Docker's always: `auto` leaves
 * them out. Pure.
 */
import ipaddr from 'ipaddr.js'
import type { Config } from '../base/config.ts'
import { configuredServers } from './system-resolver.ts'

/** systemd-resolved, resolved.conf(5): its stub, and the one without its own processing; Docker's in a container. */
const passingOn: ReadonlySet<string> = new Set(['127.0.0.53', '127.0.0.54', '127.0.0.11'])

export function trustsValidation(servers: readonly string[], validating: Config['dns']['validating']): boolean {
  if (validating !== 'auto') return validating
  const asked = configuredServers(servers)
  return asked.length > 0 && asked.every(({ address }) => isOnThisMachine(address) && !passingOn.has(address))
}

function isOnThisMachine(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}
