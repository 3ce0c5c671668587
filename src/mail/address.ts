/**
 * Mailboxes and domain names: reading them strictly, writing them canonically (RFC 5321 §4.1.2, RFC 6531, RFC 5890).
 *
 * Fails by returning null, never by throwing: the caller knows which reply or problem a bad address deserves.
 */
import { domainToASCII } from 'node:url'
import type { DomainName, Mailbox } from './ids.ts'

/** RFC 5321 §4.5.3.1: local part 64, domain 255, path 256 octets. */
const maxLocalPartOctets = 64
const maxDomainOctets = 253

const dotAtom = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u
/** The same for nearly all mail, without the tables of Unicode. */
const asciiDotAtom = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const quotedString = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|[^\x00-\x7f]|\\[\x20-\x7e])*"$/
const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const hostName = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+$/

/**
 * `Sales@Example.JP` → `Sales@example.jp`; `"a b"@例え.jp` → `"a b"@xn--r8jz45g.jp`.
 * Null when it is no mailbox: no @, bad local part or domain, too long. Address literals (`user@[192.0.2.1]`) are
 * refused: a relay for registered domains has no use for them.
 */
export function parseMailbox(text: string): Mailbox | null {
  const at = text.lastIndexOf('@')
  if (at < 1) return null
  const localPart = text.slice(0, at)
  const domain = parseDomain(text.slice(at + 1))
  if (domain === null || Buffer.byteLength(localPart) > maxLocalPartOctets) return null
  if (!asciiDotAtom.test(localPart) && !dotAtom.test(localPart) && !quotedString.test(localPart)) return null
  return `${localPart}@${domain}`
}

/** Lower case A-labels without trailing dot; null when it is no host name (RFC 1123 §2.1; underscores tolerated). */
export function parseDomain(text: string): DomainName | null {
  if (hostName.test(text) && text.length <= maxDomainOctets) return endsInDigits(text) ? null : text
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (bare === '' || /[\s\x00-\x20\x7f/\\:?#@[\]%]/.test(bare)) return null
  const ascii = /^[a-z0-9._-]+$/.test(bare) ? bare : domainToASCII(bare).toLowerCase()
  if (ascii === '' || ascii.length > maxDomainOctets) return null
  const labels = ascii.split('.')
  if (labels.length < 2 || !labels.every(part => label.test(part))) return null
  return endsInDigits(ascii) ? null : ascii
}

/** An IPv4 address, or part of one. */
function endsInDigits(domain: string): boolean {
  return /\.\d+$/.test(domain)
}

export function domainOf(mailbox: Mailbox): DomainName {
  return mailbox.slice(mailbox.lastIndexOf('@') + 1)
}

export function localPartOf(mailbox: Mailbox): string {
  return mailbox.slice(0, mailbox.lastIndexOf('@'))
}

/** Whether sending to it needs SMTPUTF8 (RFC 6531 §3.2): a local part beyond ASCII. */
export function needsSmtpUtf8(mailbox: Mailbox): boolean {
  return /[^\x00-\x7f]/.test(mailbox)
}
