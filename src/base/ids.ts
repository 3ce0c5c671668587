/**
 * Makes identifiers: short, sortable by time, safe in URLs, file names and header fields.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Instant } from '../mail/ids.ts'

/** Crockford base32, lower case: no i, l, o, u to misread over the telephone. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * 10 characters of milliseconds, 16 of randomness: sorted by time, 80 bits against guessing.
 *
 * The randomness is 20 hexadecimal digits of a random UUID (version 4), past those that are fixed: Node draws UUIDs
 * from a store of random bytes, and a call to `randomBytes` for each message was 8 % of receiving it.
 */
export function newId(now: Instant): string {
  const uuid = randomUUID()
  return (
    base32(now, 10) +
    base32(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 11), 16), 8) +
    base32(Number.parseInt(uuid.slice(24, 34), 16), 8)
  )
}

/** The lowest `length` digits. */
function base32(value: number, length: number): string {
  let text = ''
  for (let rest = value, i = 0; i < length; i++, rest = Math.floor(rest / 32)) text = alphabet[rest % 32]! + text
  return text
}

/** `length` characters of 5 random bits each. */
export function randomText(length: number): string {
  let text = ''
  for (const byte of randomBytes(length)) text += alphabet[byte & 31]
  return text
}
