/**
 * What our side asks of a connection's TLS: the site's rule, the account, the message. The strictest of them counts.
 *
 * What the recipient domain asks (DANE, MTA-STS) comes on top in `plan.ts`. Pure.
 */
import { type TlsLevel, tlsLevels } from '../mail/tls-level.ts'

export interface TlsRequirement {
  readonly level: TlsLevel
  /** Who asks for more than opportunistic TLS: `site:required`, `account:verified`, `requiretls`. */
  readonly by: readonly string[]
  /** `TLS-Required: No` (RFC 8689 §5): what the recipient domain asks does not count. */
  readonly policiesIgnored: boolean
}

export interface TlsDemands {
  readonly site?: TlsLevel | undefined
  readonly account?: TlsLevel | undefined
  /** RFC 8689: `required` by REQUIRETLS, `optional` by `TLS-Required: No`. */
  readonly message?: 'required' | 'optional' | undefined
}

/** What nearly every message asks: nothing. */
export const noRequirement: TlsRequirement = { level: 'opportunistic', by: [], policiesIgnored: false }

export function requirementOf({ site, account, message }: TlsDemands): TlsRequirement {
  const siteAsks = site !== undefined && site !== 'opportunistic'
  const accountAsks = account !== undefined && account !== 'opportunistic'
  if (!siteAsks && !accountAsks && message === undefined) return noRequirement
  return strictest(
    siteAsks ? { level: site, by: [`site:${site}`], policiesIgnored: false } : noRequirement,
    accountAsks ? { level: account, by: [`account:${account}`], policiesIgnored: false } : noRequirement,
    ofMessage(message),
  )
}

/** Who insists is heard: the highest level counts, and one wish for protection outweighs leave to do without. */
export function strictest(...requirements: readonly TlsRequirement[]): TlsRequirement {
  const by = requirements.flatMap(one => one.by)
  return {
    level: requirements.map(({ level }) => level).reduce(higher, 'opportunistic'),
    by,
    policiesIgnored: by.length === 0 && requirements.some(one => one.policiesIgnored),
  }
}

export function higher(a: TlsLevel, b: TlsLevel): TlsLevel {
  return tlsLevels.indexOf(a) >= tlsLevels.indexOf(b) ? a : b
}

function ofMessage(message: TlsDemands['message']): TlsRequirement {
  if (message === 'required') return { level: 'verified', by: ['requiretls'], policiesIgnored: false }
  return message === 'optional' ? { ...noRequirement, policiesIgnored: true } : noRequirement
}
