/**
 * DNS of a running relay: the configured servers behind a cache, and the authoritative servers of customers' zones.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { type Authority, openAuthority } from './authority.ts'
import { cachedResolver } from './cached-resolver.ts'
import type { Resolver } from './resolver.ts'
import { systemResolver } from './system-resolver.ts'
import { trustsValidation } from './validating.ts'

export type ResolverOptions = Pick<Config['dns'], 'servers' | 'timeout' | 'cacheEntries' | 'cacheMaxAge'> &
  Partial<Pick<Config['dns'], 'validating'>> & { readonly clock: Clock }

export function openResolver(options: ResolverOptions): Resolver {
  const { servers, timeout, cacheEntries, cacheMaxAge, clock, validating = false } = options
  const trusted = trustsValidation(servers, validating)
  const resolver = systemResolver({ servers, timeoutMs: timeout, clock, validating: trusted })
  return cachedResolver(resolver, { entries: cacheEntries, maxAgeMs: cacheMaxAge, clock })
}

/** Null where the configuration says that only resolvers are asked. */
export function openAuthorities(dns: Config['dns'], resolver: Resolver, clock: Clock): Authority | null {
  if (!dns.askAuthorities) return null
  return openAuthority({ resolver, clock, allowPrivate: dns.allowPrivateAuthorities, port: dns.authorityPort })
}
