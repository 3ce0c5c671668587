/**
 * Judges what stands in DNS in the place of a DKIM key (RFC 6376 §3.6.1).
 *
 * By meaning: the text is read as a tag list and its key compared, so order, spaces and splitting don't matter. When it
 * doesn't fit, the slips of DNS panels and of copying are looked for, from the key we know: quotes, lost semicolons, `+`
 * turned into spaces, a text cut at 255 octets, its halves as two records.
 */
import { type JudgedKey, type Judgement, notPublished, published, withNote } from './record-kind.ts'
import { listOf, readTags } from './tag-list.ts'

/** One character-string (RFC 1035 §3.3.14): where panels that know no second one cut. */
const characterStringOctets = 255
/** Shorter pieces of a key would be found in any text. */
const tellingLength = 20

/** `keys`: all of the domain, to recognise an older one. */
export function judgeTexts(found: readonly string[], key: JudgedKey, keys: readonly JudgedKey[]): Judgement {
  // RFC 6376 §3.6.2.2: with several records under a selector the result is undefined.
  if (found.length > 1) return notPublished(severalReason(found, key), found, { count: String(found.length) })
  const text = found[0]!
  const judgement = judgeText(text, found, key, keys)
  if (judgement.state === 'published') return judgement
  return slipIn(text, found, key) ?? judgement
}

function judgeText(text: string, found: readonly string[], key: JudgedKey, keys: readonly JudgedKey[]): Judgement {
  const list = readTags(text)
  if ('problem' in list) return notPublished('syntax', found, { problem: list.problem })
  const { tags } = list
  const version = tags.get('v')
  // RFC 6376 §3.6.1: v= is optional, but must come first and be exactly DKIM1.
  if (version !== undefined && (version !== 'DKIM1' || [...tags.keys()][0] !== 'v'))
    return notPublished('syntax', found, { problem: `v=${version.slice(0, 40)}` })
  const data = tags.get('p')?.replace(/[ \t\r\n]+/g, '')
  if (data === undefined) return notPublished('syntax', found, { problem: 'p=' })
  if (data === '') return notPublished('revoked', found)
  const type = (tags.get('k') ?? 'rsa').toLowerCase()
  if (type !== key.algorithm) return notPublished('wrong-key-type', found, { type, expected: key.algorithm })
  return data === key.publicKey ? judgeRestrictions(tags, found) : judgeOtherKey(data, found, key, keys)
}

function judgeOtherKey(data: string, found: readonly string[], key: JudgedKey, keys: readonly JudgedKey[]): Judgement {
  if (isPart(data, key)) return cut(data, found, key)
  const older = keys.find(other => other !== key && other.publicKey === data)
  if (older) return notPublished('old-key', found, { selector: older.selector })
  // Form encoding reads a + as a space, which the key then lost.
  if (data === key.publicKey.replaceAll('+', '')) return notPublished('plus-lost', found)
  if (data.toLowerCase() === key.publicKey.toLowerCase()) return notPublished('case-changed', found)
  return notPublished('key-differs', found)
}

/** Tags that let a fitting key verify nothing, or only tell verifiers to be lenient. */
function judgeRestrictions(tags: ReadonlyMap<string, string>, found: readonly string[]): Judgement {
  const services = listOf(tags.get('s') ?? '*')
  if (!services.includes('*') && !services.includes('email'))
    return notPublished('wrong-service', found, { s: tags.get('s')! })
  const hashes = tags.get('h')
  if (hashes !== undefined && !listOf(hashes).includes('sha256'))
    return notPublished('hash-excluded', found, { h: hashes })
  // RFC 6376 §3.6.1: verifiers must not treat a testing domain's mail differently, but some do.
  return listOf(tags.get('t') ?? '').includes('y') ? withNote(published(found), 'note-testing') : published(found)
}

/** What became of our value on its way into the zone. */
function slipIn(text: string, found: readonly string[], key: JudgedKey): Judgement | null {
  if (/["“”]/.test(text)) return notPublished('quotes', found)
  if (/\\/.test(text)) return notPublished('backslashes', found)
  if (/[^\x00-\x7f]/.test(text)) return notPublished('full-width', found)
  const compact = text.replace(/\s+/g, '')
  // The text after a cut at 255 octets, without what came before.
  if (compact.length >= tellingLength && isPart(compact, key)) return cut(compact, found, key)
  const isRunTogether = /DKIM1\s*[,:]?\s*[kp]=|(?:rsa|ed25519)\s*[,:]?\s*p=/i.test(text)
  return isRunTogether && compact.includes(`p=${key.publicKey}`) ? notPublished('semicolons-lost', found) : null
}

function cut(data: string, found: readonly string[], { publicKey }: JudgedKey): Judgement {
  const judgement = notPublished('truncated', found, { length: String(data.length), full: String(publicKey.length) })
  return found[0]!.length === characterStringOctets ? withNote(judgement, 'note-255') : judgement
}

/** The beginning or the end of the key. */
function isPart(data: string, { publicKey }: JudgedKey): boolean {
  return publicKey.startsWith(data.replace(/=+$/, '')) || publicKey.endsWith(data)
}

/** The two strings of one record, entered as two records. */
function severalReason(found: readonly string[], { publicKey }: JudgedKey): 'split-records' | 'several-keys' {
  const joined = [found, found.toReversed()].map(texts => texts.join('').replace(/[\s"]+/g, ''))
  const isWhole = found.some(text => text.replace(/\s+/g, '').includes(publicKey))
  return !isWhole && joined.some(text => text.includes(publicKey)) ? 'split-records' : 'several-keys'
}
