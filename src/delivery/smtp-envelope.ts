/**
 * From an envelope to commands: MAIL and RCPT with the parameters a host offers, and what it can't be asked at all.
 *
 * SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), DSN (RFC 3461), REQUIRETLS (RFC 8689). Where 8BITMIME is not offered, 8-bit
 * content goes out as it is: re-encoding would break its signatures, and hosts that mind are extinct.
 */
import { isAscii } from 'node:buffer'
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { Mailbox } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import type { Outgoing } from './transport.ts'

export type Extensions = ReadonlyMap<string, string>

const tooLarge: Reply = { code: 552, detail: '3.4', text: 'Message is larger than the host accepts', from: 'relay' }
const addressNotAscii: Reply = {
  code: 550,
  detail: '6.7',
  text: 'Address needs SMTPUTF8, which the host does not offer',
  from: 'relay',
}
const headerNotAscii: Reply = {
  code: 550,
  detail: '6.9',
  text: 'Header needs SMTPUTF8, which the host does not offer',
  from: 'relay',
}

/** `250-SIZE 35882577` → `SIZE` → `35882577`; the first line is the host's greeting (RFC 5321 §4.1.1.1). */
export function readExtensions(ehloReply: string, secured: boolean): Extensions {
  const lines = ehloReply.split('\n').slice(1)
  const extensions = new Map(
    lines.map(line => {
      const [, keyword = '', parameters = ''] = /^\d{3}[- ]?([^ =]*)[ =]?(.*)$/.exec(line) ?? []
      return [keyword.toUpperCase(), parameters.trim()] as const
    }),
  )
  // In plain text anybody on the way can announce it (RFC 8689 §2).
  if (!secured) extensions.delete('REQUIRETLS')
  return extensions
}

/** Refused before MAIL, because the host has said it can't take the message: the same for every recipient. */
export function refusedForAll(
  extensions: Extensions,
  reversePath: Mailbox | null,
  size: number,
  eightBitHeader: boolean,
): Reply | null {
  // RFC 1870 §4: 0 or nothing is no fixed limit.
  const limit = Number(extensions.get('SIZE') || 0)
  if (limit > 0 && size > limit) return tooLarge
  if (extensions.has('SMTPUTF8')) return null
  if (reversePath !== null && needsSmtpUtf8(reversePath)) return addressNotAscii
  return eightBitHeader ? headerNotAscii : null
}

/** Refused before RCPT; the other recipients are not held up. */
export function refusedRecipient(extensions: Extensions, recipient: Recipient): Reply | null {
  return needsSmtpUtf8(recipient.address) && !extensions.has('SMTPUTF8') ? addressNotAscii : null
}

export function mailCommand(
  extensions: Extensions,
  envelope: Envelope,
  reversePath: Mailbox | null,
  outgoing: Outgoing,
): string {
  const parameters: string[] = []
  if (extensions.has('SIZE')) parameters.push(`SIZE=${outgoing.size}`)
  if (extensions.has('8BITMIME') && mayBeEightBit(envelope, outgoing)) parameters.push('BODY=8BITMIME')
  if (extensions.has('SMTPUTF8') && isInternational(envelope, reversePath)) parameters.push('SMTPUTF8')
  if (extensions.has('DSN')) {
    if (envelope.ret) parameters.push(`RET=${envelope.ret}`)
    if (envelope.envid) parameters.push(`ENVID=${xtext(envelope.envid)}`)
  }
  if (envelope.tls === 'required' && extensions.has('REQUIRETLS')) parameters.push('REQUIRETLS')
  return command(`MAIL FROM:<${safe(reversePath ?? '')}>`, parameters)
}

export function rcptCommand(extensions: Extensions, recipient: Recipient): string {
  const parameters: string[] = []
  if (extensions.has('DSN')) {
    if (recipient.notify?.length) parameters.push(`NOTIFY=${recipient.notify.join(',')}`)
    if (recipient.orcpt) parameters.push(`ORCPT=${encodeOrcpt(recipient.orcpt)}`)
  }
  return command(`RCPT TO:<${safe(recipient.address)}>`, parameters)
}

/** Announcing 8 bits for 7-bit content is allowed (RFC 6152 §3), so a file is not read for it. */
function mayBeEightBit(envelope: Envelope, { content }: Outgoing): boolean {
  return envelope.body === '8BITMIME' || !Buffer.isBuffer(content) || !isAscii(content)
}

function isInternational({ smtpUtf8, recipients }: Envelope, reversePath: Mailbox | null): boolean {
  if (smtpUtf8 || needsSmtpUtf8(reversePath ?? '')) return true
  return recipients.some(recipient => needsSmtpUtf8(recipient.address))
}

function command(start: string, parameters: readonly string[]): string {
  return `${[start, ...parameters].join(' ')}\r\n`
}

/** Addresses were parsed strictly at submission; a control character here is a bug, and would be command injection. */
function safe(address: string): string {
  if (/[\x00-\x1f\x7f]/.test(address)) throw new Error('address with a control character')
  return address
}

/** RFC 3461 §4.2: the type stands as it is, the address as xtext. */
function encodeOrcpt(orcpt: string): string {
  const separator = orcpt.indexOf(';')
  return `${orcpt.slice(0, separator + 1)}${xtext(orcpt.slice(separator + 1))}`
}

/** RFC 3461 §4. */
function xtext(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(
      /[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g,
      char => `+${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}
