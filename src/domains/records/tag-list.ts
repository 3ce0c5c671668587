/**
 * Tag lists as DKIM and DMARC records have them (RFC 6376 §3.2, RFC 7489 §6.4): `v=DKIM1; k=rsa; p=…`.
 *
 * Fails by answering the piece that is no tag.
 */
export type TagList = { readonly tags: ReadonlyMap<string, string> } | { readonly problem: string }

/** RFC 6376 §2.8. What else looks like a space, such as the full-width one, is part of a value to every verifier. */
const aroundTag = /^[ \t\r\n]+|[ \t\r\n]+$/g

/** Tag names are case-sensitive; white space around names and values doesn't count. */
export function readTags(text: string): TagList {
  const tags = new Map<string, string>()
  const pieces = text.split(';').map(piece => piece.replace(aroundTag, ''))
  if (pieces.at(-1) === '') pieces.pop()
  for (const piece of pieces) {
    const [, name, value = ''] = /^([a-z][a-z0-9_]*)[ \t\r\n]*=[ \t\r\n]*([^;]*)$/i.exec(piece) ?? []
    // RFC 6376 §3.2: a tag that stands twice makes the whole list invalid.
    if (name === undefined || tags.has(name)) return { problem: piece.slice(0, 40) }
    tags.set(name, value)
  }
  return { tags }
}

/** RFC 6376 §3.6.1: values such as `h=sha1:sha256` are lists. */
export function listOf(value: string): string[] {
  return value.split(':').map(part => part.trim().toLowerCase())
}
