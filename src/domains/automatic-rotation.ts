/**
 * Issues the next key of a domain that publishes CNAMEs, when the present one has signed for long enough.
 *
 * The customer's DNS needs no change, so nobody is asked. The new key waits like any other until it is seen through its
 * alias (key-states.ts); should that never happen, the present one goes on signing. Not before the key that signed
 * earlier has retired, whose selector is the next one's. A key that can't be made is logged and tried again at the next check.
 */
import type { Log } from '../base/log.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { DkimKey, SenderDomain } from '../mail/sender-domain.ts'
import type { DomainStore } from '../store/store.ts'
import { issueKey, type KeyIssuer } from './key-rotation.ts'

export interface RotationParts extends KeyIssuer {
  readonly store: DomainStore
  readonly log: Log
}

const algorithms: readonly DkimKey['algorithm'][] = ['rsa', 'ed25519']

/** Before a check, which then looks for the new key too. */
export async function rotateWhenDue(parts: RotationParts, name: DomainName): Promise<void> {
  const { rotateAfter } = parts.config.signing
  if (rotateAfter === 'off') return
  const domain = await parts.store.domain(name)
  if (domain?.dkimForm !== 'cname') return
  const now = parts.clock.now()
  const due = algorithms.filter(algorithm => isDue(domain, algorithm, rotateAfter, now))
  for (const algorithm of due) await issueNext(parts, domain, algorithm)
}

function isDue({ keys }: SenderDomain, algorithm: DkimKey['algorithm'], rotateAfterMs: number, now: Instant): boolean {
  const own = keys.filter(key => key.algorithm === algorithm)
  if (own.some(({ state }) => state === 'pending' || state === 'retiring')) return false
  return own.some(key => key.state === 'active' && key.form === 'cname' && now >= key.stateSince + rotateAfterMs)
}

async function issueNext(parts: RotationParts, domain: SenderDomain, algorithm: DkimKey['algorithm']): Promise<void> {
  try {
    await issueKey(parts, domain, { algorithm })
  } catch (error) {
    parts.log.error({ domain: domain.name, error: String(error) }, 'no DKIM key could be made for the rotation')
  }
}
