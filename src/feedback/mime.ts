/**
 * Takes a mail apart into its parts (RFC 2045, RFC 2046), as far as reports need it.
 *
 * Bounded on every side, since anybody may send anything: parts, depth, header octets, decoded text. What lies beyond a
 * bound is left out and never an error; the time is linear in the mail. Attached mails are not entered: a bounce inside a
 * bounce is nobody's bounce.
 */
import { Fields, type Parameterised, parameterised, readFields } from './fields.ts'

export interface Part {
  readonly fields: Fields
  readonly contentType: Parameterised
  /** As it came, LF line ends, Latin-1. */
  readonly body: string
  /** Of a multipart. */
  readonly parts: readonly Part[]
}

const maxDepth = 5
const maxParts = 40
const maxHeader = 128 * 1024
/** A bounce says what it has to say long before. */
const maxText = 48 * 1024

export function readMail(content: Buffer): Part {
  const text = content.toString('latin1').replace(/\r\n?/g, '\n')
  return readPart(text.startsWith('From ') ? text.slice(text.indexOf('\n') + 1) : text, 0, { left: maxParts })
}

/** The part itself and all below it, in order. */
export function* partsOf(part: Part): Generator<Part> {
  yield part
  for (const inner of part.parts) yield* partsOf(inner)
}

/** What people read of a text part, decoded. */
export function textOf(part: Part): string {
  const octets = decodedBody(part, maxText)
  const plain = decodeCharset(octets, part.contentType.parameters.charset).replace(/\r\n?/g, '\n')
  return part.contentType.value === 'text/html' ? withoutTags(plain) : plain
}

/** The body without its transfer encoding, at most so many octets of it, as Latin-1 with LF line ends. */
export function plainBody(part: Part): string {
  return decodedBody(part, maxText).toString('latin1').replace(/\r\n?/g, '\n')
}

/** The header of a mail that is attached, whole or without its body. */
export function attachedHeader(part: Part): Fields {
  const body = decodedBody(part, maxHeader).toString('latin1').replace(/\r\n?/g, '\n').replace(/^\n+/, '')
  return readFields(headerOf(body))
}

function readPart(text: string, depth: number, parts: { left: number }): Part {
  const header = headerOf(text)
  const fields = text.startsWith('\n') ? new Fields(new Map()) : readFields(header)
  const contentType = parameterised(fields.first('content-type') ?? 'text/plain')
  const body = text.startsWith('\n') ? text.slice(1) : text.slice(header.length + 2)
  const { boundary } = contentType.parameters
  const isMultipart = contentType.value.startsWith('multipart/') && boundary !== undefined && depth < maxDepth
  return { fields, contentType, body, parts: isMultipart ? readParts(body, boundary, depth, parts) : [] }
}

function readParts(body: string, boundary: string, depth: number, parts: { left: number }): Part[] {
  const found: Part[] = []
  for (const piece of piecesOf(body, boundary)) {
    if (parts.left-- <= 0) break
    found.push(readPart(piece, depth + 1, parts))
  }
  return found
}

/** Between delimiter lines (RFC 2046 §5.1.1); the last one need not be there: the mail may have been cut. */
function* piecesOf(body: string, boundary: string): Generator<string> {
  const text = `\n${body}`
  let start: number | null = null
  for (const { from, to, closes } of delimitersOf(text, boundary)) {
    if (start !== null) yield text.slice(start, Math.max(start, from))
    if (closes) return
    start = to
  }
  if (start !== null) yield text.slice(start)
}

/** Each from its line end to behind the line; one that is only the beginning of another boundary is none. */
function* delimitersOf(text: string, boundary: string): Generator<{ from: number; to: number; closes: boolean }> {
  const delimiter = `\n--${boundary}`
  for (let from = text.indexOf(delimiter); from !== -1; from = text.indexOf(delimiter, from + 1)) {
    const behind = from + delimiter.length
    const lineEnd = text.indexOf('\n', behind)
    const to = lineEnd === -1 ? text.length : lineEnd + 1
    const rest = text.slice(behind, Math.min(to, behind + 100)).trim()
    if (rest === '' || rest === '--') yield { from, to, closes: rest === '--' }
  }
}

function headerOf(text: string): string {
  const end = text.indexOf('\n\n')
  return text.slice(0, Math.min(end === -1 ? text.length : end, maxHeader))
}

function decodedBody({ fields, body }: Part, limit: number): Buffer {
  const encoding = fields.first('content-transfer-encoding')?.toLowerCase() ?? ''
  if (encoding.startsWith('base64')) return Buffer.from(body.slice(0, limit * 2), 'base64').subarray(0, limit)
  const raw = body.slice(0, encoding.startsWith('quoted-printable') ? limit * 3 : limit)
  if (!encoding.startsWith('quoted-printable')) return Buffer.from(raw, 'latin1')
  const plain = raw
    .replace(/=[ \t]{0,80}\n/g, '')
    .replace(/=([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain.slice(0, limit), 'latin1')
}

/** Undeclared text is taken for what it looks like: ISO-2022-JP has its escapes, UTF-8 its shape. */
function decodeCharset(octets: Buffer, charset: string | undefined): string {
  const declared = charset?.toLowerCase().trim()
  const hasEscapes = octets.includes('\x1b$', 0, 'latin1')
  if (hasEscapes && (declared === undefined || declared === 'us-ascii' || declared === 'utf-8'))
    return decoded(octets, 'iso-2022-jp')
  if (declared !== undefined && declared !== 'us-ascii') return decoded(octets, declared)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}

function decoded(octets: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}

/** Enough for rules that look for sentences. */
function withoutTags(html: string): string {
  return html
    .replace(/<(?:br|\/p|\/div|\/tr|\/li|\/h\d)[^<>]{0,200}>/gi, '\n')
    .replace(/<[^<>]{0,2000}>/g, ' ')
    .replace(/&(lt|gt|amp|quot|nbsp|#39);/g, (_, name: string) => entities[name] ?? ' ')
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', '#39': "'" }
