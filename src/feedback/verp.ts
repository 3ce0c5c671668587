/**
 * Reverse-paths that say which message and recipient a bounce is about, and that nobody can make up.
 *
 * `b-<message id>-<recipient number>-<signature>@bounce host`: the signature is HMAC-SHA256 over all that stands before
 * it and the host, cut to 80 bits (RFC 2104 §5 asks for at least half the hash or 80 bits). Only letters of Crockford's
 * base32, digits and hyphens: mail systems on the way back may change case, `+` and `=` are taken for extensions. With
 * our ids a local part has 47 octets (RFC 5321 §4.5.3.1.1: at most 64). Reading fails with null; making one fails with a
 * RangeError when the id could not be read back.
 */
import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Seal } from '../base/seal.ts'
import type { DomainName, EntryId, Mailbox, MessageId } from '../mail/ids.ts'
import type { SettingStore } from '../store/store.ts'

export interface VerpSubject {
  readonly message: MessageId
  /** Null: one transaction carried several recipients, the bounce itself must say which. */
  readonly entry: EntryId | null
}

export interface VerpRequest {
  readonly message: MessageId
  readonly entry?: EntryId | null
  readonly bounceHost: DomainName
  /** As a KeyObject for every message: Node 24 takes 18 µs longer with a Buffer. */
  readonly key: Buffer | KeyObject
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const signatureBytes = 10
/** Message ids are 26 characters; 34 would still fit. A recipient number has no leading zero; `x` stands for none. */
const shape = /^(b-([0-9a-z]{1,34})-(x|0|[1-9]\d{0,5}))-([0-9a-hjkmnp-tv-z]{16})@(.+)$/
const setting = 'verp-key'

export function verpAddress({ message, entry, bounceHost, key }: VerpRequest): Mailbox {
  const number = entry ? entry.slice(entry.lastIndexOf('.') + 1) : 'x'
  const subject = `b-${message}-${number}`
  const host = bounceHost.toLowerCase()
  const address = `${subject}-${sign(subject, host, key)}@${host}`
  if (!shape.test(address) || (entry && entry !== `${message}.${number}`))
    throw new RangeError(`no reverse-path can be made for entry ${entry} of message ${message}`)
  return address
}

/** Null for anything that `verpAddress` did not make with this key, letter case aside. */
export function readVerp(address: string, key: Buffer): VerpSubject | null {
  const [, subject, message, number, signature, host] = shape.exec(address.toLowerCase()) ?? []
  if (subject === undefined || message === undefined || signature === undefined || host === undefined) return null
  const expected = sign(subject, host, key)
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) return null
  return { message, entry: number === 'x' ? null : `${message}.${number}` }
}

/** Made by this or another key. */
export function looksLikeVerp(address: string): boolean {
  return shape.test(address.toLowerCase())
}

/** The key of this installation, made at first use, sealed at rest (design invariant 5). Fails with SealBroken. */
export async function verpKeyOf({ store, seal }: { store: SettingStore; seal: Seal }): Promise<Buffer> {
  const fresh = seal.seal(randomBytes(32).toString('base64'), setting)
  return Buffer.from(seal.open(await store.initSetting(setting, fresh), setting), 'base64')
}

function sign(subject: string, host: string, key: Buffer | KeyObject): string {
  const mac = createHmac('sha256', key).update(`${subject}@${host}`).digest()
  return base32(mac.subarray(0, signatureBytes))
}

function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return text
}
