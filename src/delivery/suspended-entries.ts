/**
 * Gives entries of a suspended slice back as held, before anything is tried for them.
 *
 * Looked at when mail is placed, when its site is known, and once more when its attempt begins: it may have waited in
 * memory meanwhile. Costs nothing while there are no suspensions. Fails softly, as `Returns` does.
 */
import type { Suspension } from '../mail/suspension.ts'
import type { LeasedEntry } from '../store/store.ts'
import type { Suspended } from '../store/suspended.ts'
import type { Returns } from './returns.ts'

export interface SuspendedEntriesParts {
  /** Absent: nothing is suspended. */
  readonly suspended?: Pick<Suspended, 'length' | 'find'> | undefined
  readonly returns: Pick<Returns, 'suspend'>
}

export function areSuspensions({ suspended }: Pick<SuspendedEntriesParts, 'suspended'>): boolean {
  return suspended !== undefined && suspended.length > 0
}

/** `site`: null where it is not known yet. */
export function suspensionOf(
  { entry, message }: LeasedEntry,
  site: string | null,
  { suspended }: Pick<SuspendedEntriesParts, 'suspended'>,
): Suspension | null {
  const { account, senderDomain } = message
  const { domain, lastSite = null } = entry
  return suspended?.find({ account, senderDomain, domain, site: site ?? lastSite, class: null }) ?? null
}

/** Answers the others once the suspended ones are given back. */
export async function holdSuspended(
  leased: readonly LeasedEntry[],
  site: string | null,
  parts: SuspendedEntriesParts,
): Promise<readonly LeasedEntry[]> {
  const others: LeasedEntry[] = []
  const held = new Map<Suspension, LeasedEntry[]>()
  for (const one of leased) {
    const suspension = suspensionOf(one, site, parts)
    if (suspension === null) others.push(one)
    else held.set(suspension, [...(held.get(suspension) ?? []), one])
  }
  for (const [suspension, entries] of held) await parts.returns.suspend(entries, suspension)
  return others
}
