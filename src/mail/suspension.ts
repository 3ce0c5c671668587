/**
 * A suspension: a slice of the mail that is not tried for now, with the reason and, when it is known, the end.
 *
 * It holds what waits when it is made and whatever comes later; its end releases exactly what it held. Time goes on for
 * mail that it holds: what is too old expires.
 */
import type { AccountId, DomainName, Instant } from './ids.ts'

export type SuspensionId = string

/** All given fields must hold. */
export interface SuspensionFilter {
  readonly account?: AccountId
  readonly senderDomain?: DomainName
  /** Recipient domain. */
  readonly domain?: DomainName
  /** As the queue names it. */
  readonly site?: string
  /** Class of the last deferral: what was never tried has none. */
  readonly class?: string
}

export interface Suspension {
  readonly id: SuspensionId
  readonly filter: SuspensionFilter
  readonly reason: string
  readonly createdAt: Instant
  /** Ends by itself then; null: when somebody ends it. */
  readonly until: Instant | null
}

/** What is known of an entry; null: not known, so no filter that asks for it fits. */
export interface SuspensionFacts {
  readonly account: AccountId | null
  readonly senderDomain: DomainName
  readonly domain: DomainName
  readonly site: string | null
  readonly class: string | null
}

export function suspends({ filter, until }: Suspension, facts: SuspensionFacts, now: Instant): boolean {
  if (until !== null && until <= now) return false
  return (
    (filter.account === undefined || filter.account === facts.account) &&
    (filter.senderDomain === undefined || filter.senderDomain === facts.senderDomain) &&
    (filter.domain === undefined || filter.domain === facts.domain) &&
    (filter.site === undefined || filter.site === facts.site) &&
    (filter.class === undefined || filter.class === facts.class)
  )
}
