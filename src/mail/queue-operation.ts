/**
 * An order to so many entries that it is carried out in the background and told how far it has come.
 */
import type { Instant } from './ids.ts'

export type QueueVerb = 'hold' | 'release' | 'retry' | 'cancel'
/** `stopped`: by an operator; what was done stays done. `failed`: `error` says why; the same order may be given again. */
export type QueueOperationState = 'running' | 'done' | 'stopped' | 'failed'

export interface QueueOperation<Filter = object> {
  readonly id: string
  readonly verb: QueueVerb
  readonly filter: Filter
  readonly reason: string
  /** Entries it would change when it began. */
  readonly total: number
  readonly done: number
  /** Being sent when it ended: held or cancelled unless that delivers them. Absent while it goes on. */
  readonly inFlight?: number
  readonly state: QueueOperationState
  readonly createdAt: Instant
  readonly endedAt: Instant | null
  readonly error: string | null
}
