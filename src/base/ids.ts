/**
 * Makes identifiers: short, sortable by time, safe in URLs, file names and header fields.
 */
import { randomBytes } from 'node:crypto'
import type { Instant } from '../mail/ids.ts'

/** Crockford base32, lower case: no i, l, o, u to misread over the telephone. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** 10 characters of milliseconds, 16 of randomness: sorted by time, 80 bits against guessing. */
export function newId(now: Instant): string {
  let time = now
  let head = ''
  for (let i = 0; i < 10; i++) {
    head = alphabet[time % 32]! + head
    time = Math.floor(time / 32)
  }
  return head + randomText(16)
}

/** `length` characters of 5 random bits each. */
export function randomText(length: number): string {
  let text = ''
  for (const byte of randomBytes(length)) text += alphabet[byte & 31]
  return text
}
