/**
 * The DKIM-Signature field as text (RFC 6376 §3.5): every tag but the value of b=, which comes last.
 *
 * No l= (it would let others append to the body), no x= (mail may wait in a queue for days), no z=.
 */
import type { DomainName, Instant } from '../mail/ids.ts'

export interface SignatureTags {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly canonicalization: string
  readonly domain: DomainName
  readonly selector: string
  readonly signedAt: Instant
  /** Names of the signed fields, in the order they are hashed. */
  readonly names: readonly string[]
  /** Base64. */
  readonly bodyHash: string
}

/** RFC 5322 §2.1.1: lines of at most 78 characters. */
const lineLength = 76
const signatureLine = 72

/** Ends with `b=`; append `foldedSignature`. */
export function unsignedField(tags: SignatureTags): string {
  const seconds = Math.floor(tags.signedAt / 1000)
  return [
    `DKIM-Signature: v=1; a=${tags.algorithm}; c=${tags.canonicalization};`,
    ` d=${tags.domain}; s=${tags.selector};`,
    ` t=${seconds}; bh=${tags.bodyHash};`,
    ` h=${foldedNames(tags.names)};`,
    ' b=',
  ].join('\r\n')
}

/** White space is allowed around the colons of h= … */
function foldedNames(names: readonly string[]): string {
  let text = names[0] ?? ''
  let column = text.length + 3
  for (const name of names.slice(1)) {
    column += name.length + 1
    const fold = column > lineLength
    if (fold) column = name.length + 3
    text += fold ? `:\r\n  ${name}` : `:${name}`
  }
  return text
}

/** … and anywhere in b=. */
export function foldedSignature(base64: string): string {
  let text = base64.slice(0, signatureLine)
  for (let at = signatureLine; at < base64.length; at += signatureLine)
    text += `\r\n  ${base64.slice(at, at + signatureLine)}`
  return text
}
