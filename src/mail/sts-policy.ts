/**
 * What a recipient domain says of its hosts by MTA-STS (RFC 8461 §3.2), as it was fetched.
 */
import type { DomainName, Instant } from './ids.ts'

export type StsMode = 'enforce' | 'testing' | 'none'

export interface StsPolicy {
  readonly domain: DomainName
  /** `id` of the record that announced it (§3.1). */
  readonly id: string
  readonly mode: StsMode
  /** Lower case; `*.` stands for one label (§4.1). Empty only in mode `none`. */
  readonly mx: readonly string[]
  readonly fetchedAt: Instant
  /** `fetchedAt` and `max_age` (§3.2). */
  readonly expiresAt: Instant
  /** The policy's lines, for reports. */
  readonly lines: readonly string[]
  /** When mail last went by it, to the day. */
  readonly usedAt: Instant
}
