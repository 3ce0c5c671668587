/**
 * An SPF record as its terms (RFC 7208 §4.6.1, §5, §6), read and merged without asking DNS.
 *
 * Fails with nothing: a term that breaks the grammar is kept and marked, so that it can be shown.
 */
import ipaddr from 'ipaddr.js'

export type Qualifier = '+' | '-' | '~' | '?'

export interface SpfTerm {
  readonly kind: 'mechanism' | 'modifier' | 'invalid'
  /** As it stands. */
  readonly text: string
  /** Lower case: `include`, `redirect` … */
  readonly name: string
  /** After the colon, slash or equals sign; lower case, without trailing dot. */
  readonly value: string
  readonly qualifier: Qualifier
}

const lookupTerms = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect'])
const mechanism = /^([+\-?~]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:(:|\/)(.*))?$/i
const modifier = /^([a-z][a-z0-9\-_.]*)=(.*)$/i

/** RFC 7208 §4.5: the version stands first, followed by a space or the end. */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

export function readTerms(record: string): SpfTerm[] {
  return record.split(/\s+/).slice(1).filter(Boolean).map(readTerm)
}

export function readTerm(text: string): SpfTerm {
  const [, sign = '', mechanismName, separator, rest = ''] = mechanism.exec(text) ?? []
  if (mechanismName !== undefined) {
    const name = mechanismName.toLowerCase()
    const value = separator === '/' ? `/${rest}` : canonical(rest)
    const kind = isValid(name, separator, rest) ? 'mechanism' : 'invalid'
    return { kind, text, name, value, qualifier: (sign || '+') as Qualifier }
  }
  const [, modifierName, modifierValue = ''] = modifier.exec(text) ?? []
  if (modifierName !== undefined) {
    const name = modifierName.toLowerCase()
    const needsDomain = name === 'redirect' || name === 'exp'
    const kind = needsDomain && modifierValue === '' ? 'invalid' : 'modifier'
    return { kind, text, name, value: canonical(modifierValue), qualifier: '+' }
  }
  return { kind: 'invalid', text, name: '', value: '', qualifier: '+' }
}

/** Terms that count: nothing after `all` is read (RFC 7208 §5.1). */
export function effectiveMechanisms(terms: readonly SpfTerm[]): SpfTerm[] {
  const mechanisms = terms.filter(term => term.kind === 'mechanism')
  const all = mechanisms.findIndex(term => term.name === 'all')
  return all === -1 ? mechanisms : mechanisms.slice(0, all + 1)
}

export function allTerm(terms: readonly SpfTerm[]): SpfTerm | null {
  return terms.find(term => term.kind === 'mechanism' && term.name === 'all') ?? null
}

/** `redirect=` is ignored beside `all` (RFC 7208 §6.1). */
export function redirectTerm(terms: readonly SpfTerm[]): SpfTerm | null {
  if (allTerm(terms)) return null
  return terms.find(term => term.kind === 'modifier' && term.name === 'redirect') ?? null
}

/** RFC 7208 §4.6.4. */
export function needsLookup(term: SpfTerm): boolean {
  return term.kind !== 'invalid' && lookupTerms.has(term.name)
}

/** Whether a published term gives what the wanted mechanism asks for: the same thing, or a network around it. */
export function gives(term: SpfTerm, wanted: SpfTerm): boolean {
  if (term.kind !== 'mechanism' || term.qualifier !== '+' || term.name !== wanted.name) return false
  if (term.name === 'ip4' || term.name === 'ip6') return contains(term.value, wanted.value)
  return term.value === wanted.value
}

/** What makes two terms the same. RFC 7208 §6: redirect and exp may stand once only. */
export function keyOf({ name, value, qualifier }: SpfTerm): string {
  return name === 'redirect' || name === 'exp' ? name : `${qualifier}${name} ${value}`
}

/** RFC 7208 §7.1: a percent sign begins a macro, or stands for one of three characters. */
const brokenMacro = /%(?!\{[slodiphcrtv]\d*r?[.\-+,/_=]*\}|[%_-])/i

function isValid(name: string, separator: string | undefined, rest: string): boolean {
  if (brokenMacro.test(rest.replaceAll('%%', ''))) return false
  switch (name) {
    case 'all':
      return separator === undefined
    case 'include':
    case 'exists':
      return separator === ':' && rest !== ''
    case 'ip4':
    case 'ip6':
      return separator === ':' && network(rest)?.[0].kind() === (name === 'ip4' ? 'ipv4' : 'ipv6')
    default:
      return separator !== ':' || rest !== ''
  }
}

function canonical(value: string): string {
  return value.toLowerCase().replace(/\.$/, '')
}

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** RFC 7208 §5.6 without the octal and short forms that ipaddr.js would take. */
function network(text: string): Network | null {
  const [address = '', prefix, more] = text.split('/')
  const isWritten = address.includes(':') ? ipaddr.IPv6.isValid(address) : ipaddr.IPv4.isValidFourPartDecimal(address)
  if (!isWritten || more !== undefined) return null
  const parsed = ipaddr.parse(address)
  const longest = parsed.kind() === 'ipv4' ? 32 : 128
  if (prefix === undefined) return [parsed, longest]
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? [parsed, Number(prefix)] : null
}

function contains(outer: string, inner: string): boolean {
  const around = network(outer)
  const within = network(inner)
  if (!around || !within || around[0].kind() !== within[0].kind()) return false
  return within[1] >= around[1] && within[0].match(around as [ipaddr.IPv4, number])
}
