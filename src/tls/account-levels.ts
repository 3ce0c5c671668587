/**
 * How far each account's mail must be protected: known at once for every message, without asking anybody.
 *
 * Only accounts that ask for more than opportunistic TLS are kept. All are read before the first attempt, then as they
 * change; until a change is read the stricter of old and new can't be known, so the old one counts for some
 * milliseconds. Fails to open with StoreUnavailable.
 */
import type { Log } from '../base/log.ts'
import type { Account } from '../mail/account.ts'
import type { AccountId } from '../mail/ids.ts'
import type { TlsLevel } from '../mail/tls-level.ts'
import type { Store } from '../store/store.ts'

export interface AccountLevelsParts {
  readonly store: Pick<Store, 'account' | 'listAccounts' | 'onChange'>
  readonly log: Log
}

export interface AccountLevels {
  /** Undefined: nothing is asked. */
  of(account: AccountId | null): TlsLevel | undefined
  close(): void
}

const pageSize = 1000

export async function openAccountLevels({ store, log }: AccountLevelsParts): Promise<AccountLevels> {
  const levels = new Map<AccountId, TlsLevel>()
  const take = (id: AccountId, account: Account | null) => {
    const level = account?.tls ?? 'opportunistic'
    if (level === 'opportunistic') levels.delete(id)
    else levels.set(id, level)
  }
  const reread = async (id: AccountId) => {
    try {
      take(id, await store.account(id))
    } catch (error) {
      log.warn({ account: id, err: error }, 'how far the mail of an account must be protected could not be read')
    }
  }
  const stop = store.onChange(change => {
    if (change.kind === 'account') void reread(change.id)
  })
  let after = ''
  for (;;) {
    const page = await store.listAccounts({ limit: pageSize, after })
    for (const account of page) take(account.id, account)
    if (page.length < pageSize) break
    after = page.at(-1)!.id
  }
  return {
    of: account => (account === null || levels.size === 0 ? undefined : levels.get(account)),
    close: stop,
  }
}
