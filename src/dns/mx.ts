/**
 * Where mail for a domain goes: its MX hosts with their addresses (RFC 5321 §5.1).
 */
import type { HostName } from '../mail/ids.ts'

export interface MxHost {
  readonly host: HostName
  readonly preference: number
  /** IPv6 and IPv4, in the order to try. Never empty. */
  readonly addresses: readonly string[]
}

export interface LookupFailure {
  /** `null-mx`: RFC 7505. `no-domain`: NXDOMAIN. `no-host`: no MX and no address. `dns-trouble`: nobody could say. */
  readonly kind: 'null-mx' | 'no-domain' | 'no-host' | 'dns-trouble' | 'private-address'
  /** Fit for a log line. */
  readonly detail: string
}
