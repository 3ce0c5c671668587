/**
 * When a domain is checked again: soon while something is missing, then ever more rarely, daily once all is published.
 */
import type { Config } from '../base/config.ts'
import type { Instant } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'

/** A look before the caches have forgotten would only fill them again. */
const shortestWaitMs = 60_000

export interface CheckOutcome {
  /** Every record that matters is published. */
  readonly complete: boolean
  /** A state or reason is another than at the last check. */
  readonly changed: boolean
  /** When what is published everywhere will be seen by those who still have something else; null: nothing waits for it. */
  readonly visibleAt?: Instant | null
}

/** Each wait is half as long again as the one before. */
const growth = 1.5

export function nextCheckAt(
  domain: SenderDomain,
  outcome: CheckOutcome,
  config: Pick<Config['domains'], 'checkFirst' | 'checkSlowest' | 'checkPublished'>,
  now: Instant,
): Instant {
  const next = byHabit(domain, outcome, config, now)
  const { visibleAt = null } = outcome
  return visibleAt === null ? next : Math.min(next, Math.max(visibleAt, now + shortestWaitMs))
}

function byHabit(
  domain: SenderDomain,
  { complete, changed }: CheckOutcome,
  config: Pick<Config['domains'], 'checkFirst' | 'checkSlowest' | 'checkPublished'>,
  now: Instant,
): Instant {
  if (complete) return now + config.checkPublished
  const lastCheckedAt = Math.max(...domain.checks.map(check => check.checkedAt))
  const lastWait = domain.nextCheckAt - lastCheckedAt
  if (changed || domain.checks.length === 0 || lastWait <= 0) return now + config.checkFirst
  return now + Math.min(Math.max(lastWait * growth, config.checkFirst), config.checkSlowest)
}
