/**
 * Which addresses mail may be sent to.
 *
 * An MX record is written by strangers: without this check it could point our connections at loopback, at the private
 * network behind the relay, or, wrapped in IPv6 (mapped, NAT64, 6to4, Teredo), at either of them. mx-connect's
 * judgement is used, which unwraps these forms and also refuses the addresses of this machine's own interfaces
 * (a message that would come back to ourselves, RFC 5321 §5.1).
 */
// @ts-expect-error mx-connect ships no types
import tools from 'mx-connect/lib/tools.js'

type Judge = (delivery: { readonly dnsOptions: object }, address: string) => string | false
const isInvalid: Judge = tools.isInvalid

/**
 * Why this address is refused, or null. `allowPrivate` still refuses what can be no host at all: 0.0.0.0/8, broadcast,
 * multicast.
 */
export function refusedAddress(address: string, allowPrivate: boolean): string | null {
  const dnsOptions = { blockLocalAddresses: !allowPrivate, blockReservedNetworks: !allowPrivate }
  return isInvalid({ dnsOptions }, address) || null
}
