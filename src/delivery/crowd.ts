/**
 * All that waits in memory for limits which many sites share, by account and priority, and the sites that had to stay outside.
 *
 * Each customer of a provider can be a site of its own: thousands of them, with one mail each, are none of them full, and
 * together more than memory holds. What would be a site's fair part of the memory is that of all who share its limits.
 * Plain state. Never fails.
 */
import type { AccountId } from '../mail/ids.ts'
import { leastRank, rankOf, ranks } from '../mail/priority.ts'
import type { Group, Site } from './throttle.ts'

/** Beyond, the oldest are forgotten: their lanes open by themselves. */
const manyOutside = 10_000

export class Crowd {
  /** Entries, by rank and account. */
  readonly #byRank = ranks.map(() => new Map<AccountId | null, number>())
  /** Sites with lanes that were parked because enough waits, the oldest first. */
  readonly #outside = new Set<Site>()
  #waiting = 0

  get waiting(): number {
    return this.#waiting
  }

  /** Of that rank and more urgent ones. */
  waitingOf(account: AccountId | null, rank = leastRank): number {
    let entries = 0
    for (let one = 0; one <= rank; one++) entries += this.#byRank[one]!.get(account) ?? 0
    return entries
  }

  add(group: Group): void {
    this.#count(group, group.leased.length)
  }

  remove(group: Group): void {
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
