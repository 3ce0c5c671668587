/**
 * When a deferred entry is tried again (RFC 5321 §4.5.4.1): a list of growing waits, each spread a little.
 */
import type { Instant } from '../mail/ids.ts'

export interface RetryQuestion {
  /** Attempts made so far, the one that just failed included: from 1. */
  readonly attempts: number
  readonly now: Instant
  /** Waits after the 1st, 2nd … failed attempt, ms; the last one repeats. Never empty. */
  readonly retryAfter: readonly number[]
  /** Part of the wait by which it may be shorter or longer, so that retries don't come in waves: 0 to 0.5. */
  readonly jitter: number
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

export function nextAttemptAt({ attempts, now, retryAfter, jitter, random }: RetryQuestion): Instant {
  const step = Math.min(Math.max(attempts, 1), retryAfter.length) - 1
  const wait = retryAfter[step]!
  return Math.round(now + wait * (1 + jitter * (2 * random() - 1)))
}
