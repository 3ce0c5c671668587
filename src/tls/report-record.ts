/**
 * What a domain publishes at `_smtp._tls` about reports it wants (RFC 8460 §3).
 *
 * Read strictly: with no record, several, or one that breaks the syntax the domain wants none. Destinations are written by
 * strangers: a mail address, or an https address on the usual port, without a login; anything else is left out.
 * Fails with DnsTrouble.
 */
import type { Resolver } from '../dns/resolver.ts'
import { parseMailbox } from '../mail/address.ts'
import type { DomainName, Mailbox } from '../mail/ids.ts'

export type Destination =
  | { readonly kind: 'mailto'; readonly uri: string; readonly address: Mailbox }
  | { readonly kind: 'https'; readonly uri: string; readonly url: URL }

export interface RecordParts {
  readonly resolver: Pick<Resolver, 'txt'>
  readonly maxDestinations: number
  /** Any port, as in tests. */
  readonly anyPort: boolean
}

/** An address literal or anything else that is no name has no record. */
const hostName = /^[a-z0-9._-]+$/
const longestUri = 2000
const version = /^v=TLSRPTv1[ \t]*;/
/** ABNF tlsrpt-field: `rua`, or an extension, which is passed over. */
const field = /^([a-z0-9][a-z0-9_.-]{0,31})=([\x21-\x3a\x3c\x3e-\x7e][\x20-\x3a\x3c-\x7e]*)$/i

/** Empty: the domain wants no reports. */
export async function findDestinations(domain: DomainName, parts: RecordParts): Promise<readonly Destination[]> {
  if (!hostName.test(domain)) return []
  const { records } = await parts.resolver.txt(`_smtp._tls.${domain}`)
  const [record, ...more] = records.filter(text => version.test(text))
  return record === undefined || more.length > 0 ? [] : readRecord(record, parts)
}

export function readRecord(record: string, { maxDestinations, anyPort }: Omit<RecordParts, 'resolver'>): Destination[] {
  const fields = record
    .replace(version, '')
    .split(';')
    .map(text => text.trim())
  if (fields.at(-1) === '') fields.pop()
  const read = fields.map(text => field.exec(text))
  const uris = read.find(match => match?.[1]?.toLowerCase() === 'rua')?.[2]
  if (uris === undefined || read.includes(null)) return []
  const named = [...new Set(uris.split(',').map(uri => uri.trim()))]
  return named.flatMap(uri => readDestination(uri, anyPort) ?? []).slice(0, maxDestinations)
}

/** Null: not one that a report is sent to. */
export function readDestination(uri: string, anyPort: boolean): Destination | null {
  if (uri.length > longestUri) return null
  const [, mail] = /^mailto:([^?]+)/i.exec(uri) ?? []
  return mail === undefined ? readUrl(uri, anyPort) : readMailto(uri, mail)
}

/** RFC 6068 §2: percent-encoded; subjects and other wishes of the link are no concern of a report's. */
function readMailto(uri: string, text: string): Destination | null {
  const address = parseMailbox(decoded(text))
  return address === null ? null : { kind: 'mailto', uri, address }
}

function readUrl(uri: string, anyPort: boolean): Destination | null {
  if (!/^https:\/\//i.test(uri) || !URL.canParse(uri)) return null
  const url = new URL(uri)
  const isPlain = url.username === '' && url.password === '' && url.hostname !== ''
  return isPlain && (anyPort || url.port === '') ? { kind: 'https', uri, url } : null
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
