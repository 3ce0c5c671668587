/**
 * Records of the sandbox's zone as they are typed: `TXT` and a text, `MX` and `10 host`.
 *
 * Addresses must be on loopback: mail follows them, and nothing leaves the sandbox. Names and numbers must fit a DNS
 * message, or the name server could not answer. Fails by returning null.
 */
import { isIPv4 } from 'node:net'
import { isAskable } from '../dns/wire.ts'
import type { ZoneEntry } from '../dns/zone.ts'
import type { DomainName } from '../mail/ids.ts'

export const recordTypes = ['A', 'AAAA', 'MX', 'TXT', 'CNAME', 'NS', 'PTR'] as const
export type RecordType = (typeof recordTypes)[number]

/** All records of one type of a name. */
export function readRecord(type: string, values: readonly string[]): ZoneEntry | null {
  if (values.length === 0) return null
  switch (type) {
    case 'TXT':
      return { TXT: values }
    case 'A':
      return values.every(value => /^127\./.test(value) && isIPv4(value)) ? { A: values } : null
    case 'AAAA':
      return values.every(value => value === '::1') ? { AAAA: values } : null
    case 'MX':
      return readExchanges(values)
    case 'CNAME':
      return values.length === 1 && values.every(isHost) ? { CNAME: hostOf(values[0]!) } : null
    case 'NS':
    case 'PTR':
      return values.every(isHost) ? { [type]: values.map(hostOf) } : null
    default:
      return null
  }
}

/** `10 mx.example.jp`, and `0 .` for the null MX (RFC 7505). */
function readExchanges(values: readonly string[]): ZoneEntry | null {
  const matches = values.map(value => /^(\d{1,5})\s+(\S+)$/.exec(value))
  if (!matches.every(match => match !== null)) return null
  const fit = matches.every(([, preference, exchange]) => Number(preference) <= 65_535 && isExchange(exchange!))
  if (!fit) return null
  return { MX: matches.map(([, preference, exchange]) => [Number(preference), hostOf(exchange!)] as const) }
}

function isHost(text: string): boolean {
  return isAskable(hostOf(text))
}

function isExchange(text: string): boolean {
  return text === '.' || isHost(text)
}

function hostOf(text: string): DomainName {
  return text.toLowerCase().replace(/\.$/, '')
}
