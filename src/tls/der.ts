/**
 * Reads DER (ITU-T X.690) as far as certificates need it: elements with short tags and definite lengths.
 *
 * Strict, because what a lax reader passes over may be a limit. Throws for anything else; pure.
 */
export interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** The elements that stand in a row; what a constructed one holds is read the same way. */
export function elementsOf(der: Buffer): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < der.length; ) {
    const tag = octet(der, at)
    if ((tag & 0x1f) === 0x1f) throw new RangeError('a tag of several octets')
    const { length, start } = lengthAt(der, at + 1)
    if (start + length > der.length) throw new RangeError('an element ends behind its content')
    elements.push({ tag, content: der.subarray(start, start + length) })
    at = start + length
  }
  return elements
}

/** X.690 §8.1.3; 0x80 would be an indefinite length, which DER doesn't have (§10.1). */
function lengthAt(der: Buffer, at: number): { readonly length: number; readonly start: number } {
  const first = octet(der, at)
  if (first < 0x80) return { length: first, start: at + 1 }
  const octets = first & 0x7f
  if (octets === 0 || octets > 4 || at + 1 + octets > der.length) throw new RangeError('a length that is none')
  return { length: der.readUIntBE(at + 1, octets), start: at + 1 + octets }
}

function octet(der: Buffer, at: number): number {
  if (at >= der.length) throw new RangeError('an element without end')
  return der[at]!
}
