/**
 * Accounts, credentials, sender addresses and sender domains as the hot path reads them: cached, and told of changes.
 *
 * A change made through any thread of this node ends a cached answer at once; one made on another node is seen after
 * `maxAgeMs` at the latest. Absence is cached too. Fails with StoreUnavailable.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import type { Account, Credential, SenderAddress } from '../mail/account.ts'
import type { AccountId, DomainName, Mailbox } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { Change, Store } from './store.ts'

/** Null: there is no such thing; absence is cached too. Fails with StoreUnavailable. */
export interface Directory {
  account(id: AccountId): Promise<Account | null>
  credential(username: string): Promise<Credential | null>
  sender(address: Mailbox): Promise<SenderAddress | null>
  domain(name: DomainName): Promise<SenderDomain | null>
  close(): void
}

export interface DirectoryOptions {
  readonly store: Pick<Store, 'account' | 'credentialByUsername' | 'sender' | 'domain' | 'onChange'>
  readonly clock: Pick<Clock, 'monotonic'>
  /** Of each kind. 10,000 domains with their keys are some 40 MB at most. */
  readonly entries?: number
  readonly maxAgeMs?: number
}

interface Cached {
  readonly value: unknown
  readonly readAt: number
}

export function openDirectory({ store, clock, entries = 10_000, maxAgeMs = 30_000 }: DirectoryOptions): Directory {
  const cache = new LRUCache<string, Cached>({ max: 4 * entries })
  let changes = 0

  async function through<T>(key: string, read: () => Promise<T>): Promise<T> {
    const cached = cache.get(key)
    const now = clock.monotonic()
    if (cached && now - cached.readAt < maxAgeMs) return cached.value as T
    const changesBefore = changes
    const value = await read()
    // What changed while it was read may be older than the change.
    if (changes === changesBefore) cache.set(key, { value, readAt: now })
    return value
  }

  const stop = store.onChange(change => {
    const key = keyOf(change)
    if (key === null) return
    changes++
    cache.delete(key)
  })

  return {
    account: id => through(`account ${id}`, () => store.account(id)),
    credential: username => through(`credential ${username}`, () => store.credentialByUsername(username)),
    sender: address => through(senderKey(address), () => store.sender(address)),
    domain: name => through(`domain ${name}`, () => store.domain(name)),
    close() {
      stop()
      cache.clear()
    },
  }
}

function senderKey(address: Mailbox): string {
  return `sender ${address.toLowerCase()}`
}

function keyOf(change: Change): string | null {
  switch (change.kind) {
    case 'account':
      return `account ${change.id}`
    case 'credential':
      return `credential ${change.username}`
    case 'sender':
      return senderKey(change.address)
    case 'domain':
      return `domain ${change.name}`
    case 'queue':
    case 'webhook':
      return null
    default:
      return change satisfies never
  }
}
