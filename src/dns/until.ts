/**
 * Lookups that end with a signal, however long the servers take: what is still open then fails with DnsTrouble.
 */
import type { DomainName } from '../mail/ids.ts'
import { DnsTrouble, type Lookups, type Resolver } from './resolver.ts'

export function until(lookups: Lookups, signal: AbortSignal, detail: string): Resolver {
  function bounded<T>(lookup: (name: DomainName) => Promise<T>): (name: DomainName) => Promise<T> {
    return name =>
      new Promise((resolve, reject) => {
        const end = () => reject(new DnsTrouble(name, detail))
        if (signal.aborted) return end()
        signal.addEventListener('abort', end, { once: true })
        lookup(name)
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', end))
      })
  }
  return {
    txt: bounded(lookups.txt),
    mx: bounded(lookups.mx),
    a: bounded(lookups.a),
    aaaa: bounded(lookups.aaaa),
    cname: bounded(lookups.cname),
    ns: bounded(lookups.ns),
    ptr: bounded(lookups.ptr),
    close() {},
  }
}
