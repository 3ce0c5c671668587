/**
 * Reads MAIL and RCPT with their parameters (RFC 5321 §4.1.1.2–3, §4.1.2; RFC 1870, 3461, 4865, 4954, 6152, 6531, 8689).
 *
 * Our own reading, because smtp-server's refuses quoted local parts with a space or an @, lets UTF-8 pass without
 * SMTPUTF8 and takes unknown parameters. Refuses by throwing SmtpError.
 */
import { isUtf8 } from 'node:buffer'
import { parseMailbox } from '../mail/address.ts'
import { withoutNeedlessQuotes } from '../mail/address-list.ts'
import type { Envelope, Notify, Recipient, ReversePath } from '../mail/envelope.ts'
import type { DomainName, Mailbox } from '../mail/ids.ts'
import { readMoment } from '../mail/moment.ts'
import type { Reply } from '../mail/reply.ts'
import { replies, SmtpError } from './replies.ts'
import type { Hold } from './wishes.ts'

export interface MailCommand extends Omit<Envelope, 'recipients'> {
  readonly reversePath: ReversePath
  /** SIZE as declared (RFC 1870 §6.1). */
  readonly declaredSize: number | null
  readonly hold?: Hold
}

type Parameters = Map<string, string | null>

/** A source route must be accepted and ignored (RFC 5321 appendix C). A quoted local part may hold anything. */
const path = /^<(?:@[^\s<>",:]+(?:,@[^\s<>",:]+)*:)?((?:"(?:[^"\\]|\\.)*"|[^\s<>"])*)>(?: +(.*))?$/s
/** esmtp-param (RFC 5321 §4.1.2). */
const parameter = /^([a-z0-9][a-z0-9-]*)(?:=([^=\s\x00-\x1f\x7f]+))?$/i
/** RFC 3461 §5: limits on the length of ENVID and ORCPT values. */
const maxEnvidLength = 100
const maxOrcptLength = 500

export function readMail(line: Buffer): MailCommand {
  const { address, parameters } = readCommand(line, /^MAIL FROM: */i, replies.mailSyntax)
  const smtpUtf8 = takeFlag(parameters, 'SMTPUTF8')
  const body = takeBody(parameters)
  const declaredSize = takeSize(parameters)
  const ret = takeRet(parameters)
  const envid = takeXtext(parameters, 'ENVID', maxEnvidLength)
  const hold = takeHold(parameters)
  // RFC 8689 §2: it takes no value.
  const requireTls = takeFlag(parameters, 'REQUIRETLS')
  // RFC 4954 §5: accepted, and not trusted.
  parameters.delete('AUTH')
  refuseUnknown(parameters)
  const reversePath = address === '' ? null : toMailbox(address, smtpUtf8, replies.badReversePath)
  return {
    reversePath,
    declaredSize,
    body,
    smtpUtf8,
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    ...(hold === undefined ? {} : { hold }),
    ...(requireTls ? { tls: 'required' as const } : {}),
  }
}

/** `hostname` completes `<postmaster>`, which every server must accept (RFC 5321 §4.5.1). */
export function readRcpt(line: Buffer, smtpUtf8: boolean, hostname: DomainName): Recipient {
  const { address, parameters } = readCommand(line, /^RCPT TO: */i, replies.rcptSyntax)
  const notify = takeNotify(parameters)
  const orcpt = takeOrcpt(parameters)
  refuseUnknown(parameters)
  const complete = address.toLowerCase() === 'postmaster' ? `${address}@${hostname}` : address
  return {
    address: toMailbox(complete, smtpUtf8, replies.badForwardPath),
    ...(notify === undefined ? {} : { notify }),
    ...(orcpt === undefined ? {} : { orcpt }),
  }
}

function readCommand(line: Buffer, verb: RegExp, syntax: Reply): { address: string; parameters: Parameters } {
  const text = line.toString('utf8')
  if (!isUtf8(line) || !verb.test(text)) throw new SmtpError(syntax)
  const [, address, rest] = path.exec(text.replace(verb, '').trimEnd()) ?? []
  if (address === undefined) throw new SmtpError(syntax)
  return { address, parameters: readParameters(rest ?? '') }
}

function readParameters(text: string): Parameters {
  const parameters: Parameters = new Map()
  for (const word of text.split(/ +/)) {
    if (word === '') continue
    const [, name, value] = parameter.exec(word) ?? []
    if (name === undefined) throw new SmtpError(replies.badParameter(word.split('=')[0]!, 'it is no KEYWORD=value'))
    if (parameters.has(name.toUpperCase()))
      throw new SmtpError(replies.badParameter(name.toUpperCase(), 'it is given twice'))
    parameters.set(name.toUpperCase(), value ?? null)
  }
  return parameters
}

