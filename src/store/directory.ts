/**
 * Accounts, credentials, sender addresses and sender domains as the hot path reads them: cached, and told of changes.
 *
 * A change made through any thread of this node ends a cached answer at once; one made on another node is seen after
 * `maxAgeMs` at the latest. Absence is cached too. Fails with StoreUnavailable.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import type { Account, Credential, SenderAddress } from '../mail/account.ts'
import type { AccountId, CredentialId, DomainName, Mailbox } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { Change, Store } from './store.ts'

/** Null: there is no such thing; absence is cached too. Fails with StoreUnavailable. */
export interface Directory {
  account(id: AccountId): Promise<Account | null>
  credential(username: string): Promise<Credential | null>
  credentialById(id: CredentialId): Promise<Credential | null>
  sender(address: Mailbox): Promise<SenderAddress | null>
  domain(name: DomainName): Promise<SenderDomain | null>
  close(): void
}

export interface DirectoryOptions {
  readonly store: Pick<Store, 'account' | 'credential' | 'credentialByUsername' | 'sender' | 'domain' | 'onChange'>
  readonly clock: Pick<Clock, 'monotonic'>
  /** Of each kind. 10,000 domains with their keys are some 40 MB at most. */
  readonly entries?: number
  readonly maxAgeMs?: number
}

interface Cached {
  /** Resolved: what is known costs the caller neither a promise nor a key of its own. */
  readonly value: Promise<unknown>
  readonly readAt: number
}

export function openDirectory({ store, clock, entries = 10_000, maxAgeMs = 30_000 }: DirectoryOptions): Directory {
  const newCache = () => new LRUCache<string, Cached>({ max: entries })
  const caches = {
    account: newCache(),
    credential: newCache(),
    credentialById: newCache(),
    sender: newCache(),
    domain: newCache(),
  }
  let changes = 0

  function through<T>(kind: keyof typeof caches, key: string, read: (key: string) => Promise<T>): Promise<T> {
    const cached = caches[kind].get(key)
    if (cached && clock.monotonic() - cached.readAt < maxAgeMs) return cached.value as Promise<T>
    return load(kind, key, read)
  }

  async function load<T>(kind: keyof typeof caches, key: string, read: (key: string) => Promise<T>): Promise<T> {
    const readAt = clock.monotonic()
    const changesBefore = changes
    const value = await read(key)
    // What changed while it was read may be older than the change.
    if (changes === changesBefore) caches[kind].set(key, { value: Promise.resolve(value), readAt })
    return value
  }

  const readAccount = (id: AccountId) => store.account(id)
  const readCredential = (username: string) => store.credentialByUsername(username)
  const readCredentialById = (id: CredentialId) => store.credential(id)
  const readSender = (address: Mailbox) => store.sender(address)
  const readDomain = (name: DomainName) => store.domain(name)

  const stop = store.onChange(change => {
    const changed = entryOf(change)
    if (changed === null) return
    changes++
    caches[changed.kind].delete(changed.key)
    // A change names it by username; they change seldom.
    if (changed.kind === 'credential') caches.credentialById.clear()
  })

  return {
    account: id => through('account', id, readAccount),
    credential: username => through('credential', username, readCredential),
    credentialById: id => through('credentialById', id, readCredentialById),
    sender: address => through('sender', address.toLowerCase(), readSender),
    domain: name => through('domain', name, readDomain),
    close() {
      stop()
      for (const cache of Object.values(caches)) cache.clear()
    },
  }
}

function entryOf(change: Change) {
  switch (change.kind) {
    case 'account':
      return { kind: change.kind, key: change.id }
    case 'credential':
      return { kind: change.kind, key: change.username }
    case 'sender':
      return { kind: change.kind, key: change.address.toLowerCase() }
    case 'domain':
      return { kind: change.kind, key: change.name }
    case 'queue':
    case 'recall':
    case 'webhook':
    case 'warm-up':
    case 'suppression':
    case 'suspension':
    case 'detour':
      return null
    default:
      return change satisfies never
  }
}
