/**
 * A warm-up: how much a new sender domain or source address may send each day, until receivers know it.
 */
import type { AccountId, CalendarDay, Instant } from './ids.ts'

export type WarmUpKind = 'domain' | 'source'

/** What receivers said too often, and how often: a share of so many answers. */
export interface WarmUpTrouble {
  readonly kind: 'deferred' | 'bounced' | 'complained'
  readonly share: number
  readonly of: number
}

export interface WarmUpPause {
  /** The last day of trouble; the day of the order. */
  readonly since: CalendarDay
  /** Null: ordered by hand. */
  readonly trouble: WarmUpTrouble | null
}

export interface WarmUp {
  readonly kind: WarmUpKind
  /** The domain, or the address. */
  readonly name: string
  /** Of the domain. */
  readonly account: AccountId | null
  /** Name in the configuration; `own`: the caps came with the order. */
  readonly plan: string
  /** Most recipients on the first day, the second … */
  readonly caps: readonly number[]
  readonly startsOn: CalendarDay
  readonly createdAt: Instant
  readonly state: 'running' | 'paused' | 'done'
  /** Which of the caps counts, from 0. */
  readonly step: number
  /** The day that `taken` is of; null: it hasn't begun. */
  readonly day: CalendarDay | null
  /** Recipients that were given a place on that day. */
  readonly taken: number
  readonly pause: WarmUpPause | null
  /** Resumed by hand on that day, whose numbers don't count any more. */
  readonly trustedOn: CalendarDay | null
}

export interface WarmUpChange {
  readonly type: 'started' | 'advanced' | 'paused' | 'resumed' | 'finished'
  readonly warmUp: WarmUp
}

/** From when on a day was trouble, or good: `warmUp` in the configuration. */
export interface WarmUpRules {
  readonly minimumUse: number
  readonly sample: number
  readonly deferredShare: number
  readonly bouncedShare: number
  readonly complainedShare: number
}
