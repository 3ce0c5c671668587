/**
 * Which hosts of a route somebody vouches for: what REQUIRETLS asks before a host is even dialled (RFC 8689 §4.2.1, step 2).
 *
 * A certificate proves a name; that the name is the recipient domain's host is proven by DNSSEC or by the domain's MTA-STS
 * policy, in whatever mode, and by nothing else. Fails by answering DnsTrouble when DNS can't say now: that is no refusal.
 */
import type { MxHost } from '../dns/mx.ts'
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import type { DomainName } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import { secureMx } from '../tls/dane.ts'
import { isStsHost } from '../tls/sts-text.ts'
import type { Route } from './route.ts'

/** A sender's own server is named by the sender itself, a detour's hosts by the operator. */
export async function vouchedHosts(
  route: Route,
  domain: DomainName,
  resolver: Resolver,
): Promise<readonly MxHost[] | DnsTrouble> {
  if (route.own !== null || route.detour !== undefined) return route.hosts
  const found = await secureMx(domain, { resolver })
  const secure = found instanceof DnsTrouble ? null : found
  const sts = route.tls?.sts ?? null
  const hosts = route.hosts.filter(({ host }) => secure?.hosts.has(host) || (sts !== null && isStsHost(sts, host)))
  return hosts.length === 0 && found instanceof DnsTrouble ? found : hosts
}

/** What can't be asked now may vouch for them later. */
export function nobodyVouches(domain: DomainName, { tls }: Pick<Route, 'tls'>): Reply {
  if (tls?.stsTrouble !== undefined) return policyNotKnown(domain, tls.stsTrouble)
  const text = `neither DNSSEC nor an MTA-STS policy vouches for the hosts of ${domain}, as the sender asked by REQUIRETLS`
  return { code: 550, detail: '7.10', text, from: 'relay' }
}

function policyNotKnown(domain: DomainName, trouble: string): Reply {
  const text = `the MTA-STS policy of ${domain}, which REQUIRETLS may rest on, can not be had now: ${trouble}`
  return { code: 451, detail: '7.10', text, from: 'relay' }
}
