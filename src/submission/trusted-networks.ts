/**
 * Networks that submit without AUTH, each as one credential (configuration `submission.trustedNetworks`).
 */
import ipaddr from 'ipaddr.js'
import type { Config } from '../base/config.ts'

/** The username that an address is trusted as: of the first network that holds it; null: none does. */
export function trustedUsernames(
  networks: Config['submission']['trustedNetworks'],
): (address: string) => string | null {
  const parsed = networks.map(({ network, credential }) => ({ range: ipaddr.parseCIDR(network), credential }))
  if (parsed.length === 0) return () => null
  return text => {
    const address = ipaddr.process(text)
    const found = parsed.find(({ range }) => range[0].kind() === address.kind() && address.match(range))
    return found?.credential ?? null
  }
}
