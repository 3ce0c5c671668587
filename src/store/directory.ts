/**
 * Accounts, credentials, sender addresses and sender domains as the hot path reads them: cached, and told of changes.
 */
import type { Account, Credential, SenderAddress } from '../mail/account.ts'
import type { AccountId, DomainName, Mailbox } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'

/** Null: there is no such thing; absence is cached too. Fails with StoreUnavailable. */
export interface Directory {
  account(id: AccountId): Promise<Account | null>
  credential(username: string): Promise<Credential | null>
  sender(address: Mailbox): Promise<SenderAddress | null>
  domain(name: DomainName): Promise<SenderDomain | null>
  close(): void
}
