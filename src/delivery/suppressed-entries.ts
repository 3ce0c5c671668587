/**
 * Ends entries whose recipient is suppressed before anything is done for them: an outcome of its own, told like any other.
 *
 * Fresh mail and claimed mail come by here alike, so what was queued when a suppression was made ends when its turn comes.
 * Fails softly: when the store can't be asked, they wait; nothing is sent to somebody who may not want it.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Verdict, verdictOfSuppression } from '../outcome/verdict.ts'
import type { LeasedEntry } from '../store/store.ts'
import type { Suppressed } from '../store/suppressed.ts'
import type { Returns } from './returns.ts'

export interface SuppressedEntriesParts {
  readonly suppressed?: Pick<Suppressed, 'mayBe' | 'find'> | undefined
  readonly returns: Pick<Returns, 'finish' | 'release'>
  readonly clock: Clock
  readonly log: Log
}

/** When they are looked at again. */
const unknownMs = 10_000

/** False: certainly none is. Costs nothing where an account has no suppressions. */
export function mayBeSuppressed(
  leased: readonly LeasedEntry[],
  { suppressed }: Pick<SuppressedEntriesParts, 'suppressed'>,
): boolean {
  if (suppressed === undefined) return false
  for (const { entry, message } of leased) {
    if (suppressed.mayBe(message.account, entry.recipient.address)) return true
  }
  return false
}

/** Answers the others. */
export async function endSuppressed(
  leased: readonly LeasedEntry[],
  { suppressed, returns, clock, log }: SuppressedEntriesParts,
): Promise<readonly LeasedEntry[]> {
  try {
    const verdicts: Verdict[] = []
    const others: LeasedEntry[] = []
    for (const one of leased) {
      const { address } = one.entry.recipient
      const { account } = one.message
      const found = suppressed!.mayBe(account, address) ? await suppressed!.find(account, address) : null
      if (found === null) others.push(one)
      else verdicts.push(verdictOfSuppression(one, found, clock.now()))
    }
    if (verdicts.length > 0) await returns.finish(verdicts)
    return others
  } catch (error) {
    log.warn({ err: error }, 'suppressions could not be looked up; their mail is tried again soon')
    await returns.release(leased, clock.now() + unknownMs)
    return []
  }
}
