/**
 * Share links: who knows the token sees one domain's records and may have them checked, until the link ends.
 *
 * A token has 200 random bits, so it can't be guessed; only its hash is kept, and it is found by that hash, so neither
 * the database nor the time an answer takes tells anything of it. Fails with NotFound, Conflict and StoreUnavailable.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { newId, randomText } from '../base/ids.ts'
import { Turnstile } from '../dns/turnstile.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { ShareLink } from '../mail/share-link.ts'
import { Conflict, type DomainStore, NotFound, type Page, type ShareLinkStore } from '../store/store.ts'

export interface ShareLinkView extends Pick<ShareLink, 'id' | 'domain' | 'createdAt' | 'expiresAt' | 'revokedAt'> {
  readonly state: 'open' | 'expired' | 'revoked'
}

export interface ShareLinks {
  /** The token is shown here and never again. */
  create(domain: DomainName, lifeMs: number | null): Promise<ShareLinkView & { readonly token: string }>
  list(domain: DomainName, page: Page): Promise<readonly ShareLinkView[]>
  revoke(domain: DomainName, id: string): Promise<void>
  /** The link a token opens now; null: none, for whatever reason. */
  open(token: string): Promise<ShareLinkView | null>
}

export interface ShareLinkParts {
  readonly store: DomainStore & ShareLinkStore
  readonly clock: Clock
  readonly config: Pick<Config, 'domains'>
}

const tokenLength = 40
/** A customer has one person at the DNS, or a few; a CRM that makes a link per visit should notice. */
const openAtOnce = 50
/** Long enough to answer "the link you sent me is dead". */
const keepEndedMs = 90 * 86_400_000

export function openShareLinks({ store, clock, config }: ShareLinkParts): ShareLinks {
  // One at a time: many at once would all be counted before any of them stands.
  const turnstile = new Turnstile(1)

  async function registered(name: DomainName) {
    const domain = await store.domain(name)
    if (!domain) throw new NotFound(`${name} is not registered`)
    return domain
  }

  async function make(name: DomainName, lifeMs: number | null) {
    const { account } = await registered(name)
    const now = clock.now()
    await store.forgetShareLinks(now - keepEndedMs)
    await refuseTooMany(store, name, now)
    const token = randomText(tokenLength)
    const link = { id: newId(now), domain: name, account, tokenHash: hashOf(token), createdAt: now, revokedAt: null }
    const made: ShareLink = { ...link, expiresAt: now + (lifeMs ?? config.domains.shareLink) }
    await store.createShareLink(made)
    return { ...viewOf(made, now), token }
  }

  return {
    create: (name, lifeMs) => turnstile.pass(() => make(name, lifeMs)),

    async list(name, page) {
      await registered(name)
      return (await store.listShareLinks(name, page)).map(link => viewOf(link, clock.now()))
    },

    async revoke(name, id) {
      await registered(name)
      await store.revokeShareLink(name, id, clock.now())
    },

    async open(token) {
      const hash = hashOf(token)
      const link = await store.shareLinkByHash(hash)
      if (link === null || !isSame(link.tokenHash, hash)) return null
      const view = viewOf(link, clock.now())
      const domain = await store.domain(link.domain)
      return view.state === 'open' && domain?.account === link.account ? view : null
    },
  }
}

async function refuseTooMany(store: ShareLinkStore, name: DomainName, now: Instant): Promise<void> {
  const newest = await store.listShareLinks(name, { limit: 1000 })
  const open = newest.filter(link => stateOf(link, now) === 'open').length
  if (open >= openAtOnce)
    throw new Conflict(`${name} has ${open} open share links already: revoke those that are no longer needed`, null)
}

function viewOf(link: ShareLink, now: Instant): ShareLinkView {
  const { id, domain, createdAt, expiresAt, revokedAt } = link
  return { id, domain, createdAt, expiresAt, revokedAt, state: stateOf(link, now) }
}

function stateOf({ revokedAt, expiresAt }: ShareLink, now: Instant): ShareLinkView['state'] {
  if (revokedAt !== null) return 'revoked'
  return now < expiresAt ? 'open' : 'expired'
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
