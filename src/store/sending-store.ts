/**
 * The store's part for how much goes out: counts per day, and the warm-ups that stand on them.
 * See `store.ts` for what holds for all of it.
 */
import type { CalendarDay, Instant } from '../mail/ids.ts'
import type { Volume, VolumeScope } from '../mail/volume.ts'
import type { WarmUp, WarmUpChange, WarmUpKind, WarmUpRules } from '../mail/warm-up.ts'

import type { Page } from './queue-store.ts'

export interface VolumeStore {
  /** From that day on, oldest first. */
  volume(scope: VolumeScope, name: string, since: CalendarDay): Promise<readonly Volume[]>
  /** Added to what stands there: complaints that came back, for example. */
  addVolume(volumes: readonly Volume[]): Promise<void>
  /** Forgets days before that one, at most `limit` counts; answers how many. */
  purgeVolume(before: CalendarDay, limit: number): Promise<number>
}

/** The day as the caller's calendar has it. */
export interface WarmUpDay {
  readonly today: CalendarDay
  readonly at: Instant
  readonly rules: WarmUpRules
}

export interface WarmUpName {
  readonly kind: WarmUpKind
  readonly name: string
}

export interface Places {
  /** Of those wanted. */
  readonly granted: number
  readonly changes: readonly WarmUpChange[]
}

export interface WarmUpStore {
  /** Takes the place of one that is done; refused with `Conflict` while another goes on. */
  createWarmUp(warmUp: WarmUp): Promise<void>
  warmUp(of: WarmUpName): Promise<WarmUp | null>
  /** By kind and name; a page's `after` is `kind/name`. */
  listWarmUps(page: Page): Promise<readonly WarmUp[]>
  /** By hand. */
  pauseWarmUp(of: WarmUpName, day: WarmUpDay): Promise<WarmUp>
  resumeWarmUp(of: WarmUpName, day: WarmUpDay): Promise<WarmUp>
  deleteWarmUp(of: WarmUpName): Promise<void>
  /** Room under today's cap for that many recipients: exact whoever else takes some at the same time. */
  takePlaces(of: WarmUpName, wanted: number, day: WarmUpDay): Promise<Places>
  /** Places of recipients that were not tried after all; those of an earlier day are gone. */
  givePlaces(of: WarmUpName, count: number, day: CalendarDay): Promise<void>
  /** Makes due what waits for that, as in QueueEntry, or so many of them; answers how many. */
  wakeWaiting(waitsFor: string, most?: number): Promise<number>
  /** Brings all of them to today, as each would be when it is next asked for places. */
  reviewWarmUps(day: WarmUpDay): Promise<readonly WarmUpChange[]>
}