function refuseUnknown(parameters: Parameters): void {
  for (const name of parameters.keys()) throw new SmtpError(replies.unknownParameter(name))
}

/** RFC 6531 §3.5: an address beyond ASCII needs SMTPUTF8. A trailing dot is no part of a Domain (RFC 5321 §4.1.2). */
function toMailbox(text: string, smtpUtf8: boolean, bad: (path: string) => Reply): Mailbox {
  if (!smtpUtf8 && /[^\x00-\x7f]/.test(text)) throw new SmtpError(replies.utf8WithoutExtension(`<${text}>`))
  const address = text.endsWith('.') ? null : parseMailbox(text)
  if (address === null) throw new SmtpError(bad(`<${text}>`))
  return withoutNeedlessQuotes(address)
}

function take(parameters: Parameters, name: string): string | null | undefined {
  const value = parameters.get(name)
  parameters.delete(name)
  return value
}

function takeFlag(parameters: Parameters, name: string): boolean {
  const value = take(parameters, name)
  if (typeof value === 'string') throw new SmtpError(replies.badParameter(name, 'it takes no value'))
  return value === null
}

/** Upper-case value, one of the allowed. */
function takeWord<T extends string>(parameters: Parameters, name: string, allowed: readonly T[]): T | undefined {
  const value = take(parameters, name)
  if (value === undefined) return undefined
  const word = allowed.find(candidate => candidate === value?.toUpperCase())
  if (word === undefined) throw new SmtpError(replies.badParameter(name, `it must be ${allowed.join(' or ')}`))
  return word
}

function takeBody(parameters: Parameters): '7BIT' | '8BITMIME' {
  return takeWord(parameters, 'BODY', ['7BIT', '8BITMIME']) ?? '7BIT'
}

function takeRet(parameters: Parameters): 'FULL' | 'HDRS' | undefined {
  return takeWord(parameters, 'RET', ['FULL', 'HDRS'])
}

/** RFC 1870 §4: 1*20DIGIT. */
function takeSize(parameters: Parameters): number | null {
  const value = take(parameters, 'SIZE')
  if (value === undefined) return null
  if (value === null || !/^\d{1,20}$/.test(value))
    throw new SmtpError(replies.badParameter('SIZE', 'it must be a number of bytes'))
  return Number(value)
}

/** RFC 4865 §4: one of both, HOLDFOR in seconds of at most nine digits. */
function takeHold(parameters: Parameters): Hold | undefined {
  const seconds = take(parameters, 'HOLDFOR')
  const moment = take(parameters, 'HOLDUNTIL')
  if (seconds !== undefined && moment !== undefined)
    throw new SmtpError(replies.badParameter('HOLDUNTIL', 'HOLDFOR is given too; leave one of them out'))
  if (moment !== undefined) {
    const until = readMoment(moment ?? '')
    if (until === null) throw new SmtpError(replies.badHoldUntil)
    return { until }
  }
  if (seconds === undefined) return undefined
  if (seconds === null || !/^\d{1,9}$/.test(seconds))
    throw new SmtpError(replies.badParameter('HOLDFOR', 'it must be a number of seconds of at most nine digits'))
  return { forSeconds: Number(seconds) }
}

/** RFC 3461 §4.1. */
function takeNotify(parameters: Parameters): readonly Notify[] | undefined {
  const value = take(parameters, 'NOTIFY')
  if (value === undefined) return undefined
  const words = new Set((value ?? '').toUpperCase().split(','))
  const known = [...words].every(
    word => word === 'NEVER' || word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY',
  )
  if (!known || (words.has('NEVER') && words.size > 1))
    throw new SmtpError(replies.badParameter('NOTIFY', 'it must be NEVER, or some of SUCCESS, FAILURE and DELAY'))
  return [...words] as Notify[]
}

/** RFC 3461 §4.2: addr-type ";" xtext. */
function takeOrcpt(parameters: Parameters): string | undefined {
  const orcpt = takeXtext(parameters, 'ORCPT', maxOrcptLength)
  if (orcpt === undefined || /^[a-z0-9-]+;./i.test(orcpt)) return orcpt
  throw new SmtpError(replies.badParameter('ORCPT', 'it must be a type, a semicolon and the address in xtext'))
}

/** RFC 3461 §4: xtext, for graphic ASCII and spaces only once decoded. */
function takeXtext(parameters: Parameters, name: string, maxLength: number): string | undefined {
  const value = take(parameters, name)
  if (value === undefined) return undefined
  const wellFormed =
    value !== null && value.length <= maxLength && /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+$/.test(value)
  const decoded = value?.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (!wellFormed || decoded === undefined || !/^[\x20-\x7e]+$/.test(decoded))
    throw new SmtpError(replies.badParameter(name, `it must be xtext of at most ${maxLength} characters (RFC 3461)`))
  return decoded
}
