/**
 * What recipient domains ask of TLS, found where their hosts are looked up: once for all mail of a while.
 *
 * MTA-STS is asked for beside the hosts, DANE once they are known. What the configuration asks of their site is told here
 * as well. Fails with StoreUnavailable.
 */
import type { Config } from '../base/config.ts'
import { DnsTrouble } from '../dns/resolver.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { TlsLevel } from '../mail/tls-level.ts'
import { siteRule } from '../policy/site-rules.ts'
import { type DaneParts, findHostDane, type HostDane, secureMx, unknownFor } from './dane.ts'
import type { DomainTls } from './plan.ts'
import type { StsPolicies } from './sts-policies.ts'

export interface DomainPoliciesParts {
  /** Null: switched off. */
  readonly dane: DaneParts | null
  readonly sts: Pick<StsPolicies, 'find' | 'troubleWith'> | null
  /** Of the configuration: no rule of Kitte's own asks anything of TLS. */
  readonly rules: Config['sites']
}

/** The MTA-STS policy of a recipient domain. */
export interface FoundSts {
  readonly policy: StsPolicy | null
  /** Why nobody knows now whether it has one; null: it has none, or this one. */
  readonly trouble: string | null
}

export class DomainPolicies {
  readonly #parts: DomainPoliciesParts

  constructor(parts: DomainPoliciesParts) {
    this.#parts = parts
  }

  async sts(domain: DomainName): Promise<FoundSts> {
    const { sts } = this.#parts
    const policy = (await sts?.find(domain)) ?? null
    return { policy, trouble: policy === null ? (sts?.troubleWith(domain) ?? null) : null }
  }

  /** Null: it asks nothing. */
  async of(domain: DomainName, hosts: readonly HostName[], { policy, trouble }: FoundSts): Promise<DomainTls | null> {
    const dane = await this.#dane(domain, hosts)
    // Mode `none` takes back what was asked before (RFC 8461 §5).
    const sts = policy?.mode === 'none' ? null : policy
    if (trouble !== null) return { domain, sts, dane, stsTrouble: trouble }
    return dane.size === 0 && sts === null ? null : { domain, sts, dane }
  }

  /** Undefined: nothing is asked of that site. */
  levelOf(mxHosts: readonly HostName[]): TlsLevel | undefined {
    const level = siteRule(this.#parts.rules, mxHosts).tls
    return level === 'opportunistic' ? undefined : level
  }

  async #dane(domain: DomainName, hosts: readonly HostName[]): Promise<ReadonlyMap<HostName, HostDane>> {
    const { dane } = this.#parts
    const mx = dane === null ? null : await secureMx(domain, dane)
    if (dane === null || mx === null) return new Map()
    if (mx instanceof DnsTrouble) return new Map(hosts.map(host => [host, unknownFor(host, mx)]))
    const found = await Promise.all(hosts.map(async host => [host, await findHostDane(host, mx, dane)] as const))
    return new Map(found.flatMap(([host, said]) => (said === null ? [] : [[host, said] as const])))
  }
}
