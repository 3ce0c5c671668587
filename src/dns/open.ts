/**
 * The resolver of a running relay: the configured servers behind a cache.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { cachedResolver } from './cached-resolver.ts'
import type { Resolver } from './resolver.ts'
import { systemResolver } from './system-resolver.ts'

export type ResolverOptions = Config['dns'] & { readonly clock: Clock }

export function openResolver({ servers, timeout, cacheEntries, cacheMaxAge, clock }: ResolverOptions): Resolver {
  const resolver = systemResolver({ servers, timeoutMs: timeout, clock })
  return cachedResolver(resolver, { entries: cacheEntries, maxAgeMs: cacheMaxAge, clock })
}
