/**
 * Reads a list of mailboxes as it stands in From and Sender (RFC 5322 §3.4, RFC 6532), so strictly that nobody can
 * read another address from the same bytes.
 *
 * Fails by answering `problem`, a clause fit for a reply. Refused on purpose although RFC 5322 knows them: groups
 * (RFC 6854), source routes, comments or spaces inside an address, empty list members: readers disagree on them.
 * What a careless reader could take for an address (in a display name, an encoded word or a comment) is listed in
 * `hidden`, for the caller to judge. See "Composition Kills" (Chen, Paxson, Jiang 2020) for who reads what.
 */
import { isUtf8 } from 'node:buffer'
import { domainToUnicode } from 'node:url'
import { domainOf, localPartOf, parseMailbox } from './address.ts'
import { decodeWords } from './encoded-word.ts'
import type { Mailbox } from './ids.ts'

export type AddressList =
  | { readonly mailboxes: readonly Mailbox[]; readonly hidden: readonly string[] }
  | { readonly problem: string }

type TokenKind = 'atom' | 'quoted' | 'special' | 'literal'

interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** White space or a comment stands before it. */
  readonly gap: boolean
}

class Unreadable extends Error {}

/** Specials with a meaning of their own (RFC 5322 §3.2.3); every other special is an error where it stands alone. */
const specials = new Set('<>,;:@.')
const atom = /[^\x00-\x20\x7f()<>[\]:;@\\,."]+/y
const quoted = /"((?:[^"\\]|\\.)*)"/sy
const literal = /\[[^[\]\\]*\]/y
/** Control characters, C1 controls, line and paragraph separators: some reader ends a line there. */
const controls = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/

/** `value`: an unfolded field value, one character per octet (`unfoldedValue` in header.ts). */
export function parseAddressList(value: string): AddressList {
  try {
    const text = decodeUtf8(value)
    const hidden: string[] = []
    const mailboxes = new Reader(tokensOf(text, hidden), hidden).list()
    return { mailboxes, hidden }
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message }
    throw error
  }
}

function decodeUtf8(value: string): string {
  const octets = Buffer.from(value, 'latin1')
  if (!isUtf8(octets)) throw new Unreadable('it holds bytes that are not UTF-8; write the name as an encoded word')
  const text = octets.toString('utf8')
  if (controls.test(text)) throw new Unreadable('it holds a control character')
  return text
}

function tokensOf(text: string, hidden: string[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const next = skipGap(text, at, hidden)
    if (next >= text.length) break
    const token = tokenAt(text, next, next > at)
    tokens.push(token)
    at = next + token.text.length
  }
  return tokens
}

function tokenAt(text: string, at: number, gap: boolean): Token {
  const sign = text[at]!
  if (specials.has(sign)) return { kind: 'special', text: sign, gap }
  const word = matchAt(atom, text, at)
  if (word !== null) return { kind: 'atom', text: word, gap }
  if (sign === '"') {
    const string = matchAt(quoted, text, at)
    if (string === null) throw new Unreadable('a quotation mark is not closed')
    return { kind: 'quoted', text: string, gap }
  }
  const domainLiteral = matchAt(literal, text, at)
  if (domainLiteral === null) throw new Unreadable(`the character ${sign} has no meaning where it stands`)
  return { kind: 'literal', text: domainLiteral, gap }
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? null
}

/** Skips white space and comments (CFWS, RFC 5322 §3.2.2); an address in a comment is remembered. */
function skipGap(text: string, start: number, hidden: string[]): number {
  let at = start
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at++
    if (text[at] !== '(') return at
    const end = endOfComment(text, at)
    hidden.push(...addressesIn(decodeWords(text.slice(at, end))))
    at = end
  }
}

function endOfComment(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (sign === '(') depth++
    else if (sign === ')' && --depth === 0) return at + 1
  }
  throw new Unreadable('a comment is not closed')
}

class Reader {
  readonly #tokens: readonly Token[]
  readonly #hidden: string[]
  #at = 0

  constructor(tokens: readonly Token[], hidden: string[]) {
    this.#tokens = tokens
    this.#hidden = hidden
  }

