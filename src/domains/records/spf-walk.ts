/**
 * Walks an SPF record through its includes and redirects: what it says in the end, and what that costs in lookups.
 *
 * An evaluation stops at the first match; the walk sees everything, so it knows a mechanism that stands in an included
 * record, and the lookups and void lookups of the worst case (RFC 7208 §4.6.4). Branches are walked side by side.
 * Fails with nothing: `trouble` says that a part could not be asked for.
 */
import { isIPv6 } from 'node:net'
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName, HostName } from '../../mail/ids.ts'
import { expandMacros } from './spf-macro.ts'
import {
  allTerm,
  effectiveMechanisms,
  isSpfRecord,
  needsLookup,
  readTerms,
  redirectTerm,
  type SpfTerm,
} from './spf-terms.ts'

export interface SpfWalk {
  /** Mechanisms that can make a sender pass, wherever they stand. */
  readonly passing: readonly SpfTerm[]
  readonly lookups: number
  readonly voids: number
  /** Of the record, or of the one it redirects to. */
  readonly all: SpfTerm | null
  /** The terms of the record itself that cost lookups, in its order. */
  readonly costs: readonly TermCost[]
  /** A name that leads back to itself; null: there is none. */
  readonly loop: DomainName | null
  /** Null: everything answered. */
  readonly trouble: string | null
}

export interface TermCost {
  readonly term: SpfTerm
  /** Its own and those of all it leads to. */
  readonly lookups: number
  /** `void`: nothing is there. `broken`: not exactly one SPF record. `loop`: leads back to where it stands. */
  readonly fault: 'void' | 'broken' | 'loop' | null
  /** Terms of included records. */
  readonly inside: readonly SpfTerm[]
  /** Lets anybody pass. */
  readonly isOpen: boolean
}

/** Whose record it is, and for which sender its macros are expanded. */
export interface WalkedSender {
  readonly domain: DomainName
  readonly ip: string
  readonly helo: HostName
}

/** RFC 7208 §4.6.4. */
export const maxLookups = 10
/** RFC 7208 §4.6.4: beyond two, permerror. */
export const maxVoids = 2
/** Beyond the limit nothing counts any more; further, so that the count shown says how far beyond. */
const maxQuestions = 60

/** What one term leads to. */
interface Branch {
  readonly lookups: number
  readonly voids: number
  readonly passing: readonly SpfTerm[]
  readonly inside: readonly SpfTerm[]
  readonly all: SpfTerm | null
  readonly costs: readonly TermCost[]
  readonly fault: TermCost['fault']
}

const nothing: Branch = { lookups: 0, voids: 0, passing: [], inside: [], all: null, costs: [], fault: null }

export async function walkSpf(resolver: Resolver, record: string, sender: WalkedSender): Promise<SpfWalk> {
  let questions = 0
  let trouble: string | null = null
  let loop: DomainName | null = null

  async function walkRecord(terms: readonly SpfTerm[], onWay: readonly DomainName[]): Promise<Branch> {
    const redirect = redirectTerm(terms)
    const costly = [...effectiveMechanisms(terms), ...(redirect ? [redirect] : [])]
    const branches = await Promise.all(costly.map(term => walkTerm(term, onWay)))
    const redirected = redirect ? branches.at(-1)! : null
    return {
      lookups: sum(branches.map(({ lookups }) => lookups)),
      voids: sum(branches.map(({ voids }) => voids)),
      passing: branches.flatMap(({ passing }) => passing),
      inside: [...costly, ...branches.flatMap(({ inside }) => inside)],
      all: redirected ? redirected.all : allTerm(terms),
      costs: costly.flatMap((term, at) => costOf(term, branches[at]!)),
      fault: null,
    }
  }

  async function walkTerm(term: SpfTerm, onWay: readonly DomainName[]): Promise<Branch> {
    const own = term.kind === 'mechanism' && term.qualifier === '+' ? [term] : []
    if (!needsLookup(term)) return { ...nothing, passing: own }
    const led = await lead(term, onWay)
    // What an include with another qualifier lets pass, it does not let pass here (RFC 7208 §5.2).
    const passing = term.name === 'redirect' || own.length > 0 ? [...own, ...led.passing] : []
    return { ...led, lookups: led.lookups + 1, passing }
  }

  async function lead(term: SpfTerm, onWay: readonly DomainName[]): Promise<Branch> {
    const target = targetOf(term, onWay.at(-1)!, sender)
    if (term.name === 'ptr' || target === null || ++questions > maxQuestions) return nothing
    try {
      if (term.name === 'include' || term.name === 'redirect') return await follow(target, onWay)
      const isThere = await answers(term.name, target)
      return isThere ? nothing : { ...nothing, voids: 1, fault: 'void' }
    } catch (error) {
      if (!(error instanceof DnsTrouble)) throw error
      if (term.name === 'include' || term.name === 'redirect') trouble ??= error.message
      return nothing
    }
  }

  async function follow(target: DomainName, onWay: readonly DomainName[]): Promise<Branch> {
    if (onWay.includes(target)) {
      loop ??= target
      return { ...nothing, fault: 'loop' }
    }
    const answer = await resolver.txt(target)
    const records = answer.records.filter(isSpfRecord)
    const voids = answer.status === 'found' ? 0 : 1
    if (records.length !== 1) return { ...nothing, voids, fault: 'broken' }
    return walkRecord(readTerms(records[0]!), [...onWay, target])
  }

  async function answers(name: string, target: DomainName): Promise<boolean> {
    const lookup = name === 'mx' ? resolver.mx : name === 'a' && isIPv6(sender.ip) ? resolver.aaaa : resolver.a
    return (await lookup(target)).status === 'found'
  }

  const { inside: _, fault: __, ...walked } = await walkRecord(readTerms(record), [sender.domain])
  return { ...walked, loop, trouble }
}

function costOf(term: SpfTerm, { lookups, fault, inside, passing }: Branch): TermCost[] {
  return needsLookup(term) ? [{ term, lookups, fault, inside, isOpen: passing.some(isOpenAll) }] : []
}

/** An `all` among what passes: whoever sends, passes. */
export function isOpenAll({ name }: SpfTerm): boolean {
  return name === 'all'
}

/** Null: its name can't be told beforehand. */
function targetOf(term: SpfTerm, domain: DomainName, { domain: sender, ip, helo }: WalkedSender): DomainName | null {
  const spec = term.value.replace(/(?:\/\d+)?(?:\/\/?\d+)?$/, '')
  if (spec === '') return domain
  return spec.includes('%') ? expandMacros(spec, { domain, sender, ip, helo }) : spec
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
