/**
 * What all looks at records have in common that are taken at one time: past our cache, each question once, and in time.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Authority } from '../dns/authority.ts'
import { boundedResolver } from '../dns/bounded-resolver.ts'
import { cachedResolver } from '../dns/cached-resolver.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Instant } from '../mail/ids.ts'
import type { Looking } from './look-everywhere.ts'

export interface LookingParts {
  readonly resolver: Resolver
  /** Absent or null: only the resolver is asked. */
  readonly authority?: Authority | null
  readonly clock: Clock
  readonly config: Pick<Config, 'timeZone'>
}

/** To be disposed of when all have been taken. */
export type LookingNow = Disposable &
  Pick<Looking, 'resolver' | 'each' | 'authority' | 'authoritySignal' | 'now' | 'timeText'>

/** More questions than any SPF record may cost, kept for longer than they take. */
const onceInAVerification = { entries: 500, maxAgeMs: 60_000 }
/** RFC 7208 §4.6.4: evaluations should be given 20 s at least. Somebody waits for the answer, so no more than that. */
const verifiesWithinMs = 20_000
/** The authoritative servers' part of it, so that what is judged afterwards has its time. */
const authorityWithinMs = 10_000

export function lookingNow(parts: LookingParts, now: Instant): LookingNow {
  const { authority = null, clock, config } = parts
  const ending = new AbortController()
  const cancel = clock.after(authorityWithinMs, () => ending.abort())
  return {
    ...{ authority, authoritySignal: ending.signal, now },
    resolver: seeingNow(parts),
    each: eachSeeingNow(parts),
    timeText: timesIn(config.timeZone),
    [Symbol.dispose]: cancel,
  }
}

/** Past our cache, since the record may just have been published; each question once in a verification, and all in time. */
export function seeingNow({ resolver, clock }: Pick<LookingParts, 'resolver' | 'clock'>): Resolver {
  const bounded = boundedResolver(resolver.direct ?? resolver, { clock, withinMs: verifiesWithinMs })
  return cachedResolver(bounded, { ...onceInAVerification, clock })
}

function eachSeeingNow({ resolver, clock }: LookingParts): NonNullable<Resolver['each']> {
  const servers = (resolver.direct ?? resolver).each ?? []
  return servers.map(({ server, lookups }) => {
    return { server, lookups: boundedResolver({ ...lookups, close() {} }, { clock, withinMs: verifiesWithinMs }) }
  })
}

/** For sentences: `2026-01-15 12:34 (Asia/Tokyo)`. */
function timesIn(timeZone: string): (at: Instant) => string {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  return at => `${format.format(at)} (${timeZone})`
}
