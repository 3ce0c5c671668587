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
import { type ClaimStore, Conflict, type DomainStore, NotFound, type Page } from '../store/store.ts'
import { rotateWhenDue } from './automatic-rotation.ts'
import { type BulkProgress, inTurn, openBulk, owesKey } from './bulk.ts'
import { type ClaimProof, type ClaimView, openClaim, openClaims, proveClaim } from './claims.ts'
import { noteDelegation } from './delegation.ts'
import { type DkimZone, dkimZone } from './dkim-zone.ts'
import { domainEvent } from './domain-events.ts'
import { DomainInvalid } from './domain-name.ts'
import { changeOptions } from './domain-options.ts'
import { type DomainView, viewDomain } from './domain-view.ts'
import { issueKey, type KeyIssuer, type KeyRequest } from './key-rotation.ts'
import { type Registration, registerDomain } from './onboarding.ts'
import { openVerifications } from './verifications.ts'
import { verifyDomain } from './verifier.ts'

export type { BulkProgress } from './bulk.ts'
export type { ClaimProof, ClaimView } from './claims.ts'
export type { DomainView, KeyView, RecordView } from './domain-view.ts'
export { DomainInvalid }

export interface Domains {
  /** Issues records and key, and looks at once what is published. */
  register(registration: Registration): Promise<DomainView>
  /** Issues its records at once; its key is made when its turn comes, and then it is checked. */
  registerLater(registration: Registration): Promise<DomainName>
  view(name: string): Promise<DomainView>
  list(
    filter: { readonly account?: AccountId; readonly archived?: boolean },
    page: Page,
  ): Promise<readonly DomainView[]>
  /** Checks all records in DNS now. */
  verify(name: string): Promise<DomainView>
  /** Its name as it is registered; null: it is not. */
  nameOf(name: string): Promise<DomainName | null>
  /** Checks them when their turn comes; answers how many were not waiting for one already. */
  verifyLater(names: Iterable<DomainName>): number
  /** How far `registerLater` and `verifyLater` have come. */
  progress(): BulkProgress
  issueKey(name: string, request: KeyRequest): Promise<DomainView>
  /** Lets an account prove that a domain of another one is its own. */
  claim(name: string, account: AccountId): Promise<ClaimView>
  claims(name: string): Promise<readonly ClaimView[]>
  /** Looks for the proof of a claim, and gives the domain to whom it proves right. Null: of any open claim. */
  proveClaim(
    name: string,
    account: AccountId | null,
  ): Promise<{ readonly proof: ClaimProof; readonly domain: DomainView }>
  /** Archives it with its keys; `restore` brings it back. */
  remove(name: string): Promise<void>
  restore(name: string): Promise<DomainView>
  /** Another form for the keys issues one in it; a host opted in to is asked for, one opted out of no more. */
  setOptions(name: string, options: DomainOptions): Promise<DomainView>
  /** Null: its account's. */
  setPool(name: string, pool: string | null): Promise<DomainView>
  setLimits(name: string, limits: SendLimits): Promise<DomainView>
  /** What the operator publishes for the domains whose keys stand behind CNAMEs. */
  dkimZone(): Promise<DkimZone>
  /** Removes what was deleted longer ago than it is kept; answers how many domains. */
  purgeArchived(): Promise<number>
  /** Ends what is done later; resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

export interface DomainsParts {
  readonly store: DomainStore & ClaimStore
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

export function openDomains(given: DomainsParts): Domains {
  const { store, clock, config } = given
  const parts = { ...given, makeKey: inTurn(given.makeKey) }
  const verifications = openVerifications(look)
  const bulk = openBulk({ ...parts, verify: name => verify(name) })

  async function existing(name: string): Promise<SenderDomain> {
    const domain = await store.domain(canonical(name))
    if (!domain) throw new NotFound(`${name} is not registered`)
    return domain
  }

  async function view(name: string): Promise<DomainView> {
    return viewDomain(await existing(name), config, clock.now())
  }

  async function look(name: DomainName): Promise<void> {
    // Owed since before a restart.
    const domain = await store.domain(name)
    if (domain && owesKey(domain)) bulk.makeKeysLater([name])
    await rotateWhenDue(parts, name)
    await Promise.all([verifyDomain(parts, name, clock.now()), noteDelegation(parts, name)])
  }

  async function verify(name: string): Promise<DomainView> {
    const key = canonical(name)
    await verifications.verify(key)
    return view(key)
  }

  function alone({ name }: SenderDomain, change: (domain: SenderDomain) => Promise<void>): Promise<void> {
    return verifications.alone(name, () => existing(name).then(change))
  }

  return {
    view,
    verify,
    nameOf: async name => (await store.domain(canonical(name)))?.name ?? null,
    verifyLater: names => bulk.checkLater(names),
    progress: () => bulk.progress(),
    stop: () => bulk.stop(),

    async register(registration) {
      const name = await registerDomain(parts, registration)
      // One under way was begun for a registration that has ended since.
      await verifications.over(name)
      return verify(name)
    },

    async registerLater(registration) {
      const name = await registerDomain(parts, registration, { keyLater: true })
      bulk.makeKeysLater([name])
      return name
    },

    async claim(name, account) {
      return openClaim(parts, await existing(name), account)
    },

    async claims(name) {
      return openClaims(parts, await existing(name))
    },

    async proveClaim(name, account) {
      const domain = await existing(name)
      const proof = await proveClaim(parts, domain, account, change => alone(domain, change))
      return { proof, domain: await view(domain.name) }
    },

    async list(filter, page) {
      const domains = await store.listDomains(filter, page)
      return domains.map(domain => viewDomain(domain, config, clock.now()))
    },

    async issueKey(name, request) {
      await alone(await existing(name), domain => issueKey(parts, domain, request))
      return view(name)
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
      await alone(await existing(name), domain => changeOptions(parts, domain, options))
      return view(name)
    },

    async setPool(name, pool) {
      const { name: key } = await existing(name)
      return viewDomain(await store.updateDomain(key, { pool }, []), config, clock.now())
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
