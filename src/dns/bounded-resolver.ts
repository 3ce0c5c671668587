/**
 * A resolver whose questions all together take no longer than a given time, however slow the servers are.
 *
 * For work that asks many questions in turn, such as an SPF evaluation (RFC 7208 §4.6.4 wants such a limit). After the
 * time every question fails with DnsTrouble: those under way at that moment, later ones at once. The clock starts with
 * the first question.
 */
import type { Clock } from '../base/clock.ts'
import { type Answer, DnsTrouble, type Resolver } from './resolver.ts'

type Lookup<T> = (name: string) => Promise<Answer<T>>

export function boundedResolver(inner: Resolver, { clock, withinMs }: { clock: Clock; withinMs: number }): Resolver {
  let endsAt: number | null = null

  function bound<T>(lookup: Lookup<T>): Lookup<T> {
    return name => {
      endsAt ??= clock.monotonic() + withinMs
      const left = endsAt - clock.monotonic()
      if (left <= 0) return Promise.reject(tooLate(name))
      return within(left, name, lookup(name))
    }
  }

  function within<T>(ms: number, name: string, answer: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>()
    const cancel = clock.after(ms, () => late.reject(tooLate(name)))
    return Promise.race([answer, late.promise]).finally(cancel)
  }

  function tooLate(name: string): DnsTrouble {
    return new DnsTrouble(name, `the name servers asked for this domain took more than ${withinMs / 1000} s in all`)
  }

  return {
    txt: bound(inner.txt),
    mx: bound(inner.mx),
    a: bound(inner.a),
    aaaa: bound(inner.aaaa),
    cname: bound(inner.cname),
    ns: bound(inner.ns),
    ptr: bound(inner.ptr),
    tlsa: bound(inner.tlsa),
    validating: inner.validating === true,
    close: () => inner.close(),
  }
}
