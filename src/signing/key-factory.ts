/**
 * Makes DKIM key pairs and names their selectors.
 *
 * node:crypto makes RSA keys on the thread pool in a fraction of the time of a JavaScript library, so no other is used.
 * Fails with what OpenSSL says (no entropy, unknown length); the caller keeps the domain and offers another try.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Instant } from '../mail/ids.ts'

export interface KeySpec {
  readonly algorithm: 'rsa' | 'ed25519'
  /** RSA modulus length; 256 for Ed25519. */
  readonly bits: number
}

export interface NewDkimKey {
  /** PKCS#8. */
  readonly privateKeyPem: string
  /** The record's p= value: base64 of the SubjectPublicKeyInfo (RSA) or of the raw key (Ed25519, RFC 8463 §4). */
  readonly publicKey: string
}

const generate = promisify(generateKeyPair)

export async function newDkimKey({ algorithm, bits }: KeySpec): Promise<NewDkimKey> {
  const pair = algorithm === 'rsa' ? await newRsaPair(bits) : await generate('ed25519')
  return {
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKeyOf(pair.publicKey),
  }
}

/** RFC 8301 §3.2: signers use at least 1024 and should use 2048 bits; verifiers read no more than 4096 for sure. */
function newRsaPair(bits: number) {
  return generate('rsa', { modulusLength: bits, publicExponent: 65_537 })
}

function publicKeyOf(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' })
  // RFC 8410 §4: an Ed25519 SubjectPublicKeyInfo ends with the 32 octets of the raw key.
  return (key.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der).toString('base64')
}

/** `20240125`; a second key of the same day is `20240125-2`. `taken`: selectors the domain has or had. */
export function selectorFor(date: Instant, timeZone: string, taken: readonly string[]): string {
  const day = dayOf(date, timeZone)
  let selector = day
  for (let n = 2; taken.includes(selector); n++) selector = `${day}-${n}`
  return selector
}

function dayOf(date: Instant, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const parts = new Map(format.formatToParts(date).map(({ type, value }) => [type, value]))
  return `${parts.get('year')}${parts.get('month')}${parts.get('day')}`
}
