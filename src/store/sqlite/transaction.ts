/**
 * What one transaction of the writer gathers while its commands run, to be written or told once at its end.
 *
 * Twenty messages of one account for one domain then cost one update of its total and of its turn, not twenty.
 * Thrown away whole when the transaction is rolled back: nothing of it outlives a failure.
 */
import type { AccountId, DomainName, Instant } from '../../mail/ids.ts'
import type { SendLimits } from '../../mail/sender-domain.ts'
import type { Volume } from '../../mail/volume.ts'
import type { BucketState } from '../../policy/token-bucket.ts'
import type { Change } from '../store.ts'

export interface TotalDelta {
  accepted: number
  delivered: number
  bounced: number
  cancelled: number
}

export interface OpenBucket {
  state: BucketState | null
  /** Limits in force as stored with the key's owner; read when a retry first needs them. */
  limits: SendLimits | null
  dirty: boolean
}

/** What came to a slot of a backlog and what left it; the bounds are those of what came. */
export interface SlotDelta {
  readonly backlog: number
  readonly slot: number
  count: number
  earliest: Instant
  latest: Instant
}

export interface TurnDue {
  readonly domain: DomainName
  readonly account: AccountId | null
  dueAt: Instant
}

/** What is to be added to the counts of one day. */
export type VolumeDelta = { -readonly [field in keyof Volume]: Volume[field] } & { readonly account: AccountId | null }

export class Transaction {
  /** The caller's clock, set anew for each command. */
  now: Instant
  readonly changes: Change[] = []
  /** Spool files nobody needs once this is committed. */
  readonly removedFiles: string[] = []
  /** Row numbers of turns, by all that their entries have in common. */
  readonly turns = new Map<string, number>()
  /** Turn → the earliest of the entries that became claimable. */
  readonly turnsDue = new Map<number, TurnDue>()
  /** Account → when the earliest of its turns that changed is due. */
  readonly claimants = new Map<AccountId, Instant>()
  readonly totals = new Map<AccountId, TotalDelta>()
  readonly buckets = new Map<string, OpenBucket>()
  /** Row numbers of lines, by all that who waits in them has in common. */
  readonly lines = new Map<string, number>()
  /** Row numbers of backlogs, by all that their entries have in common. */
  readonly backlogs = new Map<string, number>()
  readonly backlogSlots = new Map<string, SlotDelta>()
  /** Counts per day, by all that names one. */
  readonly volumes = new Map<string, VolumeDelta>()

  constructor(now: Instant) {
    this.now = now
  }

  /** Each told once, however often it happened. */
  tellQueue(retried = false): void {
    const told = this.changes.some(change => change.kind === 'queue' && (change.retried === true) === retried)
    if (!told) this.changes.push(retried ? { kind: 'queue', retried } : { kind: 'queue' })
  }
}