  list(): Mailbox[] {
    if (this.#tokens.length === 0) throw new Unreadable('it is empty')
    const mailboxes = [this.#mailbox()]
    while (this.#take(',')) mailboxes.push(this.#mailbox())
    if (this.#at < this.#tokens.length)
      throw new Unreadable(`${this.#tokens[this.#at]!.text} stands behind an address where a comma or the end should`)
    return mailboxes
  }

  /** `name <address>` or the bare address. */
  #mailbox(): Mailbox {
    const words = this.#words()
    if (this.#take('<')) {
      this.#hidden.push(...misleading(words))
      const address = this.#address(this.#words(), true)
      if (!this.#take('>', false)) throw new Unreadable('an angle bracket is not closed right behind the address')
      return address
    }
    if (this.#peek(':')) throw new Unreadable('it names a group instead of an address')
    return this.#address(words, false)
  }

  /** A display name, or a local part: which one shows the sign behind it. */
  #words(): Token[] {
    const words: Token[] = []
    for (let token = this.#tokens[this.#at]; token; token = this.#tokens[++this.#at]) {
      if (token.kind === 'literal' || (token.kind === 'special' && token.text !== '.')) break
      words.push(token)
    }
    return words
  }

  /** addr-spec (RFC 5322 §3.4.1) without spaces and comments inside. */
  #address(local: readonly Token[], inBrackets: boolean): Mailbox {
    if (local.length === 0) throw new Unreadable('there is no address where one should stand')
    if (!this.#take('@')) throw new Unreadable(`${joined(local)} is not an address`)
    const at = this.#tokens[this.#at - 1]!
    const domain = this.#domain()
    const inside = [...(inBrackets ? local : local.slice(1)), at, ...domain]
    if (inside.some(token => token.gap)) throw new Unreadable(`spaces or comments stand inside the address`)
    return toMailbox(joined(local), joined(domain))
  }

  #domain(): Token[] {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'literal') return this.#words()
    this.#at++
    return [token]
  }

  #peek(sign: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'special' && token.text === sign
  }

  #take(sign: string, gapAllowed = true): boolean {
    if (!this.#peek(sign) || (!gapAllowed && this.#tokens[this.#at]!.gap)) return false
    this.#at++
    return true
  }
}

function joined(tokens: readonly Token[]): string {
  return tokens.map(token => token.text).join('')
}

function toMailbox(localPart: string, domain: string): Mailbox {
  const text = `${localPart}@${domain}`
  const address = parseMailbox(text)
  if (address === null || domain.endsWith('.')) throw new Unreadable(`${text} is not a mailbox`)
  if (localPart.includes('=?')) throw new Unreadable(`${text} holds an encoded word inside the address`)
  if (!readsTheSame(domain, domainOf(address))) throw new Unreadable(`${domain} is not written as registered`)
  return withoutNeedlessQuotes(address)
}

/** A domain beyond ASCII must be the U-label of its A-label: mapped look-alikes are read differently (RFC 5895). */
function readsTheSame(written: string, ascii: string): boolean {
  const bare = written.toLowerCase()
  return bare === ascii || domainToUnicode(ascii) === bare.normalize('NFC')
}

/** `"sales"@x` and `sales@x` are the same mailbox (RFC 5321 §4.1.2). */
export function withoutNeedlessQuotes(address: Mailbox): Mailbox {
  const localPart = localPartOf(address)
  if (!localPart.startsWith('"')) return address
  const bare = `${localPart.slice(1, -1).replace(/\\(.)/g, '$1')}@${domainOf(address)}`
  return bare.startsWith('"') ? address : (parseMailbox(bare) ?? address)
}

/**
 * Addresses in a display name that some reader could take for the real one: in angle brackets, or in an encoded word
 * together with a sign that ends an address once decoded. A plain `"taro@example.com" <…>` misleads no parser.
 */
function misleading(words: readonly Token[]): string[] {
  const written = words
    .map(({ kind, text, gap }) => `${gap ? ' ' : ''}${kind === 'quoted' ? text.slice(1, -1) : text}`)
    .join('')
  const text = decodeWords(written.replace(/\\(.)/g, '$1'))
  if (controls.test(text)) throw new Unreadable('its display name holds an encoded control character')
  const decoded = text !== written
  return (decoded ? /[<>,;]/ : /[<>]/).test(text) ? addressesIn(text) : []
}

/** Split first, so that a long word costs no more than its length. */
function addressesIn(text: string): string[] {
  return text.split(/[\s<>()"',;:]+/).filter(word => /.@./.test(word))
}
