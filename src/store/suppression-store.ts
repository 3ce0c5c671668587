import type { AccountId, DomainName, Instant, Mailbox } from '../mail/ids.ts'
import type { AutomaticSuppression, Suppression, SuppressionKey, SuppressionReason } from '../mail/suppression.ts'
import type { Page } from './queue-store.ts'

/** All given fields must hold. */
export interface SuppressionFilter {
  /** Null: those of all accounts; absent: any. */
  readonly account?: AccountId | null
  readonly address?: Mailbox
  readonly reason?: SuppressionReason
  /** Of the evidence. */
  readonly class?: string
  /** Recipient domain. */
  readonly domain?: DomainName
  /** Part of the evidence's reply, without case. */
  readonly text?: string
  /** Made then or later … */
  readonly since?: Instant
  /** … and before. */
  readonly until?: Instant
}

export interface SuppressionCount {
  readonly account: AccountId | null
  readonly reason: SuppressionReason
  readonly count: number
}

export interface ErasedSuppressions {
  readonly removed: number
  readonly kept: number
  readonly events: number
}

/** What became of one that was put: `kept`: there was one already, which stays. */
export type PutSuppression = 'created' | 'replaced' | 'kept'

/** Expired ones are not there any more, but in counts until they are purged. */
export interface SuppressionStore {
  /**
   * Puts them in place of what was there, each told as an event unless `quiet`. Fails with NotFound when there is no such
   * account.
   */
  putSuppressions(suppressions: readonly Suppression[], quiet?: boolean): Promise<readonly PutSuppression[]>
  /** Unless the account doesn't want it, not often enough yet, or something at least as strong stands there already. */
  suppress(suppression: AutomaticSuppression): Promise<boolean>
  suppression(account: AccountId | null, address: Mailbox): Promise<Suppression | null>
  /** In the order of account and address; the cursor is `suppressionCursor` of the last. */
  listSuppressions(filter: SuppressionFilter, page: Page): Promise<readonly Suppression[]>
  /** Of all that stand there, without anything else: for the memory of the data plane. */
  suppressedAddresses(page: Page): Promise<readonly SuppressionKey[]>
  countSuppressions(): Promise<readonly SuppressionCount[]>
  /** Answers how many were there. Told as events. */
  removeSuppressions(keys: readonly SuppressionKey[], at: Instant): Promise<number>
  /**
   * For `kitte erase`: takes the address out of suppressions that bounces made and out of their events. What says that
   * somebody wants no mail stays, or they would get it again.
   */
  eraseSuppressions(address: Mailbox): Promise<ErasedSuppressions>
  /** Removes expired ones, at most `limit`, and counts of bounces older than theirs; answers how many. */
  purgeSuppressions(now: Instant, limit: number): Promise<number>
}

/** Account ids have no space in them. */
export function suppressionCursor({ account, address }: SuppressionKey): string {
  return `${account ?? ''} ${address}`
}
