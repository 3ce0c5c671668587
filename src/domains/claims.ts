/**
 * A domain that another account holds can be claimed: whoever can publish a TXT record in its zone has a right to it.
 *
 * A claim gives a token to publish at `_kitte-challenge.<domain>`. Once it is seen the domain changes hands: the keys of
 * the former holder are retired and sign nothing any more, its sender addresses at the domain are removed, also those with
 * an SMTP server of their own, a new key is issued, and both accounts are told by event. Its
 * queued mail goes on under the relay's name (delivery/decision.ts). The domain's own name servers are asked where that
 * is possible, so that nobody's cache decides. Domains above and below are others: they stay where they are.
 * Fails with NotFound, and with Conflict for a claim to what one has.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { randomText } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Authority } from '../dns/authority.ts'
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import type { DomainClaim } from '../mail/domain-claim.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { DkimKey, DnsRecord, SenderDomain } from '../mail/sender-domain.ts'
import { type ClaimStore, Conflict, type DomainStore, NotFound } from '../store/store.ts'
import { domainEvent } from './domain-events.ts'
import { type KeyIssuer, newPendingKey } from './key-rotation.ts'

export interface ClaimParts extends KeyIssuer {
  readonly store: DomainStore & ClaimStore
  readonly resolver: Resolver
  readonly authority?: Pick<Authority, 'ask'> | null
  readonly clock: Clock
  readonly log: Log
  readonly config: KeyIssuer['config'] & Pick<Config, 'domains'>
}

export interface ClaimView extends DomainClaim {
  readonly holder: AccountId
  readonly record: Pick<DnsRecord, 'name' | 'value'> & { readonly type: 'TXT' }
}

export interface ClaimProof {
  /** `absent`: no record of a claim; `differs`: one, but of no open claim; `dns-error`: nobody could say. */
  readonly state: 'moved' | 'absent' | 'differs' | 'dns-error'
  readonly found: readonly string[]
  /** What DNS said instead of an answer; empty: nothing of the kind. */
  readonly trouble: string
  /** What is to be published, of each open claim that was looked for. */
  readonly claims: readonly ClaimView[]
}

const prefix = 'kitte-claim='
const tokenLength = 32
/** For all servers of the domain together. */
const patienceMs = 15_000

export function challengeName(domain: DomainName): DomainName {
  return `_kitte-challenge.${domain}`
}

/** An open claim of the account keeps its token, so that what was published stays right. */
export async function openClaim(parts: ClaimParts, domain: SenderDomain, account: AccountId): Promise<ClaimView> {
  const { store, clock, config } = parts
  const { name, account: holder } = domain
  if (holder === account) throw new Conflict(`${name} is registered by this account already`, holder)
  const now = clock.now()
  const open = (await openClaims(parts, domain)).find(claim => claim.account === account)
  const claim: DomainClaim = {
    ...{ domain: name, account, token: open?.token ?? randomText(tokenLength), createdAt: open?.createdAt ?? now },
    expiresAt: now + config.domains.claimExpires,
  }
  const told = domainEvent(domain, 'domain.claim_opened', now, { claimant: account, expiresAt: claim.expiresAt })
  await store.putClaim(claim, open ? [] : [told])
  return viewClaim(claim, holder)
}

export async function openClaims({ store, clock }: ClaimParts, domain: SenderDomain): Promise<readonly ClaimView[]> {
  const kept = await store.claims(domain.name)
  const open = kept.filter(({ account, expiresAt }) => account !== domain.account && expiresAt > clock.now())
  return open.map(claim => viewClaim(claim, domain.account))
}

/** Carries out a change of the domain while nobody verifies it, on the domain as it then is. */
export type Alone = (change: (domain: SenderDomain) => Promise<void>) => Promise<void>

