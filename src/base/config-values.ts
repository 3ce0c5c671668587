/**
 * Kinds of configuration values: what each may be, and the sentence that says how to write it right.
 *
 * Durations come out as milliseconds, domain names in lower case.
 */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { parseDomain, parseMailbox } from '../mail/address.ts'

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
export const mend = (error: string) => ({ error })

export const duration = z
  .string(mend('write a duration such as 500ms, 30s, 5m, 4h or 4d'))
  .regex(/^\d+(ms|s|m|h|d)$/, mend('write a duration such as 500ms, 30s, 5m, 4h or 4d'))
  .transform(text => Number.parseInt(text, 10) * durationUnits[text.replace(/^\d+/, '') as keyof typeof durationUnits])
export const count = z.int(mend('write a whole number')).min(1, mend('write a whole number of at least 1'))
export const port = z
  .int(mend('write a port from 1 to 65535'))
  .min(1, mend('write a port from 1 to 65535'))
  .max(65535, mend('write a port from 1 to 65535'))
/** 0 lets the system choose a free port: for tests. */
export const listenPort = z
  .int(mend('write a port from 0 to 65535'))
  .min(0, mend('write a port from 0 to 65535'))
  .max(65535, mend('write a port from 0 to 65535'))
export const yesNo = z.boolean(mend('write true or false'))
export const senderId = z
  .string(mend('write a name of 5 to 15 letters, digits and hyphens'))
  .regex(/^[A-Za-z0-9-]{5,15}$/, mend('write a name of 5 to 15 letters, digits and hyphens'))
export const host = z.string(mend('write an address or a host name')).min(1, mend('write an address or a host name'))
export const domain = z
  .string(mend('write a domain name such as relay.example.jp'))
  .transform(text => parseDomain(text) ?? text.toLowerCase())
  .refine(text => parseDomain(text) !== null, mend('write a domain name such as relay.example.jp'))
export const mailbox = z
  .string(mend('write an address such as postmaster@example.jp'))
  .transform(text => parseMailbox(text) ?? text)
  .refine(text => parseMailbox(text) !== null, mend('write an address such as postmaster@example.jp'))
export const label = z
  .string(mend('write one label of a host name such as bounce'))
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, mend('write one label of a host name such as bounce'))
export const ip = z
  .string(mend('write an IP address'))
  .refine(text => ipaddr.isValid(text), mend('write an IPv4 or IPv6 address'))
export const pemFile = z.string(mend('write the path of a PEM file, or null')).nullable()
export const network = z
  .string(mend('write a network such as 10.0.0.0/8'))
  .refine(text => ipaddr.isValidCIDR(text), mend('write a network such as 10.0.0.0/8 or 127.0.0.1/32'))
export const timeZone = z
  .string(mend('write a time zone such as Asia/Tokyo'))
  .refine(isTimeZone, mend('write a time zone such as Asia/Tokyo'))
export const publicUrl = z
  .string(mend('write an address such as https://dns.example.jp, or null'))
  .transform(text => text.replace(/\/$/, ''))
  .refine(
    text => /^https?:\/\/[^/?#@\s]+$/i.test(text) && URL.canParse(text),
    mend('write an address such as https://dns.example.jp, without a path'),
  )
  .nullable()
export const dnsServer = z
  .string(mend('write a resolver such as "127.0.0.1" or "127.0.0.1:5353"'))
  .refine(isDnsServer, mend('write a resolver such as "127.0.0.1", "127.0.0.1:5353" or "[::1]:5353"'))
export const mechanism = z
  .string(mend('write an SPF mechanism such as ip4:192.0.2.1 or include:spf.example.jp'))
  .refine(
    isMechanism,
    mend('write an SPF mechanism such as ip4:192.0.2.1 or include:spf.example.jp, without qualifier'),
  )

/** Part of a wait by which it is spread. */
export const jitter = z
  .number(mend('write a number from 0 to 0.5'))
  .min(0, mend('write a number from 0 to 0.5'))
  .max(0.5, mend('write a number from 0 to 0.5'))
/** Part of a whole. */
export const share = z
  .number(mend('write a number from 0 to 1'))
  .min(0, mend('write a number from 0 to 1'))
  .max(1, mend('write a number from 0 to 1'))
export const waits = z.array(duration, mend('write a list of durations')).min(1, mend('name at least one duration'))

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== null
  } catch {
    return false
  }
}

/** RFC 7208 §5 without `all`, which has a key of its own, and `ptr`, which is not to be used. */
function isMechanism(text: string): boolean {
  const [, name = '', value = ''] = /^(ip4|ip6|include|a|mx|exists)(?:[:/](\S+))?$/i.exec(text) ?? []
  switch (name.toLowerCase()) {
    case 'ip4':
      return ipaddr.IPv4.isValidFourPartDecimal(value) || ipaddr.IPv4.isValidCIDR(value)
    case 'ip6':
      return ipaddr.IPv6.isValid(value) || ipaddr.IPv6.isValidCIDR(value)
    case 'include':
    case 'exists':
      return value !== ''
    default:
      return name !== ''
  }
}

function isDnsServer(text: string): boolean {
  const [, bracketed, plain, portText] = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]]+?))(?::(\d{1,5}))?$/.exec(text) ?? []
  if (ipaddr.isValid(text)) return true
  return ipaddr.isValid(bracketed ?? plain ?? '') && (portText === undefined || Number(portText) < 65536)
}
