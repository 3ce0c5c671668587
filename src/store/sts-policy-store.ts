/**
 * The store's part for the MTA-STS policies of recipient domains: what was promised must hold across restarts (RFC 8461
 * §10.2), and in every worker. See `store.ts` for what holds for all of it.
 */
import type { DomainName, Instant } from '../mail/ids.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { Page } from './queue-store.ts'

export interface StsPolicyStore {
  /** Expired or not. */
  stsPolicy(domain: DomainName): Promise<StsPolicy | null>
  /** By domain; a page's `after` is a domain. */
  listStsPolicies(page: Page): Promise<readonly StsPolicy[]>
  /** Replaces the domain's. */
  putStsPolicy(policy: StsPolicy): Promise<void>
  /** Nothing happens when there is none. */
  useStsPolicy(domain: DomainName, at: Instant): Promise<void>
  /** Removes those that expired before then; answers how many. */
  forgetStsPolicies(before: Instant): Promise<number>
}
