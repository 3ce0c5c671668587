/**
 * Registers a sender domain: its name, its first key, and with them the records to publish.
 *
 * When no key can be made the domain still stands, with its SPF record and the reason (`keyFailure`). Fails with
 * DomainInvalid, and with Conflict naming the account that has the domain.
 */
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { DkimKey, DomainOptions, SenderDomain } from '../mail/sender-domain.ts'
import { Conflict, type DomainStore } from '../store/store.ts'
import { domainEvent } from './domain-events.ts'
import { DomainInvalid, senderDomainName } from './domain-name.ts'
import { checkedOptions } from './domain-options.ts'
import { formedRequest, type KeyIssuer, type KeyRequest, newPendingKey, refuseSelector } from './key-rotation.ts'

export interface Registration extends Pick<KeyRequest, 'selector' | 'bits'>, DomainOptions {
  readonly name: string
  readonly account: AccountId
}

export interface OnboardingParts extends KeyIssuer {
  readonly config: KeyIssuer['config'] & Pick<Config, 'domains'>
  readonly store: DomainStore
  readonly log: Log
}

/** `keyLater`: a domain that was never there before stands at once, and its key is owed (`bulk.ts`). */
export async function registerDomain(
  parts: OnboardingParts,
  registration: Registration,
  { keyLater = false } = {},
): Promise<DomainName> {
  const { store, clock, config } = parts
  const name = senderDomainName(registration.name)
  const existing = await store.domain(name, { archived: true })
  if (existing && existing.archivedAt === null)
    throw new Conflict(`${name} is registered by account ${existing.account}`, existing.account)
  const options = checkedOptions(registration, parts.config)
  // The records of a deleted domain's keys may still be published: their selectors stay taken.
  const isOwed = keyLater && !existing
  const key = isOwed ? null : await firstKey(parts, name, { ...registration, ...options }, existing?.keys ?? [])
  const now = clock.now()
  const domain: SenderDomain = {
    ...options,
    ...{ name, account: registration.account, createdAt: now, archivedAt: null, limits: {}, checks: [] },
    keys: key === null || 'failure' in key ? [] : [key],
    keyFailure: key !== null && 'failure' in key ? key.failure : null,
    // With its key comes its first check.
    nextCheckAt: isOwed ? now + config.domains.checkFirst : now,
    ...(isOwed ? { keyWanted: wantedKey({ ...registration, ...options }) } : {}),
  }
  await store.createDomain(domain, eventsOf(domain))
  return name
}

/** Refused now, while there is somebody to tell. */
function wantedKey({ selector, bits, dkimForm }: Registration) {
  const request = { ...(selector === undefined ? {} : { selector }), ...(bits === undefined ? {} : { bits }) }
  if (formedRequest(dkimForm ?? 'txt', [], request).form !== 'cname') refuseSelector(request, [])
  return request
}

async function firstKey(
  parts: OnboardingParts,
  name: DomainName,
  { selector, bits, dkimForm }: Registration,
  earlier: readonly DkimKey[],
): Promise<DkimKey | { readonly failure: string }> {
  try {
    const request = { ...(selector === undefined ? {} : { selector }), ...(bits === undefined ? {} : { bits }) }
    // Under the other of two fixed selectors: the key that signed before the deletion may still be remembered.
    const active = earlier.filter(({ state }) => state === 'active')
    const formed = formedRequest(dkimForm ?? 'txt', active, request)
    return await newPendingKey(
      parts,
      name,
      formed,
      earlier.map(key => key.selector),
    )
  } catch (error) {
    if (error instanceof DomainInvalid) throw error
    parts.log.error({ domain: name, error: String(error) }, 'no DKIM key could be made')
    return { failure: `no DKIM key could be made: ${(error as Error).message}` }
  }
}

function eventsOf(domain: SenderDomain) {
  const registered = domainEvent(domain, 'domain.registered', domain.createdAt, { keyFailure: domain.keyFailure })
  const issued = domain.keys.map(({ selector, algorithm, bits, createdAt }) =>
    domainEvent(domain, 'domain.key_issued', createdAt, { selector, algorithm, bits }),
  )
  return [registered, ...issued]
}
