/**
 * Fields of a delivery status report (RFC 3464 §2), written so that nothing foreign can break out of its line.
 *
 * Addresses beyond ASCII follow RFC 6533 §3: as they are in a `global` report, as `\x{…}` in one that must pass servers
 * without SMTPUTF8. Everything else is reduced to printable ASCII.
 */
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { Instant, Mailbox } from '../mail/ids.ts'

/** RFC 5322 §2.1.1: 78 characters a line look well, 998 octets are the law. */
const foldAt = 76

/** `Name: value`, folded. Null leaves the field out. */
export function field(name: string, value: string | null): string[] {
  return value === null || value === '' ? [] : [fold(`${name}: ${value}`)]
}

/** Control characters, line breaks of any kind, and with `ascii` everything beyond it, become harmless. */
export function plain(text: string, charset: 'ascii' | 'utf8' = 'ascii'): string {
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()
  return charset === 'utf8' ? line : line.replace(/[^\x20-\x7e]/gu, '?')
}

/** `rfc822;address`, or `utf-8;address` (RFC 6533 §3). */
export function typedAddress(address: Mailbox, global: boolean): string {
  if (!needsSmtpUtf8(address)) return `rfc822;${plain(address)}`
  return `utf-8;${global ? plain(address, 'utf8') : escapeUnicode(plain(address, 'utf8'))}`
}

/** ORCPT as the sender gave it, `type;address`; decoded characters that don't fit a line go back into xtext. */
export function originalRecipient(orcpt: string, global: boolean): string {
  const semicolon = orcpt.indexOf(';')
  const type = plain(orcpt.slice(0, Math.max(semicolon, 0))) || 'rfc822'
  const address = orcpt.slice(semicolon + 1)
  const escaped = type.toLowerCase() === 'utf-8' && !global ? escapeUnicode(address) : address
  return `${type};${xtext(escaped, global)}`
}

/** RFC 3461 §4: `+` and two hexadecimal digits for what can't stand in a field. */
export function xtext(text: string, global = false): string {
  const unsafe = global ? /[\x00-\x1f\x7f-\x9f\u2028\u2029]/gu : /[^\x20-\x7e]/gu
  const octets = (character: string) =>
    [...Buffer.from(character)].map(octet => `+${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  return text.replace(unsafe, octets)
}

/** RFC 5322 §3.3, in UTC: `Thu, 15 Jan 2026 03:00:00 +0000`. */
export function dateTime(at: Instant): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}

/** RFC 2047 §2, B encoding, each encoded word within 75 characters and with whole characters. */
export function encodedWords(text: string): string {
  const words: string[] = []
  let chunk = ''
  for (const character of text) {
    if (Buffer.byteLength(chunk + character) > 42) {
      words.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  return [...words, chunk].map(word => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ')
}

function escapeUnicode(text: string): string {
  return text.replace(/[^\x20-\x7e]|\\/gu, character => `\\x{${character.codePointAt(0)!.toString(16).toUpperCase()}}`)
}

function fold(line: string): string {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ').flatMap(pieces)) {
    if (current !== '' && current.length + 1 + word.length > foldAt) {
      lines.push(current)
      current = word
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, current].join('\r\n ')
}

/** A word that no line can hold is cut: 300 characters are at most 900 octets. */
function pieces(word: string): string[] {
  return word.match(/.{1,300}/gsu) ?? ['']
}
