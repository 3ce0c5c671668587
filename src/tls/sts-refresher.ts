/**
 * Keeps the MTA-STS policies that mail goes by from growing old (RFC 8461 §10.2): asks for each anew before it expires, also
 * while no mail goes there, and forgets those that expired.
 *
 * A domain that got no mail for a month is left to expire. Runs on the main thread. Never fails: what it can't do now it
 * does the next time.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { StsPolicyStore } from '../store/store.ts'
import { isDue, type StsPolicies } from './sts-policies.ts'

export interface StsRefresherParts {
  readonly store: Pick<StsPolicyStore, 'listStsPolicies' | 'forgetStsPolicies'>
  readonly policies: Pick<StsPolicies, 'refresh'>
  readonly clock: Clock
  readonly log: Log
}

const betweenMs = 3_600_000
const unusedMs = 30 * 86_400_000
const pageSize = 200

export function startStsRefresher(parts: StsRefresherParts): { stop(): void; readonly idle: Promise<void> } {
  const { clock, log } = parts
  let stopped = false
  let running = Promise.resolve()
  const run = () => {
    running = running
      .then(() => refreshAll(parts, () => stopped))
      .catch(error => {
        log.warn({ err: error }, 'MTA-STS policies could not be refreshed now')
      })
  }
  const cancel = clock.every(betweenMs, run)
  return {
    stop() {
      stopped = true
      cancel()
    },
    get idle() {
      return running
    },
  }
}

async function refreshAll(parts: StsRefresherParts, stopped: () => boolean): Promise<void> {
  const { store, clock, policies } = parts
  let after = ''
  for (let page = await store.listStsPolicies({ limit: pageSize }); page.length > 0 && !stopped(); ) {
    for (const policy of page) if (!stopped() && isWanted(policy, clock.now())) await policies.refresh(policy.domain)
    after = page.at(-1)!.domain
    page = await store.listStsPolicies({ limit: pageSize, after })
  }
  if (!stopped()) await store.forgetStsPolicies(clock.now())
}

function isWanted(policy: StsPolicy, now: number): boolean {
  return policy.expiresAt > now && now - policy.usedAt < unusedMs && isDue(policy, now)
}
