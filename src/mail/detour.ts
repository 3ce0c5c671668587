/**
 * A detour: mail for a recipient domain, or for a site, goes to other hosts than its MX for a while.
 */
import type { HostName, Instant } from './ids.ts'
import type { TlsLevel } from './tls-level.ts'

export type DetourId = string

export interface DetourHost {
  readonly host: HostName
  /** Null: `delivery.port`. */
  readonly port: number | null
}

export interface Detour {
  readonly id: DetourId
  /** A recipient domain, or the end of the names of a site's MX hosts: `outlook.com` fits them all. */
  readonly domain: string
  /** In the order they are tried. */
  readonly hosts: readonly DetourHost[]
  /** Null: as the relay and the account ask for. */
  readonly tls: TlsLevel | null
  readonly createdAt: Instant
  /** Ends by itself then; null: when somebody ends it. */
  readonly until: Instant | null
  readonly note: string
}

/** Name of the site it makes: `via smarthost.example:587`. Limits and closings belong to it, not to the MX. */
export function siteOfDetour({ hosts }: Pick<Detour, 'hosts'>): string {
  return `via ${hosts.map(({ host, port }) => (port === null ? host : `${host}:${port}`)).join(',')}`
}
