import type { Detour, DetourId } from '../mail/detour.ts'
import type { Instant } from '../mail/ids.ts'
import type { QueueOperation } from '../mail/queue-operation.ts'
import type { Suspension, SuspensionId } from '../mail/suspension.ts'
import type { QueueFilter } from './queue-store.ts'

export interface StandingSuspension extends Suspension {
  /** What was queued when it was made is held. */
  readonly caught: boolean
  /** Its entries are being released since then; null: it is in force. */
  readonly endedAt: Instant | null
}

export interface SuspensionStore {
  /** In force from the commit on; what waits already is held by `catchSuspended`. */
  addSuspension(suspension: Suspension): Promise<void>
  /** Those whose entries are still being released included; oldest first. */
  suspensions(): Promise<readonly StandingSuspension[]>
  /** Entries held by each. */
  countSuspended(): Promise<ReadonlyMap<SuspensionId, number>>
  /** Holds up to `limit` entries that match; answers how many. Below `limit`: all are caught. */
  catchSuspended(id: SuspensionId, now: Instant, limit: number): Promise<number>
  /** It holds nothing more from now on. Null: there is none in force. */
  endSuspension(id: SuspensionId, now: Instant): Promise<Suspension | null>
  /** Releases up to `limit` of the entries an ended one holds; below `limit` it is gone. */
  releaseSuspended(id: SuspensionId, now: Instant, limit: number): Promise<number>
}

export interface DetourStore {
  addDetour(detour: Detour): Promise<void>
  /** Oldest first. */
  detours(): Promise<readonly Detour[]>
  /** Null: there is none. */
  removeDetour(id: DetourId): Promise<Detour | null>
}

/** Newest first; only the last hundred that ended are kept. */
export interface QueueOperationStore {
  saveQueueOperation(operation: QueueOperation<QueueFilter>): Promise<void>
  queueOperation(id: string): Promise<QueueOperation<QueueFilter> | null>
  queueOperations(): Promise<readonly QueueOperation<QueueFilter>[]>
}
