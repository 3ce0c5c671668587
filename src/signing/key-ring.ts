/**
 * The keys that sign: the relay's own, made at first start and kept, and the active keys of sender domains.
 *
 * Opened keys stay in memory, so that a message costs neither an unsealing nor a parse. Opening the ring fails with
 * StoreUnavailable or SealBroken; `keysOf` fails with SealBroken when a key was sealed with another seal key.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import type { Seal } from '../base/seal.ts'
import type { DomainName } from '../mail/ids.ts'
import type { DkimKey, DnsRecord, SenderDomain } from '../mail/sender-domain.ts'
import type { SettingStore } from '../store/store.ts'
import { newDkimKey, selectorFor } from './key-factory.ts'
import type { SigningKey } from './signer.ts'

export interface KeyRing {
  relayKey(): SigningKey
  /** The same key under the selector that declares it for reports on TLS. */
  reportKey(): SigningKey
  /** What the operator publishes for the relay's own domain. */
  relayRecord(): DnsRecord
  relayPublicKey(): PublicKeyPart
  /** Active keys in the order to sign; empty: the domain can't sign now. */
  keysOf(domain: SenderDomain): readonly SigningKey[]
}

export interface KeyRingParts {
  readonly store: SettingStore
  readonly seal: Seal
  readonly clock: Clock
  readonly relayDomain: DomainName
  readonly rsaBits: number
  readonly timeZone: string
}

export type PublicKeyPart = Pick<DkimKey, 'domain' | 'selector' | 'algorithm' | 'publicKey'>
type StoredKey = PublicKeyPart & Pick<DkimKey, 'sealedPrivateKey'>

/** About 2 kB each: all keys of a busy relay, and no more than 20 MB. */
const maxOpenKeys = 10_000

export async function openKeyRing(parts: KeyRingParts): Promise<KeyRing> {
  const { seal } = parts
  const stored = await loadRelayKey(parts)
  const relayKey = openKey(stored, seal)
  const opened = new LRUCache<string, KeyObject>({ max: maxOpenKeys })

  function open(key: DkimKey): SigningKey {
    const privateKey = opened.get(key.sealedPrivateKey) ?? openPrivateKey(key, seal)
    opened.set(key.sealedPrivateKey, privateKey)
    return { domain: key.domain, selector: key.selector, algorithm: key.algorithm, privateKey }
  }

  return {
    relayKey: () => relayKey,
    reportKey: () => ({ ...relayKey, selector: reportSelector(relayKey.selector) }),
    relayRecord: () => dkimRecord(stored),
    relayPublicKey: () => publicPart(stored),
    keysOf: domain => domain.keys.filter(key => key.state === 'active').map(open),
  }
}

/** The record that publishes a key (RFC 6376 §3.6.1). */
export function dkimRecord(key: PublicKeyPart): DnsRecord {
  return {
    purpose: 'dkim',
    type: 'TXT',
    name: `${key.selector}._domainkey.${key.domain}`,
    value: `v=DKIM1; k=${key.algorithm}; p=${key.publicKey}`,
  }
}

/** `record`: the relay's own key. Declared for reports on TLS alone (RFC 8460 §3, RFC 6376 §3.6.1 s=). */
export function reportKeyRecord({ name, value }: Pick<DnsRecord, 'name' | 'value'>) {
  const end = name.indexOf('.')
  return {
    name: `${reportSelector(name.slice(0, end))}${name.slice(end)}`,
    value: value.replace(/; p=/, '; s=tlsrpt; p='),
  }
}

function reportSelector(selector: string): string {
  return `${selector}-tlsrpt`
}

function publicPart({ domain, selector, algorithm, publicKey }: StoredKey): PublicKeyPart {
  return { domain, selector, algorithm, publicKey }
}

/** What a private key is sealed for: it opens only as this domain's, under this selector. */
export function keyPurpose(domain: DomainName, selector: string): string {
  return `dkim-key:${selector}._domainkey.${domain}`
}

/** One key per relay domain: with another name in the configuration another record must be published anyway. */
async function loadRelayKey(parts: KeyRingParts): Promise<StoredKey> {
  const setting = `relay-key:${parts.relayDomain}`
  const existing = await parts.store.setting(setting)
  // Another thread or node may make one at the same time: what stands in the store afterwards counts.
  return JSON.parse(existing ?? (await parts.store.initSetting(setting, JSON.stringify(await newRelayKey(parts)))))
}

async function newRelayKey({ seal, clock, relayDomain, rsaBits, timeZone }: KeyRingParts): Promise<StoredKey> {
  const selector = selectorFor(clock.now(), timeZone, [])
  const { privateKeyPem, publicKey } = await newDkimKey({ algorithm: 'rsa', bits: rsaBits })
  const sealedPrivateKey = seal.seal(privateKeyPem, keyPurpose(relayDomain, selector))
  return { domain: relayDomain, selector, algorithm: 'rsa', publicKey, sealedPrivateKey }
}

function openKey(key: StoredKey, seal: Seal): SigningKey {
  return {
    domain: key.domain,
    selector: key.selector,
    algorithm: key.algorithm,
    privateKey: openPrivateKey(key, seal),
  }
}

function openPrivateKey(key: StoredKey, seal: Seal): KeyObject {
  return createPrivateKey(seal.open(key.sealedPrivateKey, keyPurpose(key.domain, key.selector)))
}
