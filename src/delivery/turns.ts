/**
 * Groups that wait for one site: the accounts take turns; of an account's the more urgent go first, of these its sender
 * domains take turns, and of a sender domain's it is first come first served.
 *
 * One customer's 50,000 mails then delay another's password mail by one transaction, not by 50,000, and its own password
 * mail too. While more urgent mail of the same account keeps coming, one turn of eight is for the rest. O(1) for each group.
 * Never fails.
 */
import type { AccountId, DomainName } from '../mail/ids.ts'
import { leastRank, rankOf, turnsBeforeLess } from '../mail/priority.ts'
import type { Group, Site } from './throttle.ts'

/** Of what may be in memory, for a site or in all: so much of one account always fits, for a flood must not fill it. */
export const littleShare = 1 / 32

/** The relay's own reports have a turn of their own. */
type Owner = AccountId | null

/** What one sender domain of an account has waiting with one priority. */
export interface Line {
  push(group: Group): void
  /** The next one; there must be one. */
  take(): Group
  readonly isEmpty: boolean
  /** All of them, or those for one site, taken out. */
  drain(site?: Site): Group[]
  groups(): readonly Group[]
}

/** What one account has waiting with one priority. */
interface Rank {
  /** In the order of their turns. */
  readonly lines: Map<DomainName, Line>
  entries: number
  /** Turns taken in a row while less urgent mail waited. */
  ahead: number
}

/** By rank; most accounts have mail of one. */
type Ranks = (Rank | undefined)[]

export class Turns {
  /** In the order of their turns. */
  readonly #owners = new Map<Owner, Ranks>()
  readonly #newLine: () => Line
  #entries = 0

  constructor(newLine: () => Line = () => new Fifo()) {
    this.#newLine = newLine
  }

  /** Entries, not groups, here and below. */
  get waiting(): number {
    return this.#entries
  }

  /** Of that rank and more urgent ones. */
  waitingOf(owner: Owner, rank = leastRank): number {
    const ranks = this.#owners.get(owner)
    let entries = 0
    if (ranks) for (let one = 0; one <= rank; one++) entries += ranks[one]?.entries ?? 0
    return entries
  }

  push(group: Group): void {
    const { account, senderDomain, priority } = group.held.message
    let ranks = this.#owners.get(account)
    if (ranks === undefined) {
      ranks = []
      this.#owners.set(account, ranks)
    }
    const number = rankOf(priority)
    ranks[number] ??= { lines: new Map(), entries: 0, ahead: 0 }
    const rank = ranks[number]
    let line = rank.lines.get(senderDomain)
    if (line === undefined) {
      line = this.#newLine()
      rank.lines.set(senderDomain, line)
    }
    line.push(group)
    rank.entries += group.leased.length
    this.#entries += group.leased.length
  }

  /** All that waits, in no order. */
  *groups(): Iterable<Group> {
    for (const ranks of this.#owners.values())
      for (const rank of ranks) for (const line of rank?.lines.values() ?? []) yield* line.groups()
  }

  /** The group whose turn it is; undefined: none waits. */
  take(): Group | undefined {
    for (const [owner, ranks] of this.#owners) {
      const group = takeOf(whoseTurn(ranks))
      this.#entries -= group.leased.length
      this.#owners.delete(owner)
      if (isWaiting(ranks)) this.#owners.set(owner, ranks)
      return group
    }
    return undefined
  }

  /** All of them, or those for one site, taken out. */
  drain(site?: Site): Group[] {
    const groups: Group[] = []
    for (const [owner, ranks] of this.#owners) {
      for (const rank of ranks) if (rank) groups.push(...drainRank(rank, site))
      if (!isWaiting(ranks)) this.#owners.delete(owner)
    }
    for (const { leased } of groups) this.#entries -= leased.length
    return groups
  }
}

/** One of them has something waiting. */
function whoseTurn(ranks: Ranks): Rank {
  let chosen: Rank | undefined
  for (const rank of ranks) {
    if (rank === undefined || rank.entries === 0) continue
    if (chosen !== undefined) {
      if (chosen.ahead++ < turnsBeforeLess) return chosen
      chosen.ahead = 0
    }
    chosen = rank
  }
  return chosen!
}

function isWaiting(ranks: Ranks): boolean {
  for (const rank of ranks) if (rank !== undefined && rank.entries > 0) return true
  return false
}

function takeOf(rank: Rank): Group {
  for (const [domain, line] of rank.lines) {
    const group = line.take()
    rank.entries -= group.leased.length
    // Alone it stays at the front as well as at the end.
    const isLast = line.isEmpty
    if (isLast || rank.lines.size > 1) rank.lines.delete(domain)
    if (!isLast) rank.lines.set(domain, line)
    return group
  }
  throw new TypeError('a rank without a line was given a turn')
}

function drainRank(rank: Rank, site?: Site): Group[] {
  const groups: Group[] = []
  for (const [domain, line] of rank.lines) {
    groups.push(...line.drain(site))
    if (line.isEmpty) rank.lines.delete(domain)
  }
  for (const { leased } of groups) rank.entries -= leased.length
  return groups
}

/** First come, first served. */
export class Fifo implements Line {
  readonly #groups: Group[] = []
  /** Groups before it are gone. */
  #first = 0

  push(group: Group): void {
    this.#groups.push(group)
  }

  /** Moves what is left to the front once half is gone: O(1) per group on the whole. */
  take(): Group {
    const group = this.#groups[this.#first++]!
    if (this.#first >= 32 && this.#first * 2 >= this.#groups.length) {
      this.#groups.splice(0, this.#first)
      this.#first = 0
    }
    return group
  }

  get isEmpty(): boolean {
    return this.#first === this.#groups.length
  }

  groups(): readonly Group[] {
    return this.#groups.slice(this.#first)
  }

  drain(): Group[] {
    const groups = this.#groups.splice(0).slice(this.#first)
    this.#first = 0
    return groups
  }
}
