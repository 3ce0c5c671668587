/**
 * All that waits in memory for limits which many sites share: how much, whose turn it is, and the sites that had to stay outside.
 *
 * Each customer of a provider can be a site of its own: thousands of them, with one mail each, are none of them full, and
 * together more than memory holds. What would be a site's fair part of the memory is that of all who share its limits.
 * Accounts and priorities take turns here as they do at one site (`turns.ts`), or one account's mail for thousands of
 * customers would go before another's password mail for one; of a sender domain's mail the sites take turns.
 * Plain state. Never fails.
 */
import type { AccountId } from '../mail/ids.ts'
import { leastRank, rankOf, ranks } from '../mail/priority.ts'
import type { SiteLimits } from './site-limits.ts'
import type { Group, Site } from './throttle.ts'
import { Fifo, type Line, Turns } from './turns.ts'

/** Beyond, the oldest are forgotten: their lanes open by themselves. */
const manyOutside = 10_000

export class Crowd {
  readonly limits: SiteLimits
  /** Entries, by rank and account. */
  readonly #byRank = ranks.map(() => new Map<AccountId | null, number>())
  /** Of sites that may start as far as they themselves go; a site that may not keeps its groups until it may. */
  readonly #turns = new Turns(() => new SitesInTurn())
  /** Sites with lanes that were parked because enough waits, the oldest first. */
  readonly #outside = new Set<Site>()
  #waiting = 0

  constructor(limits: SiteLimits) {
    this.limits = limits
  }

  get waiting(): number {
    return this.#waiting
  }

  get running(): number {
    return this.limits.running
  }

  /** Something waits that may start, as far as its own site goes. */
  get hasNext(): boolean {
    return this.#turns.waiting > 0
  }

  /** Of that rank and more urgent ones. */
  waitingOf(account: AccountId | null, rank = leastRank): number {
    let entries = 0
    for (let one = 0; one <= rank; one++) entries += this.#byRank[one]!.get(account) ?? 0
    return entries
  }

  add(group: Group): void {
    this.#count(group, group.leased.length)
    this.#turns.push(group)
  }

  /** Those that may start, as far as their sites go. */
  groups(): Iterable<Group> {
    return this.#turns.groups()
  }

  /** Whoever takes it counts it out, or brings it back. */
  take(): Group | undefined {
    return this.#turns.take()
  }

  /** All of a site; they still count. */
  takeOf(site: Site): Group[] {
    return this.#turns.drain(site)
  }

  bringBack(group: Group): void {
    this.#turns.push(group)
  }

  countOut(group: Group): void {
    this.#count(group, -group.leased.length)
  }

  #count({ held: { message } }: Group, entries: number): void {
    const counts = this.#byRank[rankOf(message.priority)]!
    const left = (counts.get(message.account) ?? 0) + entries
    if (left > 0) counts.set(message.account, left)
    else counts.delete(message.account)
    this.#waiting += entries
  }

  keepOutside(site: Site): void {
    this.#outside.add(site)
    if (this.#outside.size > manyOutside) this.#outside.delete(this.#outside.values().next().value!)
  }

  /** As many of those outside, taken out, as there is room for; closed ones open by themselves. */
  admit(room: number): Site[] {
    const sites: Site[] = []
    for (const site of this.#outside) {
      if (sites.length >= room) break
      this.#outside.delete(site)
      if (site.hasParked && site.closedUntil === null) sites.push(site)
    }
    return sites
  }
}

/** What one sender domain has waiting with one priority, for all sites: one group of each in turn. */
class SitesInTurn implements Line {
  /** By the key of their sites, in the order of their turns. */
  readonly #bySite = new Map<string, Fifo>()

  push(group: Group): void {
    const { key } = group.route
    const known = this.#bySite.get(key)
    const line = known ?? new Fifo()
    if (known === undefined) this.#bySite.set(key, line)
    line.push(group)
  }

  take(): Group {
    const [key, line] = this.#bySite.entries().next().value!
    const group = line.take()
    this.#bySite.delete(key)
    if (!line.isEmpty) this.#bySite.set(key, line)
    return group
  }

  get isEmpty(): boolean {
    return this.#bySite.size === 0
  }

  groups(): readonly Group[] {
    return [...this.#bySite.values()].flatMap(line => line.groups())
  }

  drain(site?: Site): Group[] {
    const keys = site === undefined ? [...this.#bySite.keys()] : [site.key]
    return keys.flatMap(key => {
      const groups = this.#bySite.get(key)?.drain() ?? []
      this.#bySite.delete(key)
      return groups
    })
  }
}
