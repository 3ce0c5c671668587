/**
 * Walks an SPF record through its includes and redirects: what it says in the end, and how many lookups that takes.
 *
 * An evaluation stops at the first match; the walk sees everything, so it knows a mechanism that stands in an included
 * record, and the lookups of the worst case (RFC 7208 §4.6.4). Fails with DnsTrouble.
 */
import type { Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import {
  allTerm,
  effectiveMechanisms,
  isSpfRecord,
  needsLookup,
  readTerms,
  redirectTarget,
  type SpfTerm,
} from './spf-terms.ts'

export interface SpfWalk {
  /** Mechanisms that can make a sender pass, wherever they stand. */
  readonly passing: readonly SpfTerm[]
  readonly lookups: number
  /** Of the record, or of the one it redirects to. */
  readonly all: SpfTerm | null
}

/** RFC 7208 §4.6.4. */
export const maxLookups = 10
/** Beyond the limit nothing counts any more; a little further, so that the count shown says how far beyond. */
const walkedLookups = 30

export async function walkSpf(resolver: Resolver, record: string): Promise<SpfWalk> {
  const passing: SpfTerm[] = []
  let lookups = 0

  async function walk(terms: readonly SpfTerm[], onWay: readonly DomainName[]): Promise<SpfTerm | null> {
    for (const term of effectiveMechanisms(terms)) {
      if (needsLookup(term)) lookups++
      if (term.qualifier !== '+' || lookups > walkedLookups) continue
      passing.push(term)
      if (term.name === 'include') await walk(await termsOf(term.value, onWay), [...onWay, term.value])
    }
    const target = redirectTarget(terms)
    if (target === null || lookups > walkedLookups) return allTerm(terms)
    lookups++
    return walk(await termsOf(target, onWay), [...onWay, target])
  }

  /** Nothing for a name with macros, a loop, or a name without one record: the evaluation tells what is wrong there. */
  async function termsOf(name: DomainName, onWay: readonly DomainName[]): Promise<SpfTerm[]> {
    if (name.includes('%') || onWay.includes(name)) return []
    const records = (await resolver.txt(name)).records.filter(isSpfRecord)
    return records.length === 1 ? readTerms(records[0]!) : []
  }

  const all = await walk(readTerms(record), [])
  return { passing, lookups, all }
}
