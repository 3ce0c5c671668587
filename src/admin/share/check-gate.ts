/**
 * How often a share link may have its domain checked: a check costs dozens of DNS questions, and the link needs no login.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../base/clock.ts'

export interface CheckGate {
  /** True once per interval and link. */
  pass(link: string): boolean
  /** Milliseconds until `pass` is true again; 0: now. */
  waitMs(link: string): number
}

/** Nothing that is changed in a panel is visible sooner. */
export const checkIntervalMs = 30_000
/** Links of as many domains at once; the oldest forgotten one may check early. */
const linksKept = 10_000

export function openCheckGate(clock: Clock): CheckGate {
  const openAt = new LRUCache<string, number>({ max: linksKept })
  const waitMs = (link: string) => Math.max(0, (openAt.get(link) ?? 0) - clock.monotonic())
  return {
    waitMs,
    pass(link) {
      if (waitMs(link) > 0) return false
      openAt.set(link, clock.monotonic() + checkIntervalMs)
      return true
    },
  }
}