/** Looks for the proof of the account's claim, or of any that is open; what is proven moves `alone`. */
export async function proveClaim(
  parts: ClaimParts,
  domain: SenderDomain,
  account: AccountId | null,
  alone: Alone,
): Promise<ClaimProof> {
  const claims = (await openClaims(parts, domain)).filter(claim => account === null || claim.account === account)
  if (claims.length === 0) throw new NotFound(`there is no open claim to ${domain.name}: open one first`)
  const { texts, trouble } = await challengesOf(parts, domain.name)
  const found = texts.filter(text => text.trim().startsWith(prefix))
  const proven = claims.filter(({ record }) => found.some(text => text.trim() === record.value))
  if (proven.length > 1)
    throw new Conflict(`several claims to ${domain.name} are proven: name the account that is to have it`, null)
  const [claim] = proven
  if (claim) await alone(current => moveTo(parts, { ...current, account: domain.account }, claim.account))
  const state = claim ? 'moved' : found.length > 0 ? 'differs' : trouble === '' ? 'absent' : 'dns-error'
  return { state, found, trouble, claims }
}

async function moveTo(parts: ClaimParts, domain: SenderDomain, account: AccountId): Promise<void> {
  const { store, clock, log } = parts
  const { name, account: holder } = domain
  const key = await newKeyFor(parts, domain)
  const now = clock.now()
  const [made, keyFailure] = typeof key === 'string' ? [null, key] : [key, null]
  const data = { from: holder, to: account, selector: made?.selector ?? null }
  // Told to both: events of an account are what it sees.
  const told = [holder, account].map(whom => domainEvent({ name, account: whom }, 'domain.claimed', now, data))
  const issued = made ? [domainEvent({ name, account }, 'domain.key_issued', now, issuedOf(made))] : []
  await store.moveDomain({ name, from: holder, to: account, at: now, key: made, keyFailure }, [...told, ...issued])
  log.info({ domain: name, from: holder, to: account }, 'the domain was claimed by its proof in DNS')
}

/** Or why there is none. Selectors of the former holder stay taken: their records may still be published. */
async function newKeyFor(parts: ClaimParts, { name, keys }: SenderDomain): Promise<DkimKey | string> {
  try {
    const taken = keys.map(key => key.selector)
    return await newPendingKey(parts, name, {}, taken)
  } catch (error) {
    parts.log.error({ domain: name, error: String(error) }, 'no DKIM key could be made')
    return `no DKIM key could be made: ${(error as Error).message}`
  }
}

function issuedOf({ selector, algorithm, bits }: DkimKey) {
  return { selector, algorithm, bits }
}

interface Challenges {
  readonly texts: readonly string[]
  readonly trouble: string
}

async function challengesOf(parts: ClaimParts, domain: DomainName): Promise<Challenges> {
  const name = challengeName(domain)
  return (await askAuthority(parts, name)) ?? (await askResolver(parts.resolver, name))
}

/** Null when the name's own servers can't be asked, or none of them answers. */
async function askAuthority({ authority, resolver, clock }: ClaimParts, name: DomainName): Promise<Challenges | null> {
  if (!authority) return null
  const giveUp = new AbortController()
  const cancel = clock.after(patienceMs, () => giveUp.abort())
  const fresh = resolver.direct ?? resolver
  const { witnesses, fault } = await authority.ask(name, 'TXT', fresh, giveUp.signal).finally(cancel)
  if (fault !== null) return null
  const texts = witnesses.flatMap(({ said }) => (said.kind === 'answer' ? said.answer.records.map(String) : []))
  return { texts: [...new Set(texts)], trouble: '' }
}

async function askResolver(resolver: Resolver, name: DomainName): Promise<Challenges> {
  try {
    return { texts: (await (resolver.direct ?? resolver).txt(name)).records, trouble: '' }
  } catch (error) {
    if (error instanceof DnsTrouble) return { texts: [], trouble: error.message }
    throw error
  }
}

function viewClaim(claim: DomainClaim, holder: AccountId): ClaimView {
  const record = { type: 'TXT', name: challengeName(claim.domain), value: prefix + claim.token } as const
  return { ...claim, holder, record }
}
