/**
 * A header block as its fields, for signing: linear in its length, nothing decoded.
 *
 * mailauth's own reader takes quadratic time on folded lines (80,000 folds hold the event loop for seconds).
 */

export interface HeaderField {
  /** As it stands, without the white space the obsolete syntax allows before the colon (RFC 5322 §4.5). */
  readonly name: string
  /** The whole field in latin1, folds included, without its final CRLF. */
  readonly line: string
}

const space = 0x20
const tab = 0x09

/** `block`: latin1, lines ended by CRLF, up to the first empty line. Lines without a colon belong to no field. */
export function headerFields(block: string): HeaderField[] {
  const fields: HeaderField[] = []
  for (let start = 0; start < block.length; ) {
    let end = block.indexOf('\r\n', start)
    while (end !== -1 && isFold(block.charCodeAt(end + 2))) end = block.indexOf('\r\n', end + 2)
    if (end === -1) end = block.length
    const line = block.slice(start, end)
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon > 0) fields.push({ name: line.slice(0, colon).trimEnd(), line })
    start = end + 2
  }
  return fields
}

function isFold(code: number): boolean {
  return code === space || code === tab
}
