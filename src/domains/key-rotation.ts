/**
 * Issues DKIM keys: the first of a domain, and new ones beside those in use.
 *
 * A new key waits (`pending`) until its record is seen; only then does it sign (`key-states.ts`). Fails with
 * DomainInvalid for a selector that can't be used or is taken, and with what key generation fails with.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Seal } from '../base/seal.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { DkimForm, DkimKey, SenderDomain } from '../mail/sender-domain.ts'
import { newDkimKey, selectorFor } from '../signing/key-factory.ts'
import { keyPurpose } from '../signing/key-ring.ts'
import type { DomainStore } from '../store/store.ts'
import { domainEvent, keyMoveEvent } from './domain-events.ts'
import { DomainInvalid } from './domain-name.ts'
import { fixedSelectors, freeSelector } from './fixed-selectors.ts'

export interface KeyRequest {
  /** Default: the date of issue. */
  readonly selector?: string
  readonly bits?: number
  readonly algorithm?: 'rsa' | 'ed25519'
}

/** Of which form the key is; under `cname` the selector is one of the fixed ones. */
type FormedRequest = KeyRequest & { readonly form?: DkimForm }

export interface KeyIssuer {
  readonly seal: Seal
  readonly clock: Clock
  readonly config: Pick<Config, 'signing' | 'timeZone'>
  readonly makeKey?: typeof newDkimKey
}

/** One label (RFC 6376 §3.1 allows several, separated by dots; DNS editors stumble over them). */
const selectorSyntax = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** `taken`: selectors the domain has or had; their records may still be published with other keys. */
export async function newPendingKey(
  { seal, clock, config, makeKey = newDkimKey }: KeyIssuer,
  domain: DomainName,
  request: FormedRequest,
  taken: readonly string[],
): Promise<DkimKey> {
  const algorithm = request.algorithm ?? 'rsa'
  const bits = algorithm === 'rsa' ? (request.bits ?? config.signing.rsaBits) : 256
  const now = clock.now()
  const selector = chosenSelector(request, taken) ?? selectorFor(now, config.timeZone, taken)
  const { privateKeyPem, publicKey } = await makeKey({ algorithm, bits })
  const sealedPrivateKey = seal.seal(privateKeyPem, keyPurpose(domain, selector))
  return {
    domain,
    selector,
    algorithm,
    ...(request.form === 'cname' ? { form: 'cname' as const } : {}),
    bits,
    publicKey,
    sealedPrivateKey,
    state: 'pending',
    createdAt: now,
    stateSince: now,
  }
}

/** A key of the CNAME form takes the fixed selector that is free. Fails with DomainInvalid. */
export function formedRequest(form: DkimForm, keys: readonly DkimKey[], request: KeyRequest): FormedRequest {
  if (form !== 'cname') return request
  const algorithm = request.algorithm ?? 'rsa'
  if (request.selector !== undefined)
    throw new DomainInvalid(
      `the selectors of a domain that publishes CNAMEs are fixed (${fixedSelectors[algorithm].join(', ')}): leave the selector out`,
    )
  return { ...request, form: 'cname', selector: freeSelector(keys, algorithm) }
}

/** Puts a new key beside the ones in use. One that still waits under the same algorithm is given up. */
export async function issueKey(
  issuer: KeyIssuer & { readonly store: DomainStore },
  domain: SenderDomain,
  request: KeyRequest,
) {
  const taken = domain.keys.map(key => key.selector)
  const formed = formedRequest(domain.dkimForm ?? 'txt', domain.keys, request)
  const key = await newPendingKey(issuer, domain.name, formed, taken)
  const now = key.createdAt
  const issued = { selector: key.selector, algorithm: key.algorithm, bits: key.bits }
  const waiting = domain.keys.filter(other => other.state === 'pending' && other.algorithm === key.algorithm)
  const inItsPlace = waiting.filter(({ selector }) => selector === key.selector)
  // A fixed selector has one key at a time.
  for (const old of inItsPlace) await giveUpKey(issuer.store, domain, old, now)
  await issuer.store.addKey(key, [domainEvent(domain, 'domain.key_issued', now, issued)])
  for (const old of waiting) if (!inItsPlace.includes(old)) await giveUpKey(issuer.store, domain, old, now)
  if (domain.keyFailure !== null) await issuer.store.updateDomain(domain.name, { keyFailure: null }, [])
}

/** Of a key that never signed. */
export function giveUpKey(store: DomainStore, domain: SenderDomain, key: DkimKey, now: Instant): Promise<void> {
  const told = keyMoveEvent(domain, { key, to: 'retired' }, now)
  return store.setKeyState(domain.name, key.selector, 'retired', now, [told])
}

function chosenSelector(request: FormedRequest, taken: readonly string[]): string | null {
  if (request.form !== 'cname') refuseSelector(request, taken)
  return request.selector ?? null
}

export function refuseSelector({ selector }: KeyRequest, taken: readonly string[]): void {
  if (selector === undefined) return
  if (!selectorSyntax.test(selector))
    throw new DomainInvalid(`${selector.slice(0, 70)} is not a selector: write lower case letters, digits and hyphens`)
  if (Object.values(fixedSelectors).flat().includes(selector))
    throw new DomainInvalid(`the selector ${selector} is kept for keys that are published as CNAMEs: choose another`)
  if (taken.includes(selector)) throw new DomainInvalid(`the selector ${selector} has been used for this domain before`)
}
