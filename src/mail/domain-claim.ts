/**
 * An account's claim to a sender domain that another account holds, open until its proof stands in DNS.
 */
import type { AccountId, DomainName, Instant } from './ids.ts'

export interface DomainClaim {
  readonly domain: DomainName
  /** Who claims it. */
  readonly account: AccountId
  /** Published as `kitte-claim=<token>`; tells nothing and opens nothing by itself. */
  readonly token: string
  readonly createdAt: Instant
  readonly expiresAt: Instant
}
