/**
 * A report on its way by HTTPS POST (RFC 8460 §5.4): 2xx is success, everything else is not.
 *
 * The receiver is a stranger's choice: its addresses are judged as those of MX hosts are, the connection goes to no other,
 * redirects are not followed, the certificate must fit. Never rejects.
 */
import type { Agent } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { findAddresses } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import { hostOf } from '../webhooks/endpoint-url.ts'
import { exchange, openAgent } from '../webhooks/exchange.ts'

export interface PostParts {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly config: Pick<Config, 'delivery' | 'tlsReports'>
  readonly signal: AbortSignal
  /** For tests; otherwise one that trusts the well-known authorities. */
  readonly agentFor?: (url: URL) => Agent
}

export type Posted = { readonly status: number } | { readonly problem: string; readonly status?: number }

const addressesTried = 4

export async function postReport(url: URL, compressed: Buffer, parts: PostParts): Promise<Posted> {
  const { resolver, clock, config, signal, agentFor = openAgent } = parts
  const { allowPrivateAddresses, ipv6 } = config.delivery
  const lookup = { allowPrivateAddresses, ipv6, maxHosts: 1, maxAddressesPerHost: addressesTried }
  const found = await findAddresses(resolver, hostOf(url), lookup)
  if ('failure' in found) return { problem: found.failure.detail }
  const agent = agentFor(url)
  try {
    const answer = await exchange({
      ...{ url, agent, clock, signal },
      addresses: found.addresses,
      headers: { 'content-type': 'application/tlsrpt+gzip', 'user-agent': 'Kitte' },
      body: compressed,
      timeoutMs: config.tlsReports.timeout,
    })
    if ('failed' in answer) return { problem: [answer.failed, answer.problem].filter(text => text !== '').join(': ') }
    const { status } = answer
    return status >= 200 && status < 300 ? { status } : { status, problem: `answered ${status}` }
  } finally {
    agent.destroy()
  }
}
