/**
 * Which recipients may be suppressed, as the hot path asks: in memory, told of changes.
 *
 * Fingerprints of 32 bits, a set for each account: 8 MB for a million. An account without suppressions costs a look into a
 * map. A fingerprint says "maybe" (1 in 4,000 is wrong with a million of them), and only then the store is asked, which
 * knows reason, evidence and expiry; so what is removed or over may stay here until the next start. What is added on
 * another node is known after the next start, or when it bounces here too. Fails with StoreUnavailable.
 */
import type { AccountId, Mailbox } from '../mail/ids.ts'
import { type Suppression, suppressedAddress } from '../mail/suppression.ts'
import type { Store } from './store.ts'
import { suppressionCursor } from './suppression-store.ts'

export interface Suppressed {
  /** False: certainly not, neither for this account nor for all. */
  mayBe(account: AccountId | null, address: Mailbox): boolean
  /** The account's own, or that of all accounts. */
  find(account: AccountId | null, address: Mailbox): Promise<Suppression | null>
  close(): void
}

export type SuppressedStore = Pick<Store, 'suppression' | 'suppressedAddresses' | 'onChange'>

/** Read at once: some milliseconds. */
const loadAtOnce = 5000

export async function openSuppressed(store: SuppressedStore): Promise<Suppressed> {
  const sets = new Map<AccountId | null, Fingerprints>()
  const add = (account: AccountId | null, address: Mailbox) => {
    const set = sets.get(account) ?? new Fingerprints()
    set.add(fingerprintOf(address))
    sets.set(account, set)
  }
  const close = store.onChange(change => {
    if (change.kind !== 'suppression') return
    for (const address of change.addresses) add(change.account, address)
  })
  await load(store, add)
  return {
    mayBe(account, address) {
      const own = account === null ? undefined : sets.get(account)
      const everybodys = sets.get(null)
      if (own === undefined && everybodys === undefined) return false
      const fingerprint = fingerprintOf(suppressedAddress(address))
      return own?.has(fingerprint) === true || everybodys?.has(fingerprint) === true
    },
    async find(account, address) {
      const own = account === null ? null : await store.suppression(account, address)
      return own ?? store.suppression(null, address)
    },
    close,
  }
}

/** Changes meanwhile are added too: twice is once. */
async function load(store: SuppressedStore, add: (account: AccountId | null, address: Mailbox) => void): Promise<void> {
  let after: string | undefined
  for (;;) {
    const found = await store.suppressedAddresses({ limit: loadAtOnce, ...(after !== undefined && { after }) })
    for (const { account, address } of found) add(account, address)
    if (found.length < loadAtOnce) return
    after = suppressionCursor(found.at(-1)!)
  }
}

/** A set of numbers from 1 to 2³²-1 by open addressing; at most half full, so that a look is one or two places. */
export class Fingerprints {
  #places = new Uint32Array(16)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(fingerprint: number): boolean {
    return this.#places[this.#placeOf(fingerprint)] === fingerprint
  }

  add(fingerprint: number): void {
    const place = this.#placeOf(fingerprint)
    if (this.#places[place] === fingerprint) return
    this.#places[place] = fingerprint
    if (++this.#size * 2 > this.#places.length) this.#grow()
  }

  /** Its own place, or the free one where it would stand. */
  #placeOf(fingerprint: number): number {
    const mask = this.#places.length - 1
    let place = fingerprint & mask
    for (;;) {
      const found = this.#places[place]
      if (found === 0 || found === fingerprint) return place
      place = (place + 1) & mask
    }
  }

  #grow(): void {
    const before = this.#places
    this.#places = new Uint32Array(before.length * 2)
    for (const fingerprint of before) if (fingerprint !== 0) this.#places[this.#placeOf(fingerprint)] = fingerprint
  }
}

/** FNV-1a with a last stirring, so that the low bits that choose a place depend on all of it. Never 0. */
export function fingerprintOf(address: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}
