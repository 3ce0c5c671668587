/**
 * Decodes the encoded words in a header value (RFC 2047), as leniently as the most careless reader would.
 *
 * For judging what people will see, not for display: words are decoded wherever they stand, inside quotation marks
 * too. What can't be decoded stays as it is; an unknown charset is read as Latin-1.
 */

const encodedWord = /=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=/g

export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  // White space between two encoded words is no text (RFC 2047 §6.2).
  return text
    .replace(/\?=\s+(?==\?)/g, '?=')
    .replace(encodedWord, (_, charset: string, encoding: string, word: string) => {
      const octets = encoding.toLowerCase() === 'b' ? Buffer.from(word, 'base64') : quotedPrintable(word)
      // RFC 2231 §5: a language may follow the charset.
      return decoded(octets, charset.replace(/\*.*$/, ''))
    })
}

function quotedPrintable(word: string): Buffer {
  const latin1 = word
    .replaceAll('_', ' ')
    .replace(/=([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}

function decoded(octets: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}
