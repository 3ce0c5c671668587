/**
 * One record in the forms people need it in: in one line, in strings of a zone file, with its host name full and short.
 *
 * Fails with nothing. What can't stand in a zone file as it is gets escaped (RFC 1035 §5.1).
 */
import type { DomainName } from '../mail/ids.ts'
import type { DnsRecord } from '../mail/sender-domain.ts'

export interface RecordForms {
  /** As most panels want it. */
  readonly line: string
  /** As zone files and some panels want it: strings of at most 255 octets in quotes; names with a final dot. */
  readonly zone: string
  /** TXT: the strings without quotes, for panels and tools with a field for each; others: the value alone. */
  readonly strings: readonly string[]
  readonly host: {
    readonly full: DomainName
    /** Below the zone; `@` is the zone itself. */
    readonly short: string
  }
  /** The whole record for a zone file, with the full name, so that it means the same wherever it is put. */
  readonly zoneLine: string
}

/** Seconds: soon enough to mend a slip, and what most panels offer. */
export const recordTtl = 3600
/** Octets (RFC 1035 §3.3). */
const longestString = 255

export function recordForms(record: Pick<DnsRecord, 'type' | 'name' | 'value'>, zone: DomainName): RecordForms {
  const { type, name, value } = record
  const data = zoneData(record)
  return {
    line: value,
    zone: data,
    strings: type === 'TXT' ? stringsOf(value).map(string => string.toString()) : [value],
    host: { full: name, short: name === zone ? '@' : hostIn(zone, name) },
    zoneLine: data === '' ? '' : `${name}. ${recordTtl} IN ${type} ${data}`,
  }
}

/** A name outside the zone stays whole. */
export function hostIn(zone: DomainName, name: DomainName): string {
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : name
}

/** A text as character-strings in quotes. */
export function quotedStrings(text: string): string {
  return stringsOf(text)
    .map(string => `"${escaped(string)}"`)
    .join(' ')
}

function zoneData({ type, value }: Pick<DnsRecord, 'type' | 'value'>): string {
  if (value === '') return ''
  return type === 'TXT' ? quotedStrings(value) : `${value.replace(/\.$/, '')}.`
}

/** Cut by octets: the limit is theirs, and a character of several may end up in two strings. */
function stringsOf(text: string): Buffer[] {
  const octets = Buffer.from(text)
  const count = Math.max(1, Math.ceil(octets.length / longestString))
  return Array.from({ length: count }, (_, at) => octets.subarray(at * longestString, (at + 1) * longestString))
}

/** Octets that are no printable ASCII as `\DDD`. */
function escaped(octets: Buffer): string {
  return octets
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, octet => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`)
}
