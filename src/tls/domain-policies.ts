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
  readonly sts: Pick<StsPolicies, 'find'> | null
  /** Of the configuration: no rule of Kitte's own asks anything of TLS. */
  readonly rules: Config['sites']
}

export class DomainPolicies {
  readonly #parts: DomainPoliciesParts

  constructor(parts: DomainPoliciesParts) {
    this.#parts = parts
  }

  async sts(domain: DomainName): Promise<StsPolicy | null> {
    return (await this.#parts.sts?.find(domain)) ?? null
  }

  /** Null: it asks nothing. */
  async of(domain: DomainName, hosts: readonly HostName[], sts: StsPolicy | null): Promise<DomainTls | null> {
    const dane = await this.#dane(domain, hosts)
    // Mode `none` takes back what was asked before (RFC 8461 §5).
    const asked = sts?.mode === 'none' ? null : sts
    return dane.size === 0 && asked === null ? null : { domain, sts: asked, dane }
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
