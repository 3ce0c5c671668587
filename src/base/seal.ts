/**
 * Seals secrets at rest with AES-256-GCM (design invariant 5).
 *
 * The key is 32 bytes, base64, from KITTE_SEAL_KEY or from `dataDir/seal.key` (made at first start, mode 0600).
 * Fails with SealBroken when a sealed text was altered, was sealed for another purpose, or with another key.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Seal {
  /** `purpose` is bound in as associated data: a sealed text opens only where it was made for. */
  seal(secret: string, purpose: string): string
  open(sealed: string, purpose: string): string
}

export class SealBroken extends Error {
  readonly code = 'seal-broken'
}

const version = 'k1'
const nonceBytes = 12
const tagBytes = 16

/** `key`: 32 bytes. */
export function createSeal(key: Buffer): Seal {
  if (key.length !== 32)
    throw new SealBroken('the seal key must be 32 bytes, written in base64 (openssl rand -base64 32)')
  return {
    seal(secret, purpose) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose))
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return `${version}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')}`
    },
    open(sealed, purpose) {
      const bytes = Buffer.from(sealed.slice(version.length + 1), 'base64')
      if (!sealed.startsWith(`${version}.`) || bytes.length < nonceBytes + tagBytes)
        throw new SealBroken('not a sealed text')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
          .setAAD(Buffer.from(purpose))
          .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
        return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch (cause) {
        throw new SealBroken('a sealed secret does not open: is this the seal key it was sealed with?', { cause })
      }
    },
  }
}

/** The key from `given` (base64), else from the file, which is made when missing. */
export function loadSealKey(file: string, given: string | null): Buffer {
  if (given !== null) return Buffer.from(given, 'base64')
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
  }
  chmodSync(file, 0o600)
  return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
}
