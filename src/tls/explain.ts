/**
 * What a recipient domain and its site ask of TLS, told host by host, as the next message would meet it.
 *
 * Asks DNS and the policy host like delivery does, and so may take as long. Fails with StoreUnavailable.
 */
import type { Config } from '../base/config.ts'
import { findHosts, type LookupFailure } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { DomainName, HostName } from '../mail/ids.ts'
import type { StsPolicy } from '../mail/sts-policy.ts'
import type { HostDane } from './dane.ts'
import type { DomainPolicies } from './domain-policies.ts'
import { type HostTls, planHost } from './plan.ts'
import { requirementOf } from './requirement.ts'

export interface TlsExplainerParts {
  readonly config: Pick<Config, 'delivery'>
  readonly resolver: Resolver
  readonly policies: DomainPolicies
}

export interface TlsExplained {
  readonly domain: DomainName
  /** The resolver's word on DNSSEC is taken; without, there is no DANE. */
  readonly validating: boolean
  /** In whatever mode. */
  readonly sts: StsPolicy | null
  /** Why nobody knows now whether there is one. */
  readonly stsTrouble: string | null
  /** Why the hosts are not known. */
  readonly failure: LookupFailure | null
  readonly hosts: readonly HostExplained[]
}

export interface HostExplained {
  readonly host: HostName
  readonly dane: HostDane | null
  /** Null: opportunistic TLS. */
  readonly plan: HostTls | null
}

export interface TlsExplainer {
  explain(domain: DomainName): Promise<TlsExplained>
}

export function createTlsExplainer({ config, resolver, policies }: TlsExplainerParts): TlsExplainer {
  return {
    async explain(domain) {
      const [found, sts] = await Promise.all([findHosts(resolver, domain, config.delivery), policies.sts(domain)])
      const known = { domain, validating: resolver.validating === true, sts: sts.policy, stsTrouble: sts.trouble }
      if ('failure' in found) return { ...known, failure: found.failure, hosts: [] }
      const names = found.hosts.map(({ host }) => host)
      const tls = await policies.of(domain, names, sts)
      const requirement = requirementOf({ site: policies.levelOf(found.exchanges) })
      const hosts = names.map(host => ({
        ...{ host, dane: tls?.dane.get(host) ?? null },
        plan: planHost(host, tls, requirement),
      }))
      return { ...known, failure: null, hosts }
    },
  }
}
