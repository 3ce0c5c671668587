/**
 * Reads a header block into its fields (RFC 5322 §2.2) without changing a byte.
 *
 * Expects CRLF line ends only: normalise first, so that what is judged is what recipients see. Never fails: reading
 * stops at the first line that is no field, and `length` says where. Offsets are octets (the text is Latin-1), so a
 * caller can cut the original bytes.
 */

export interface HeaderField {
  /** Lower case, without the white space that obsolete syntax allows before the colon (RFC 5322 §4.5.1). */
  readonly name: string
  /** From the first octet of the name … */
  readonly start: number
  /** … to behind the CRLF of its last line. */
  readonly end: number
  /** Behind the colon. */
  readonly valueStart: number
  /** Some readers take `From :` for a field and some do not. */
  readonly spaceBeforeColon: boolean
}

export interface HeaderBlock {
  /** The octets as Latin-1. */
  readonly text: string
  readonly fields: readonly HeaderField[]
  /** Octets that are fields; less than the block when a line in it is none. */
  readonly length: number
}

/** ftext (RFC 5322 §3.6.8), then obsolete white space. */
const fieldName = /^([\x21-\x39\x3b-\x7e]+)([ \t]*)$/

/** `bytes`: complete lines, each ended by CRLF, without the empty line behind them. Reads `maxFields` at most. */
export function readHeader(bytes: Buffer, maxFields = Number.POSITIVE_INFINITY): HeaderBlock {
  const text = bytes.toString('latin1')
  const fields: HeaderField[] = []
  let start = 0
  while (start < text.length && fields.length < maxFields) {
    const end = endOfField(text, start)
    const field = readField(text, start, end)
    if (field === null) break
    fields.push(field)
    start = end
  }
  return { text, fields, length: start }
}

/** All fields of that (lower case) name, in order. */
export function fieldsNamed(header: HeaderBlock, name: string): readonly HeaderField[] {
  return header.fields.filter(field => field.name === name)
}

/** The unfolded value (RFC 5322 §2.2.3), still Latin-1: one character per octet. */
export function unfoldedValue(header: HeaderBlock, field: HeaderField): string {
  const value = header.text.slice(field.valueStart, field.end - 2)
  return value.includes('\r') ? value.replaceAll('\r\n', '') : value
}

/** Behind the CRLF that no white space follows: a folded field goes on on the next line. */
function endOfField(text: string, start: number): number {
  let end = start
  do {
    const crlf = text.indexOf('\r\n', end)
    if (crlf === -1) return text.length
    end = crlf + 2
  } while (text[end] === ' ' || text[end] === '\t')
  return end
}

function readField(text: string, start: number, end: number): HeaderField | null {
  const colon = text.indexOf(':', start)
  if (colon === -1 || colon >= end) return null
  const [, name, space] = fieldName.exec(text.slice(start, colon)) ?? []
  if (name === undefined) return null
  return { name: name.toLowerCase(), start, end, valueStart: colon + 1, spaceBeforeColon: space !== '' }
}
