/**
 * Groups that wait for one site: first come first served within an account, and the accounts take turns.
 *
 * One customer's 50,000 mails then delay another's password mail by one transaction, not by 50,000. O(1) for each group.
 * Never fails.
 */
import type { AccountId } from '../mail/ids.ts'
import type { Group } from './throttle.ts'

/** Of what may be in memory, for a site or in all: so much of one account always fits, for a flood must not fill it. */
export const littleShare = 1 / 32

/** The relay's own reports have a turn of their own. */
type Owner = AccountId | null

interface Line {
  readonly groups: Group[]
  /** Groups before it are gone. */
  first: number
  entries: number
}

export class Turns {
  /** In the order of their turns. */
  readonly #lines = new Map<Owner, Line>()
  #entries = 0

  /** Entries, not groups, here and below. */
  get waiting(): number {
    return this.#entries
  }

  waitingOf(owner: Owner): number {
    return this.#lines.get(owner)?.entries ?? 0
  }

  push(group: Group): void {
    const owner = group.held.message.account
    let line = this.#lines.get(owner)
    if (line === undefined) {
      line = { groups: [], first: 0, entries: 0 }
      this.#lines.set(owner, line)
    }
    line.groups.push(group)
    line.entries += group.leased.length
    this.#entries += group.leased.length
  }

  /** The group whose turn it is; undefined: none waits. */
  take(): Group | undefined {
    for (const [owner, line] of this.#lines) {
      const group = line.groups[line.first++]!
      line.entries -= group.leased.length
      this.#entries -= group.leased.length
      this.#lines.delete(owner)
      if (line.first < line.groups.length) this.#lines.set(owner, compacted(line))
      return group
    }
    return undefined
  }

  /** All of them, taken out. */
  drain(): Group[] {
    const groups = [...this.#lines.values()].flatMap(line => line.groups.slice(line.first))
    this.#lines.clear()
    this.#entries = 0
    return groups
  }
}

/** Moves what is left to the front once half is gone: O(1) per group on the whole. */
function compacted(line: Line): Line {
  if (line.first < 32 || line.first * 2 < line.groups.length) return line
  line.groups.splice(0, line.first)
  line.first = 0
  return line
}
