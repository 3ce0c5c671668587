/**
 * What one of several delivery workers may use of the limits that are kept in memory.
 *
 * Each worker gets its part of every such limit, so that all of them together stay within what the configuration says,
 * without asking each other before each attempt (considered: counters in shared memory; a worker whose site is full would
 * have to be woken by another thread). A part is never nothing, or its entries would wait for ever: so there are never
 * more workers than the smallest limit (`base/config-rules.ts`). Pure arithmetic.
 */
import type { Config } from '../base/config.ts'

/** The configuration as worker `number` of `count` (from 0) obeys it. */
export function workerShare(config: Config, number: number, count: number): Config {
  const part = (limit: number) => Math.floor(limit / count) + (number < limit % count ? 1 : 0)
  const { sites, delivery, submission } = config
  return {
    ...config,
    sites: sites.map(rule => ({
      ...rule,
      connections: part(rule.connections),
      perMinute: rule.perMinute === null ? null : part(rule.perMinute),
    })),
    delivery: { ...delivery, maxAttempts: part(delivery.maxAttempts) },
    submission: { ...submission, maxAuthFailuresPerAddress: part(submission.maxAuthFailuresPerAddress) },
  }
}
