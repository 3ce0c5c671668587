/**
 * Expands the macros of an SPF domain-spec for one sender (RFC 7208 §7), so that a walk can follow `include:%{d}.example`.
 *
 * Fails by returning null where the text is no macro-string, or needs the sender's reverse name (`%{p}`).
 */
import ipaddr from 'ipaddr.js'
import type { DomainName, HostName } from '../../mail/ids.ts'

export interface MacroValues {
  /** The domain whose record is read. */
  readonly domain: DomainName
  /** The domain of the sender. */
  readonly sender: DomainName
  readonly ip: string
  readonly helo: HostName
}

const macro = /%(?:\{([a-z])(\d*)(r?)([.\-+,/_=]*)\}|([%_-])|(.?))/gi
const literals: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' }

export function expandMacros(text: string, values: MacroValues): string | null {
  let failed = false
  const expanded = text.replace(macro, (_, letter, digits, reverse, delimiters, literal) => {
    if (literal !== undefined) return literals[literal]!
    const value = letter === undefined ? null : letterValue(letter.toLowerCase(), values)
    if (value === null) failed = true
    return value === null ? '' : transformed(value, Number(digits || 0), reverse !== '', delimiters || '.')
  })
  return failed ? null : expanded.toLowerCase().replace(/\.$/, '')
}

function letterValue(letter: string, { domain, sender, ip, helo }: MacroValues): string | null {
  switch (letter) {
    case 's':
      return `postmaster@${sender}`
    case 'l':
      return 'postmaster'
    case 'o':
      return sender
    case 'd':
      return domain
    case 'i':
      return dotted(ip)
    case 'v':
      return ip.includes(':') ? 'ip6' : 'in-addr'
    case 'h':
      return helo
    default:
      return null
  }
}

/** RFC 7208 §7.3: IPv6 as nibbles with dots between. */
function dotted(ip: string): string {
  if (!ip.includes(':')) return ip
  return [...Buffer.from(ipaddr.parse(ip).toByteArray()).toString('hex')].join('.')
}

function transformed(value: string, keep: number, isReversed: boolean, delimiters: string): string {
  const parts = value.split(new RegExp(`[${delimiters.replace(/[-\]\\^]/g, '\\$&')}]`))
  const ordered = isReversed ? parts.toReversed() : parts
  return ordered.slice(keep === 0 ? 0 : -keep).join('.')
}
