/**
 * How submission hands fresh messages to delivery without a detour through the database.
 *
 * Before the commit submission asks which entries may be leased; after the commit it hands over those that were.
 * Neither call waits or throws.
 */
import type { AccountId, DomainName, Instant } from '../mail/ids.ts'
import type { Priority } from '../mail/priority.ts'
import type { Lease, LeasedEntry } from '../store/store.ts'

/** The content as stored: in memory when small, the absolute path of its synced file when large. */
export type FreshContent = Buffer | { readonly path: string }

export interface FreshOffer {
  /** Undefined when delivery is full or stopping: the entries then wait in the queue like any other. */
  readonly lease: Lease | undefined
  /** False: the domain's site is closed or busy; the entry must stay unleased … */
  leasable(domain: DomainName): boolean
  /** … and be due then. */
  nextAttemptAt(domain: DomainName): Instant
}

export interface FreshDelivery {
  /** Capacity for that many entries is set aside until `offer` or `giveBack`: one of them must follow, whatever the lease. */
  ask(entries: number, account: AccountId | null, priority?: Priority): FreshOffer
  /** Takes over committed, leased entries of one message. `asked` as in `ask`. */
  offer(entries: readonly LeasedEntry[], content: FreshContent, asked: number): void
  /** The message was not accepted after all: frees what `ask` set aside. */
  giveBack(asked: number): void
  /** Entries stayed in the queue and the first is due then: the dispatcher sets its timer. */
  waiting(nextDueAt: Instant): void
}
