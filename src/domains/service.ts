/**
 * Everything that can be done with sender domains.
 *
 * Each call answers the domain as it then is. Fails with NotFound, Conflict (naming the holder), DomainInvalid and
 * StoreUnavailable. DNS trouble shows in the records, never as a failure.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { Seal } from '../base/seal.ts'
import type { Authority } from '../dns/authority.ts'
import type { Resolver } from '../dns/resolver.ts'
import { parseDomain } from '../mail/address.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { DomainOptions, SenderDomain, SendLimits } from '../mail/sender-domain.ts'
import { Conflict, type DomainStore, NotFound, type Page } from '../store/store.ts'
import { rotateWhenDue } from './automatic-rotation.ts'
import { noteDelegation } from './delegation.ts'
import { type DkimZone, dkimZone } from './dkim-zone.ts'
import { domainEvent } from './domain-events.ts'
import { DomainInvalid } from './domain-name.ts'
import { changeOptions } from './domain-options.ts'
import { type DomainView, viewDomain } from './domain-view.ts'
import { issueKey, type KeyIssuer, type KeyRequest } from './key-rotation.ts'
import { type Registration, registerDomain } from './onboarding.ts'
import { verifyDomain } from './verifier.ts'

export type { DomainView, KeyView, RecordView } from './domain-view.ts'
export { DomainInvalid }

export interface Domains {
  /** Issues records and key, and looks at once what is published. */
  register(registration: Registration): Promise<DomainView>
  view(name: string): Promise<DomainView>
  list(
    filter: { readonly account?: AccountId; readonly archived?: boolean },
    page: Page,
  ): Promise<readonly DomainView[]>
  /** Checks all records in DNS now. */
  verify(name: string): Promise<DomainView>
  issueKey(name: string, request: KeyRequest): Promise<DomainView>
  /** Archives it with its keys; `restore` brings it back. */
  remove(name: string): Promise<void>
  restore(name: string): Promise<DomainView>
  /** Another form for the keys issues one in it; a host opted in to is asked for, one opted out of no more. */
  setOptions(name: string, options: DomainOptions): Promise<DomainView>
  setLimits(name: string, limits: SendLimits): Promise<DomainView>
  /** What the operator publishes for the domains whose keys stand behind CNAMEs. */
  dkimZone(): Promise<DkimZone>
  /** Removes what was deleted longer ago than it is kept; answers how many domains. */
  purgeArchived(): Promise<number>
}

export interface DomainsParts {
  readonly store: DomainStore
  readonly resolver: Resolver
  /** Absent or null: only the resolver is asked. */
  readonly authority?: Authority | null
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  readonly config: Pick<Config, 'spf' | 'hostname' | 'domains' | 'queue' | 'signing' | 'timeZone' | 'relayDomain'>
  /** Replaced in tests that need generation to fail. */
  readonly makeKey?: NonNullable<KeyIssuer['makeKey']>
}

export function openDomains(parts: DomainsParts): Domains {
  const { store, clock, config } = parts
  /** One verification of a domain at a time; whoever else asks gets the same one. */
  const verifying = new Map<DomainName, Promise<void>>()

  async function existing(name: string): Promise<SenderDomain> {
    const domain = await store.domain(canonical(name))
    if (!domain) throw new NotFound(`${name} is not registered`)
    return domain
  }

  async function view(name: string): Promise<DomainView> {
    return viewDomain(await existing(name), config, clock.now())
  }

  async function look(name: DomainName): Promise<void> {
    await Promise.all([verifyDomain(parts, name, clock.now()), noteDelegation(parts, name)])
    if (await rotateWhenDue(parts, name)) await verifyDomain(parts, name, clock.now())
  }

  async function verify(name: string): Promise<DomainView> {
    const key = canonical(name)
    const running = verifying.get(key) ?? look(key).finally(() => verifying.delete(key))
    verifying.set(key, running)
    await running
    return view(key)
  }

  return {
    view,
    verify,

    async register(registration) {
      return verify(await registerDomain(parts, registration))
    },

    async list(filter, page) {
      const domains = await store.listDomains(filter, page)
      return domains.map(domain => viewDomain(domain, config, clock.now()))
    },

    async issueKey(name, request) {
      await issueKey(parts, await existing(name), request)
      return verify(name)
    },

    async remove(name) {
      const domain = await existing(name)
      const now = clock.now()
      await store.updateDomain(domain.name, { archivedAt: now }, [domainEvent(domain, 'domain.deleted', now, {})])
    },

    async restore(name) {
      const domain = await store.domain(canonical(name), { archived: true })
      if (!domain) throw new NotFound(`${name} is neither registered nor kept for restoring`)
      if (domain.archivedAt === null) throw new Conflict(`${domain.name} is registered already`, domain.account)
      const now = clock.now()
      const change = { archivedAt: null, nextCheckAt: now }
      await store.updateDomain(domain.name, change, [domainEvent(domain, 'domain.restored', now, {})])
      return verify(domain.name)
    },

    async setOptions(name, options) {
      await changeOptions(parts, await existing(name), options)
      return verify(name)
    },

    async setLimits(name, limits) {
      const { name: key } = await existing(name)
      return viewDomain(await store.updateDomain(key, { limits }, []), config, clock.now())
    },

    dkimZone: () => dkimZone(store, config),

    purgeArchived: () => store.purgeArchivedDomains(clock.now() - config.domains.keepArchived),
  }
}

/** A text that is no domain name is not registered either. */
function canonical(name: string): DomainName {
  return parseDomain(name) ?? name
}
