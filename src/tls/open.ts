/**
 * TLS decisions of one data plane: policies of recipient domains, and what accounts ask. Wiring only.
 */
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Store } from '../store/store.ts'
import { type AccountLevels, openAccountLevels } from './account-levels.ts'
import { DomainPolicies } from './domain-policies.ts'
import { StsPolicies } from './sts-policies.ts'
import { startStsRefresher } from './sts-refresher.ts'
import { noTlsResults, type TlsResults } from './tls-result.ts'

export interface TlsDecisionsParts {
  readonly config: Pick<Config, 'tls' | 'delivery' | 'sites'>
  readonly store: Store
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
  readonly results?: TlsResults | undefined
  /** PEM certificates trusted besides the well-known authorities. */
  readonly trusted?: readonly string[] | undefined
}

export interface TlsDecisions {
  readonly policies: DomainPolicies
  readonly accountLevels: AccountLevels
  close(): void
}

export async function openTlsDecisions(parts: TlsDecisionsParts): Promise<TlsDecisions> {
  const { config, store, resolver, log } = parts
  const sts = config.tls.mtaSts ? openStsPolicies(parts) : null
  const dane = config.tls.dane ? { resolver, port: config.delivery.port, ipv6: config.delivery.ipv6 } : null
  const accountLevels = await openAccountLevels({ store, log })
  return {
    policies: new DomainPolicies({ dane, sts, rules: config.sites }),
    accountLevels,
    close() {
      sts?.close()
      accountLevels.close()
    },
  }
}

/** Asks for policies anew while the relay runs; one thread does it for all. */
export function startStsUpkeep(parts: TlsDecisionsParts): { stop(): Promise<void> } {
  const { config, store, clock, log } = parts
  if (!config.tls.mtaSts) return { stop: async () => {} }
  const policies = openStsPolicies(parts)
  const refresher = startStsRefresher({ store, policies, clock, log })
  return {
    async stop() {
      refresher.stop()
      policies.close()
      await refresher.idle
    },
  }
}

export function openStsPolicies(parts: TlsDecisionsParts): StsPolicies {
  const { config, results = noTlsResults, trusted } = parts
  return new StsPolicies({
    ...parts,
    results,
    lookup: config.delivery,
    timeoutMs: config.tls.mtaStsTimeout,
    port: config.tls.mtaStsPort,
    secureContext: trusting(trusted),
  })
}

/** Made when it is wanted first: reading a hundred roots takes a while. */
export function trusting(trusted: readonly string[] | undefined): () => SecureContext {
  let context: SecureContext | undefined
  return () => {
    context ??= createSecureContext(trusted ? { ca: [...rootCertificates, ...trusted] } : {})
    return context
  }
}
