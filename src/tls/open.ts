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
import { createTlsExplainer, type TlsExplainer } from './explain.ts'
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
  const { store, log } = parts
  const sts = openStsPolicies(parts)
  const accountLevels = await openAccountLevels({ store, log })
  return {
    policies: openPolicies(parts, sts),
    accountLevels,
    close() {
      sts?.close()
      accountLevels.close()
    },
  }
}

export interface TlsUpkeep {
  readonly explainer: TlsExplainer
  stop(): Promise<void>
}

/** Asks for MTA-STS policies anew while the relay runs, and tells of policies: on one thread, for all. */
export function startTlsUpkeep(parts: TlsDecisionsParts): TlsUpkeep {
  const { config, store, resolver, clock, log } = parts
  const sts = openStsPolicies(parts)
  const refresher = sts && startStsRefresher({ store, policies: sts, clock, log })
  return {
    explainer: createTlsExplainer({ config, resolver, policies: openPolicies(parts, sts) }),
    async stop() {
      refresher?.stop()
      sts?.close()
      await refresher?.idle
    },
  }
}

function openPolicies({ config, resolver }: TlsDecisionsParts, sts: StsPolicies | null): DomainPolicies {
  const { port, ipv6 } = config.delivery
  return new DomainPolicies({ dane: config.tls.dane ? { resolver, port, ipv6 } : null, sts, rules: config.sites })
}

/** Null: switched off. */
function openStsPolicies(parts: TlsDecisionsParts): StsPolicies | null {
  const { config, results = noTlsResults, trusted } = parts
  if (!config.tls.mtaSts) return null
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
function trusting(trusted: readonly string[] | undefined): () => SecureContext {
  let context: SecureContext | undefined
  return () => {
    context ??= createSecureContext(trusted ? { ca: [...rootCertificates, ...trusted] } : {})
    return context
  }
}
