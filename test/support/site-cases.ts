/**
 * The receivers that delivery is measured by, and how.
 */
import {
  both,
  changes,
  generous,
  greylists,
  isDown,
  minute,
  type Said,
  second,
  takesConnections,
  takesPerConnection,
  takesPerMinute,
  throttles,
} from './site-models.ts'
import type { Simulated, SimulationOptions } from './site-simulation.ts'

export interface SiteCase extends SimulationOptions {
  readonly name: string
  /** Messages it takes in a minute. */
  readonly capacity: number
  /** From this minute on that is what it takes; 0: always. */
  readonly from?: number
  /** What may be refused in the first ten minutes … */
  readonly most: number
  /** … the least share of the last half hour; absent: 0.8 … */
  readonly share?: number
  /** … and the most minutes until it is used, after `from`. */
  readonly recovers?: number
}

export interface Judged {
  readonly refused: number
  /** In the first ten minutes … */
  readonly first: number
  /** … and in the last half hour. */
  readonly refusedLater: number
  /** The minute from which on each ten minutes have 80 % of what it takes; null: never. */
  readonly steadyAfter: number | null
  /** Of what it takes in the last half hour. */
  readonly share: number
  /** From `from` on, minutes until one has 80 % of it; null: it always took that. */
  readonly recovery: number | null
}

const busy: Said = { line: '451 4.7.500 Server busy. Please try again later', phase: 'mail' }
const tss04: Said = {
  line: '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints',
  phase: 'mail',
}
const polite: Said = { line: '450 4.7.1 Message rate limit exceeded', phase: 'rcpt' }
const noReason: Said = { line: '421 4.3.2 Try again later', phase: 'mail' }
/** Of the connections that a rule allows, a second for each message. */
const few = { connections: 5 }
const allOfFew = 300

export const cases: readonly SiteCase[] = [
  { name: 'takes everything', site: generous, minutes: 10, capacity: 1200, most: 0 },
  { name: '10 a minute (421)', site: takesPerMinute(10), minutes: 120, capacity: 10, most: 9 },
  { name: '30 a minute (421)', site: takesPerMinute(30), minutes: 120, capacity: 30, most: 12 },
  { name: '30 a minute (421, no reason)', site: takesPerMinute(30, noReason), minutes: 120, capacity: 30, most: 20 },
  { name: '30 a minute (450 at RCPT)', site: takesPerMinute(30, polite), minutes: 120, capacity: 30, most: 12 },
  { name: '300 a minute (421)', site: takesPerMinute(300), minutes: 60, capacity: 300, most: 16 },
  { name: '1 connection', site: takesConnections(1), minutes: 60, capacity: 60, most: 2 },
  { name: '2 connections', site: takesConnections(2), minutes: 60, capacity: 120, most: 2 },
  { name: '10 connections', site: takesConnections(10), minutes: 15, capacity: 600, most: 6 },
  {
    name: '2 connections, 10 a minute',
    site: both(takesConnections(2), takesPerMinute(10)),
    ...{ minutes: 120, capacity: 10, most: 6 },
  },
  {
    name: '5 messages per connection',
    site: takesPerConnection(5),
    ...{ minutes: 20, rule: few, capacity: allOfFew * (5 / 5.3), most: 3 },
  },
  // Each message is refused until it was known for five minutes: more than half of all attempts, and no reason to send less.
  {
    name: 'greylists for 5 minutes',
    site: greylists(5 * minute),
    ...{ minutes: 20, rule: few, capacity: allOfFew, from: 6, share: 0.4, most: Number.POSITIVE_INFINITY },
  },
  {
    name: 'down for 10 minutes',
    site: isDown(10 * minute, 20 * minute),
    ...{ minutes: 50, rule: few, capacity: allOfFew, from: 20, most: 0, recovers: 10 },
  },
  {
    name: 'down at first contact, for 10 minutes',
    site: isDown(0, 10 * minute),
    ...{ minutes: 40, rule: few, capacity: allOfFew, from: 10, most: 6, recovers: 8 },
  },
  {
    name: '60 a minute, else 451 4.7.500 for 2 min, +30 s a try',
    site: throttles(60, 2 * minute, 30 * second, busy),
    ...{ minutes: 180, capacity: 60, most: 18 },
  },
  {
    name: '100 a minute, else TSS04 for 20 minutes',
    site: throttles(100, 20 * minute, 0, tss04),
    ...{ minutes: 240, capacity: 100, most: 18 },
  },
  {
    name: '30 a minute for an hour, then all',
    site: changes(takesPerMinute(30), 60 * minute, generous),
    ...{ minutes: 130, rule: few, capacity: allOfFew, from: 60, most: 12, recovers: 50 },
  },
  {
    name: '30 a minute for an hour, then 120',
    site: changes(takesPerMinute(30), 60 * minute, takesPerMinute(120)),
    ...{ minutes: 150, capacity: 120, from: 60, most: 12, recovers: 50 },
  },
  {
    name: '2 connections for an hour, then all',
    site: changes(takesConnections(2), 60 * minute, generous),
    ...{ minutes: 115, rule: few, capacity: allOfFew, from: 60, most: 2, recovers: 25 },
  },
  { name: '2 workers: 30 a minute', site: takesPerMinute(30), minutes: 120, capacity: 30, workers: 2, most: 12 },
  { name: '4 workers: 30 a minute', site: takesPerMinute(30), minutes: 120, capacity: 30, workers: 4, most: 18 },
  { name: '4 workers: 4 connections', site: takesConnections(4), minutes: 60, capacity: 240, workers: 4, most: 6 },
  { name: '4 workers: 10 connections', site: takesConnections(10), minutes: 15, capacity: 600, workers: 4, most: 6 },
  // Whoever has it keeps it while there is mail in its memory; the lane is parked for all as often as others try.
  {
    name: '2 workers: 1 connection',
    site: takesConnections(1),
    ...{ minutes: 60, capacity: 60, workers: 2, share: 0.2, most: 6 },
  },
  {
    name: '2 workers: 100 a minute, else TSS04 for 20 minutes',
    site: throttles(100, 20 * minute, 0, tss04),
    ...{ minutes: 240, capacity: 100, workers: 2, most: 18 },
  },
]

export function judge({ capacity, from = 0, minutes }: SiteCase, { taken, refused }: Simulated): Judged {
  const ten = (at: number) => sum(taken.slice(at, at + 10)) >= 0.8 * 10 * capacity
  const starts = Array.from({ length: minutes - from - 9 }, (_, n) => from + n)
  const last = starts.findLastIndex(at => !ten(at))
  const steadyAfter = last + 1 < starts.length ? last + 1 : null
  const found = taken.findIndex((count, at) => at >= from && count >= 0.8 * capacity)
  const late = Math.min(30, minutes - from - 1)
  return {
    refused: sum(refused),
    first: sum(refused.slice(0, 10)),
    refusedLater: sum(refused.slice(-late)),
    steadyAfter,
    share: sum(taken.slice(-late)) / (late * capacity),
    recovery: from === 0 || found < 0 ? null : found - from,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
