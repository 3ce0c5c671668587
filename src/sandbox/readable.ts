/**
 * A message as a person reads it: header fields decoded, and the first text part.
 *
 * Good enough for a page that shows what arrived; never fails: what can't be decoded is shown as it came.
 */
import { decodeWords } from '../mail/encoded-word.ts'

export interface Readable {
  /** In order, unfolded and decoded (RFC 2047). */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** The first text/plain part, else the text of the first text/html part. */
  readonly text: string
}

/** RFC 2046 sets no bound on nesting; nobody sends more to a person. */
const maxDepth = 8
/** A page that stays readable. */
const maxTextLength = 100_000
/** A header or a text longer than this is cut before it is looked at. */
const maxPartBytes = 1_000_000
/** In all; what a person reads stands in the first. */
const maxParts = 200

interface Part {
  readonly type: string
  readonly text: string
}

/** What may still be looked at. */
interface Budget {
  parts: number
}

export function readable(raw: Buffer): Readable {
  const { header, body } = split(raw)
  const parts = textParts(header, body, 0, { parts: maxParts })
  const part = parts.find(({ type }) => type === 'text/plain') ?? parts[0]
  const text = part?.type === 'text/html' ? withoutTags(part.text) : (part?.text ?? '')
  return { fields: fieldsOf(header), text: text.slice(0, maxTextLength) }
}

/** The decoded value of the first field of that name. */
export function fieldOf({ fields }: Readable, name: string): string {
  return fields.find(([given]) => given.toLowerCase() === name)?.[1] ?? ''
}

function split(raw: Buffer): { header: string; body: Buffer } {
  const end = raw.indexOf('\r\n\r\n')
  if (raw.subarray(0, 2).equals(Buffer.from('\r\n'))) return { header: '', body: raw.subarray(2) }
  const headerEnd = end === -1 ? raw.length : end
  return { header: decodeBytes(raw.subarray(0, Math.min(headerEnd, maxPartBytes))), body: raw.subarray(headerEnd + 4) }
}

function fieldsOf(header: string): [string, string][] {
  return header
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .filter(line => line.includes(':'))
    .map(line => [line.slice(0, line.indexOf(':')), decodeWords(line.slice(line.indexOf(':') + 1).trim())])
}

function textParts(header: string, body: Buffer, depth: number, budget: Budget): Part[] {
  const fields = fieldsOf(header)
  const field = (wanted: string) => fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? ''
  const contentType = field('content-type') || 'text/plain'
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  if (type.startsWith('multipart/') && depth < maxDepth) {
    return bodyParts(body, parameterOf(contentType, 'boundary'), budget).flatMap(part => {
      const inner = split(part)
      return textParts(inner.header, inner.body, depth + 1, budget)
    })
  }
  if (!type.startsWith('text/')) return []
  const bytes = decodeTransfer(body.subarray(0, maxPartBytes), field('content-transfer-encoding').toLowerCase())
  return [{ type, text: decodeBytes(bytes, parameterOf(contentType, 'charset') || 'utf-8') }]
}

/** RFC 2046 §5.1.1: what stands between the delimiter lines. */
function bodyParts(body: Buffer, boundary: string, budget: Budget): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`)
  const parts: Buffer[] = []
  let start = body.indexOf(delimiter)
  while (start !== -1 && boundary !== '' && budget.parts-- > 0) {
    const contentStart = body.indexOf('\r\n', start + delimiter.length)
    const end = body.indexOf(delimiter, start + delimiter.length)
    if (contentStart === -1 || end === -1) break
    parts.push(body.subarray(contentStart + 2, end - 2))
    start = end
  }
  return parts
}

function parameterOf(value: string, name: string): string {
  const [, quoted, plain] = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(value) ?? []
  return quoted ?? plain ?? ''
}

/** RFC 2045 §6. */
function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(bytes.toString('latin1'), 'base64')
  if (encoding !== 'quoted-printable') return bytes
  // White space behind the = was added on the way; the one before it is text.
  const unfolded = bytes.toString('latin1').replace(/=[ \t]*\r?\n/g, '')
  const plain = unfolded.replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}

/** UTF-8 unless told otherwise; ISO-2022-JP and Shift_JIS included (WHATWG encodings). */
function decodeBytes(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

/** A tag ends at the next sign of another: each is looked at once, whatever stands there. */
function withoutTags(html: string): string {
  return withoutUnseen(html)
    .replace(/<(?:br|\/p|\/div|\/tr|\/h\d|\/li)\b[^<>]*>/gi, '\n')
    .replace(/<[^<>]*>/g, '')
    .trim()
}

/** Without the elements that no reader shows; one that is never closed is no element. */
function withoutUnseen(html: string): string {
  const kept: string[] = []
  let from = 0
  let open: string | null = null
  for (const { 0: tag, 1: slash, 2: name, index } of html.matchAll(/<(\/?)(style|script|head)\b[^<>]*>/gi)) {
    if (open === null && slash === '') {
      kept.push(html.slice(from, index))
      open = name!.toLowerCase()
      from = index
    } else if (slash === '/' && name!.toLowerCase() === open) {
      open = null
      from = index + tag.length
    }
  }
  return kept.join('') + html.slice(from)
}
