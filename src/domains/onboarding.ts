/**
 * Registers a sender domain: its name, its first key, and with them the records to publish.
 *
 * When no key can be made the domain still stands, with its SPF record and the reason (`keyFailure`). Fails with
 * DomainInvalid, and with Conflict naming the account that has the domain.
 */
import type { Log } from '../base/log.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { DkimKey, SenderDomain } from '../mail/sender-domain.ts'
import { Conflict, type DomainStore } from '../store/store.ts'
import { domainEvent } from './domain-events.ts'
import { DomainInvalid, senderDomainName } from './domain-name.ts'
import { type KeyIssuer, type KeyRequest, newPendingKey } from './key-rotation.ts'

export interface Registration extends Pick<KeyRequest, 'selector' | 'bits'> {
  readonly name: string
  readonly account: AccountId
}

export interface OnboardingParts extends KeyIssuer {
  readonly store: DomainStore
  readonly log: Log
}

export async function registerDomain(parts: OnboardingParts, registration: Registration): Promise<DomainName> {
  const { store, clock } = parts
  const name = senderDomainName(registration.name)
  const existing = await store.domain(name, { archived: true })
  if (existing && existing.archivedAt === null)
    throw new Conflict(`${name} is registered by account ${existing.account}`, existing.account)
  // The records of a deleted domain's keys may still be published: their selectors stay taken.
  const taken = existing?.keys.map(key => key.selector) ?? []
  const key = await firstKey(parts, name, registration, taken)
  const now = clock.now()
  const domain: SenderDomain = {
    ...{ name, account: registration.account, createdAt: now, archivedAt: null, limits: {}, checks: [] },
    keys: 'failure' in key ? [] : [key],
    keyFailure: 'failure' in key ? key.failure : null,
    nextCheckAt: now,
  }
  await store.createDomain(domain, eventsOf(domain))
  return name
}

async function firstKey(
  parts: OnboardingParts,
  name: DomainName,
  { selector, bits }: Registration,
  taken: readonly string[],
): Promise<DkimKey | { readonly failure: string }> {
  try {
    const request = { ...(selector === undefined ? {} : { selector }), ...(bits === undefined ? {} : { bits }) }
    return await newPendingKey(parts, name, request, taken)
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
