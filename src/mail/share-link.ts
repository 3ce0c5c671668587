/**
 * A link that shows one sender domain's records to whoever edits its DNS, without login.
 */
import type { AccountId, DomainName, Instant } from './ids.ts'

export interface ShareLink {
  readonly id: string
  readonly domain: DomainName
  /** Whose domain it was when the link was made: it shows nothing under another account. */
  readonly account: AccountId
  /** The token itself is known to its bearer only. */
  readonly tokenHash: string
  readonly createdAt: Instant
  readonly expiresAt: Instant
  readonly revokedAt: Instant | null
}
