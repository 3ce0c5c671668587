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
  phase: 'banner',
}
const atMail = (said: Said): Said => ({ ...said, phase: 'mail' })
const polite: Said = { line: '450 4.7.1 Message rate limit exceeded', phase: 'rcpt' }
const silentReason: Said = { line: '421 4.3.2 Try again later', phase: 'mail' }
/** 20 connections, a second for each message. */
const unlimited = 1200

export const cases: readonly SiteCase[] = [
  { name: 'takes everything', site: generous, minutes: 10, capacity: unlimited },
  { name: '10 a minute (421)', site: takesPerMinute(10), minutes: 120, capacity: 10 },
  { name: '30 a minute (421)', site: takesPerMinute(30), minutes: 120, capacity: 30 },
  { name: '30 a minute (421 without a reason)', site: takesPerMinute(30, silentReason), minutes: 120, capacity: 30 },
  { name: '30 a minute (450 to each recipient)', site: takesPerMinute(30, polite), minutes: 120, capacity: 30 },
  { name: '300 a minute (421)', site: takesPerMinute(300), minutes: 120, capacity: 300 },
  { name: '1 connection', site: takesConnections(1), minutes: 60, capacity: 60 },
  { name: '2 connections', site: takesConnections(2), minutes: 60, capacity: 120 },
  { name: '10 connections', site: takesConnections(10), minutes: 60, capacity: 600 },
  {
    name: '2 connections, 10 a minute',
    site: both(takesConnections(2), takesPerMinute(10)),
    minutes: 120,
    capacity: 10,
  },
  { name: '5 messages per connection', site: takesPerConnection(5), minutes: 30, capacity: unlimited * 0.94 },
  {
    name: 'greylists for 5 minutes',
    site: greylists(5 * minute),
    minutes: 20,
    capacity: unlimited / 5,
    rule: { connections: 4 },
    from: 6,
  },
  {
    name: 'is down for 10 minutes',
    site: isDown(10 * minute, 20 * minute),
    minutes: 40,
    capacity: unlimited,
    from: 20,
  },
  {
    name: 'is down at first contact, for 10 minutes',
    site: isDown(0, 10 * minute),
    minutes: 40,
    capacity: unlimited,
    from: 10,
  },
  {
    name: '60 a minute, or 451 4.7.500 for 2 min, +30 s per try',
    site: throttles(60, 2 * minute, 30 * second, busy),
    minutes: 180,
    capacity: 60,
  },
  {
    name: '100 a minute, or TSS04 for 20 minutes',
    site: throttles(100, 20 * minute, 0, atMail(tss04)),
    minutes: 240,
    capacity: 100,
  },
  {
    name: '30 a minute for an hour, then everything',
    site: changes(takesPerMinute(30), 60 * minute, generous),
    minutes: 180,
    capacity: unlimited,
    from: 60,
  },
  {
    name: '30 a minute for an hour, then 120',
    site: changes(takesPerMinute(30), 60 * minute, takesPerMinute(120)),
    minutes: 240,
    capacity: 120,
    from: 60,
  },
  {
    name: '2 connections for an hour, then everything',
    site: changes(takesConnections(2), 60 * minute, generous),
    minutes: 180,
    capacity: unlimited,
    from: 60,
  },
  { name: '2 workers: 30 a minute', site: takesPerMinute(30), minutes: 120, capacity: 30, workers: 2 },
  { name: '4 workers: 30 a minute', site: takesPerMinute(30), minutes: 120, capacity: 30, workers: 4 },
  { name: '4 workers: 4 connections', site: takesConnections(4), minutes: 60, capacity: 240, workers: 4 },
  { name: '4 workers: 10 connections', site: takesConnections(10), minutes: 60, capacity: 600, workers: 4 },
  { name: '2 workers: 1 connection', site: takesConnections(1), minutes: 60, capacity: 60, workers: 2 },
  {
    name: '2 workers: 100 a minute, or TSS04 for 20 minutes',
    site: throttles(100, 20 * minute, 0, atMail(tss04)),
    minutes: 240,
    capacity: 100,
    workers: 2,
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
