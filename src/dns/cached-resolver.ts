/**
 * A resolver that remembers answers as long as their TTL allows, and asks each question once however many wait for it.
 *
 * Absence is kept for a short time only, whatever the SOA says: somebody may just be publishing the record. Trouble is
 * kept for seconds, so that a burst of mail to a domain whose servers are down costs one time-out, not hundreds.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import type { Answer, Resolver } from './resolver.ts'

export interface CacheOptions {
  readonly entries: number
  /** The longest time to keep an answer, whatever its TTL. */
  readonly maxAgeMs: number
  readonly clock: Clock
}

const maxAbsenceMs = 60_000
const troubleMs = 3000

interface Kept {
  readonly answer: Promise<Answer<unknown>>
  /** Monotonic; infinite while the answer is under way. */
  until: number
}

type Lookup<T> = (name: string) => Promise<Answer<T>>

export function cachedResolver(inner: Resolver, { entries, maxAgeMs, clock }: CacheOptions): Resolver {
  const kept = new LRUCache<string, Kept>({ max: entries })

  function remember<T>(type: string, lookup: Lookup<T>): Lookup<T> {
    return name => {
      const key = `${type} ${name.toLowerCase()}`
      const known = kept.get(key)
      if (known && known.until > clock.monotonic()) return known.answer as Promise<Answer<T>>
      const answer = lookup(name)
      const entry: Kept = { answer, until: Number.POSITIVE_INFINITY }
      kept.set(key, entry)
      const keepFor = (ms: number) => {
        entry.until = clock.monotonic() + ms
      }
      answer.then(
        found => keepFor(lifetime(found, maxAgeMs)),
        () => keepFor(Math.min(troubleMs, maxAgeMs)),
      )
      return answer
    }
  }

  return {
    txt: remember('TXT', inner.txt),
    mx: remember('MX', inner.mx),
    a: remember('A', inner.a),
    aaaa: remember('AAAA', inner.aaaa),
    cname: remember('CNAME', inner.cname),
    ns: remember('NS', inner.ns),
    ptr: remember('PTR', inner.ptr),
    tlsa: remember('TLSA', inner.tlsa),
    validating: inner.validating === true,
    direct: inner,
    close() {
      kept.clear()
      inner.close()
    },
  }
}

function lifetime(answer: Answer<unknown>, maxAgeMs: number): number {
  const bound = answer.status === 'found' ? maxAgeMs : Math.min(maxAbsenceMs, maxAgeMs)
  return Math.min(answer.ttl * 1000, bound)
}
