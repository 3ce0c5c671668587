/**
 * When a failed request is tried again: soon at first, then hours apart for as long as events are kept.
 */
import type { Config } from '../base/config.ts'

export type BackOff = Pick<Config['webhooks'], 'retryAfter' | 'retryJitter'>

/** Longer than this a receiver can't send us away by Retry-After (RFC 9110 §10.2.3). */
const longestAskedMs = 24 * 3_600_000

/** `failures`: in a row, the one just met included. `askedMs`: what the receiver asked for. */
export function waitAfter(failures: number, askedMs: number, { retryAfter, retryJitter }: BackOff, random: number) {
  const step = retryAfter[Math.min(failures, retryAfter.length) - 1] ?? 0
  const spread = step * (1 + retryJitter * (2 * random - 1))
  return Math.round(Math.max(spread, Math.min(askedMs, longestAskedMs)))
}
