/**
 * A host of the domain's own for tracked links, for domains that opt in: an alias of the relay's tracking host.
 *
 * Advice, as no mail waits for it. Providers that answer addresses in place of an alias are taken at their word.
 */
import { DnsTrouble, type Resolver } from '../../dns/resolver.ts'
import type { DomainName } from '../../mail/ids.ts'
import { type Judgement, notPublished, published, type RecordKind, unknown, withNote } from './record-kind.ts'

export const tracking: RecordKind = {
  purpose: 'tracking',
  isAdvice: true,
  isAwaited: true,

  expected(domain, { domains: { trackingHost, trackingTarget } }) {
    if (!domain.tracking || trackingTarget === null) return []
    return [{ purpose: 'tracking', type: 'CNAME', name: `${trackingHost}.${domain.name}`, value: trackingTarget }]
  },

  async judge({ name }, domain, resolver, { domains }) {
    try {
      return await judgeHost(name, domain.name, domains.trackingTarget!, resolver)
    } catch (error) {
      if (error instanceof DnsTrouble) return unknown(error.message)
      throw error
    }
  },
}

async function judgeHost(
  name: DomainName,
  domain: DomainName,
  wanted: DomainName,
  resolver: Resolver,
): Promise<Judgement> {
  const target = (await resolver.cname(name)).records[0]
  if (target === wanted) return published([target])
  if (target === `${wanted}.${domain}`) return notPublished('target-doubled', [target], { target })
  if (target !== undefined) return notPublished('cname-elsewhere', [target], { target })
  const [found, theirs] = await Promise.all([addressesOf(name, resolver), addressesOf(wanted, resolver)])
  if (found.length === 0) return notPublished('absent')
  if (found.some(address => theirs.includes(address))) return withNote(published(found), 'note-flattened')
  return notPublished('cname-replaced', found, { type: 'A' })
}

async function addressesOf(name: DomainName, resolver: Resolver): Promise<readonly string[]> {
  return (await resolver.a(name)).records
}
