/**
 * The store's part for who sends: accounts, credentials, sender addresses, sender domains with what belongs to them.
 * See `store.ts` for what holds for all of it.
 */
import type { Account, Credential, SenderAddress, SmtpTrouble } from '../mail/account.ts'
import type { DomainClaim } from '../mail/domain-claim.ts'
import type { NewEvent } from '../mail/event.ts'
import type { AccountId, CredentialId, DomainName, Instant, Mailbox } from '../mail/ids.ts'
import type { Check, DkimKey, DomainOptions, KeyState, SenderDomain } from '../mail/sender-domain.ts'
import type { ShareLink } from '../mail/share-link.ts'

import type { Page } from './queue-store.ts'
export interface AccountStore {
  createAccount(account: Account): Promise<void>
  account(id: AccountId): Promise<Account | null>
  listAccounts(page: Page): Promise<readonly Account[]>
  updateAccount(
    id: AccountId,
    change: Partial<
      Pick<
        Account,
        'name' | 'limits' | 'pool' | 'unaligned' | 'feedbackId' | 'tls' | 'autoSuppress' | 'suspendedReason'
      >
    >,
  ): Promise<Account>
  /** Refused with `Conflict` while it has domains, senders or queued mail. */
  deleteAccount(id: AccountId): Promise<void>

  createCredential(credential: Credential): Promise<void>
  credential(id: CredentialId): Promise<Credential | null>
  credentialByUsername(username: string): Promise<Credential | null>
  listCredentials(filter: { readonly account?: AccountId }, page: Page): Promise<readonly Credential[]>
  updateCredential(
    id: CredentialId,
    change: Partial<Pick<Credential, 'passwordHash' | 'limits' | 'pool' | 'priority' | 'revokedAt'>>,
  ): Promise<Credential>

  /** Refused with `Conflict` naming the holder when the address is registered (design section 8). */
  createSender(sender: SenderAddress): Promise<void>
  sender(address: Mailbox): Promise<SenderAddress | null>
  listSenders(filter: { readonly account?: AccountId }, page: Page): Promise<readonly SenderAddress[]>
  /** Another server, or none, ends what is known of trouble with the one before. */
  updateSender(address: Mailbox, change: Partial<Pick<SenderAddress, 'smtp' | 'note'>>): Promise<SenderAddress>
  /**
   * What came of the last mail through its own server. Only while that is still the server it was of, and only when it
   * is news (other class of trouble, none any more): then true, and the events are written.
   */
  noteSmtpTrouble(
    of: { readonly address: Mailbox; readonly sealedPassword: string },
    trouble: SmtpTrouble | null,
    events: readonly NewEvent[],
  ): Promise<boolean>
  deleteSender(address: Mailbox): Promise<void>
}

/** A domain's links go with it: when it is purged, or registered again. */
export interface ShareLinkStore {
  createShareLink(link: ShareLink): Promise<void>
  /** Whatever became of it: the caller looks whether it still opens anything. */
  shareLinkByHash(tokenHash: string): Promise<ShareLink | null>
  /** Newest first; a page's `after` is a link's id. */
  listShareLinks(domain: DomainName, page: Page): Promise<readonly ShareLink[]>
  revokeShareLink(domain: DomainName, id: string, at: Instant): Promise<ShareLink>
  /** Removes those that ended before then. */
  forgetShareLinks(before: Instant): Promise<number>
}

export interface DomainStore {
  /** Refused with `Conflict` naming the holder when the domain is registered; replaces an archived one. */
  createDomain(domain: SenderDomain, events: readonly NewEvent[]): Promise<void>
  /** With keys and latest checks; null when not registered or archived (unless `archived` is asked for). */
  domain(name: DomainName, options?: { readonly archived?: boolean }): Promise<SenderDomain | null>
  listDomains(
    filter: { readonly account?: AccountId; readonly archived?: boolean },
    page: Page,
  ): Promise<readonly SenderDomain[]>
  updateDomain(
    name: DomainName,
    change: Partial<
      Pick<
        SenderDomain,
        | 'limits'
        | 'pool'
        | 'archivedAt'
        | 'nextCheckAt'
        | 'keyFailure'
        | 'keyWanted'
        | 'delegation'
        | keyof DomainOptions
      >
    >,
    events: readonly NewEvent[],
  ): Promise<SenderDomain>
  /** Takes the place of a retired key under the same selector; refused with `Conflict` while one is in use there. */
  addKey(key: DkimKey, events: readonly NewEvent[]): Promise<void>
  setKeyState(
    domain: DomainName,
    selector: string,
    state: KeyState,
    at: Instant,
    events: readonly NewEvent[],
  ): Promise<void>
  /** Replaces the latest check of each (purpose, name); the history keeps it when state, reason or findings differ. */
  recordChecks(
    domain: DomainName,
    checks: readonly Check[],
    nextCheckAt: Instant,
    events: readonly NewEvent[],
  ): Promise<void>
  checkHistory(domain: DomainName, page: Page): Promise<readonly Check[]>
  /** The history's row of the same record before this one. */
  checkBefore(domain: DomainName, check: Pick<Check, 'purpose' | 'name' | 'checkedAt'>): Promise<Check | null>
  /** Domains whose next check is due, earliest first. */
  dueForCheck(now: Instant, limit: number): Promise<readonly DomainName[]>
  /** Removes domains archived before then, with their keys. */
  purgeArchivedDomains(before: Instant): Promise<number>
}

/** Who claims a domain of another account, and the change of hands. */
export interface ClaimStore {
  /** Replaces the account's earlier claim of the domain. */
  putClaim(claim: DomainClaim, events: readonly NewEvent[]): Promise<void>
  /** All that are kept, expired ones too. */
  claims(domain: DomainName): Promise<readonly DomainClaim[]>
  /** As if new: keys retired; limits, choices, claims, share links and the holder's addresses gone, these with events. */
  moveDomain(move: DomainMove, events: readonly NewEvent[]): Promise<void>
}

export interface DomainMove {
  readonly name: DomainName
  /** The holder as the claimer knew it; refused with `Conflict` when it is another by now. */
  readonly from: AccountId
  readonly to: AccountId
  readonly at: Instant
  /** Null: none could be made, and `keyFailure` says why. */
  readonly key: DkimKey | null
  readonly keyFailure: string | null
}
