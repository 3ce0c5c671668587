/**
 * What one of several delivery workers may use of the limits that are kept in memory.
 *
 * Each worker gets its part of every such limit, so that all of them together stay within what the configuration says,
 * without asking each other before each attempt (considered: counters in shared memory; a worker whose site is full would
 * have to be woken by another thread). A part is never nothing, or its entries would wait for ever: so there are never
 * more workers than the smallest limit of the configuration (`base/config-rules.ts`); of a limit that Kitte ships each of
 * very many workers still gets one. Pure arithmetic.
 */
import type { Config } from '../base/config.ts'
import { siteRules } from './site-rules.ts'

/** The configuration as worker `number` of `count` (from 0) obeys it, with the rules for sites that Kitte ships. */
export function workerShare(config: Config, number: number, count: number): Config {
  const part = (limit: number) => Math.floor(limit / count) + (number < limit % count ? 1 : 0)
  const { sites, delivery, submission } = config
  return {
    ...config,
    sites: siteRules(sites).map(rule => ({
      ...rule,
      connections: Math.max(1, part(rule.connections)),
      perMinute: rule.perMinute === null ? null : Math.max(1, part(rule.perMinute)),
    })),
    delivery: {
      ...delivery,
      maxAttempts: part(delivery.maxAttempts),
      firstConnections: Math.max(1, part(delivery.firstConnections)),
      // So that limits which stand in the store can be divided as well.
      ...(count > 1 && { workers: count }),
    },
    submission: { ...submission, maxAuthFailuresPerAddress: part(submission.maxAuthFailuresPerAddress) },
  }
}
