/**
 * Which suspensions are in force, as delivery asks before it tries anything: with none a comparison.
 *
 * A change is known in every data plane some moments after its commit. Fails at the start with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import { type Suspension, type SuspensionFacts, suspends } from '../mail/suspension.ts'
import { openRemembered } from './remembered.ts'
import type { Store } from './store.ts'

export interface Suspended {
  /** 0 nearly always. */
  readonly length: number
  find(facts: SuspensionFacts): Suspension | null
  close(): void
}

export interface SuspendedParts {
  readonly store: Pick<Store, 'suspensions' | 'onChange'>
  readonly clock: Pick<Clock, 'now' | 'after'>
}

export async function openSuspended({ store, clock }: SuspendedParts): Promise<Suspended> {
  const read = async () => (await store.suspensions()).filter(({ endedAt }) => endedAt === null)
  const remembered = await openRemembered<Suspension>({ store, clock, kind: 'suspension', read })
  return {
    get length() {
      return remembered.list.length
    },
    find(facts) {
      const now = clock.now()
      return remembered.list.find(suspension => suspends(suspension, facts, now)) ?? null
    },
    close: () => remembered.close(),
  }
}
