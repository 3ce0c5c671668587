/**
 * Who gets how much of a claim: accounts have even shares, their more urgent mail goes first, turns have even shares.
 *
 * Nobody's share depends on how much others have waiting: an account with due mail for tens of thousands of recipient
 * domains has one share like the one with a single mail. What a share leaves over goes to those that have more. In the
 * first round accounts share what may be claimed of a domain as well. Every eighth visit of an account begins with its
 * least urgent mail. Looks at no more than `limit` entries and turns for each account that is due, and at turns of
 * closed lanes, each of which is parked then.
 */
import type { Instant } from '../../mail/ids.ts'
import { ranks, turnsBeforeLess } from '../../mail/priority.ts'
import type { ClaimRequest } from '../store.ts'
import type { Claimant, Claimants } from './claimants.ts'
import type { Transaction } from './transaction.ts'
import type { DueTurn, Turns } from './turns.ts'

export interface ShareParts<Entry> {
  readonly claimants: Claimants
  readonly turns: Turns
  /** Due entries of a turn, the oldest first. */
  dueOf(tx: Transaction, turn: number, limit: number): readonly Entry[]
  /** Takes those that may be attempted now. */
  take(tx: Transaction, found: readonly Entry[], request: ClaimRequest): readonly Entry[]
  /** When the first entry of a turn is due. */
  nextOf(turn: number): Instant | null
}

/** One claim as it goes on. */
interface Claim<Entry> {
  readonly tx: Transaction
  readonly request: ClaimRequest
  readonly taken: Entry[]
  /** Entries looked at, by recipient domain. */
  readonly ofDomain: Map<string, number>
  /** Turns of closed lanes that may still be parked on the way. */
  parks: number
  /** Of each domain. */
  cap: (domain: string) => number
}

/** What a visit of an account looked at, and whether it has more that is due. */
interface Visit {
  readonly looked: number
  readonly more: boolean
}

/** Turns of closed lanes that one claim parks on its way: some 5 µs each. */
const parkedAtMost = 1000
const urgentFirst = ranks
const leastFirst = ranks.toReversed()

export function openShares<Entry>({ claimants, turns, dueOf, take, nextOf }: ShareParts<Entry>) {
  /** Turns of open lanes; the others are parked on the way. */
  function openTurns(claim: Claim<Entry>, account: string, rank: number, limit: number): readonly DueTurn[] {
    for (;;) {
      const due = turns.due(claim.tx, account, rank, limit)
      const open = due.filter(turn => !parkClosed(claim, turn))
      if (open.length > 0 || due.length === 0 || claim.parks <= 0) return open
    }
  }

  function parkClosed(claim: Claim<Entry>, { id, domain }: DueTurn): boolean {
    const until = turns.openAt(domain)
    if (until <= claim.tx.now) return false
    turns.park(id, until)
    claim.parks--
    return true
  }

  /** An even share of each turn; what short ones leave over is for the others. */
  function takeOfTurns(claim: Claim<Entry>, due: readonly DueTurn[], limit: number): Visit {
    let left = limit
    let capped = false
    for (let round = due; round.length > 0 && left > 0; ) {
      const withMore: DueTurn[] = []
      for (const [index, turn] of round.entries()) {
        const share = Math.ceil(left / (round.length - index))
        const wanted = Math.min(share, claim.cap(turn.domain))
        const found = wanted > 0 ? takeOfTurn(claim, turn, wanted) : 0
        left -= found
        if (found < wanted) continue
        if (wanted < share) capped = true
        else withMore.push(turn)
      }
      round = withMore
    }
    for (const { id } of due) turns.revisit(id, notBefore(claim.tx.now, nextOf(id)))
    return { looked: limit - left, more: capped || left === 0 }
  }

  function takeOfTurn({ tx, request, taken, ofDomain }: Claim<Entry>, { id, domain }: DueTurn, limit: number): number {
    const found = dueOf(tx, id, limit)
    taken.push(...take(tx, found, request))
    ofDomain.set(domain, (ofDomain.get(domain) ?? 0) + found.length)
    return found.length
  }

  function visit(claim: Claim<Entry>, { account, visits }: Claimant, limit: number): Visit {
    let looked = 0
    let more = false
    for (const rank of visits % (turnsBeforeLess + 1) === turnsBeforeLess ? leastFirst : urgentFirst) {
      if (looked >= limit) return { looked, more: true }
      const due = openTurns(claim, account, rank, limit - looked)
      if (due.length === 0) continue
      const found = takeOfTurns(claim, due, limit - looked)
      looked += found.looked
      more ||= found.more
    }
    return { looked, more }
  }

  function takeRound(
    claim: Claim<Entry>,
    round: readonly Claimant[],
    limit: number,
    setCap: (waiting: number) => void,
  ) {
    let left = limit
    const withMore: Claimant[] = []
    for (const [index, claimant] of round.entries()) {
      if (left <= 0) break
      const waiting = round.length - index
      setCap(waiting)
      const { looked, more } = visit(claim, claimant, Math.ceil(left / waiting))
      left -= looked
      if (more) withMore.push(claimant)
    }
    return { left, withMore }
  }

  return {
    take(tx: Transaction, request: ClaimRequest): readonly Entry[] {
      const { limit, perDomain } = request
      turns.flush(tx)
      const all = claimants.due(tx, limit)
      const claim: Claim<Entry> = { tx, request, taken: [], ofDomain: new Map(), parks: parkedAtMost, cap: () => 0 }
      const leftOf = (domain: string) => perDomain - (claim.ofDomain.get(domain) ?? 0)
      let { left, withMore } = takeRound(claim, all, limit, waiting => {
        claim.cap = domain => Math.ceil(leftOf(domain) / waiting)
      })
      claim.cap = leftOf
      while (left > 0 && withMore.length > 0) {
        const before = left
        ;({ left, withMore } = takeRound(claim, withMore, left, () => {}))
        if (left === before) break
      }
      turns.flush(tx)
      for (const { account } of all) claimants.revisit(account, notBefore(tx.now, turns.next(account)))
      return claim.taken
    },
  }
}

/** What is due already goes to the back of those that are. */
function notBefore(now: Instant, at: Instant | null): Instant | null {
  return at === null ? null : Math.max(at, now)
}
