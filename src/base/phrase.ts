/**
 * Phrases: how a rule says what to look for in a text, and how a text is searched for them.
 *
 * A phrase is a row of words, without regard to letter case and punctuation: `user unknown`. In place of a word may stand
 * alternatives (`user|mailbox`), the beginning of a word (`blacklist*`), a mail address (`@`), or a gap (`*`) of up to `longestGap` words. What is
 * not written in words with spaces between, Japanese for one, is looked for as it stands.
 *
 * Regular expressions were considered: they can be made to run for ages by whoever writes the text, and operators get them
 * wrong. Here the work is bounded by the words of the text times those of the phrase, whatever either says.
 */

/** Words a gap may stand for: a name, an address and a few small words between. */
const longestGap = 8
/** Replies are shorter (`maxReplyText`); reports may quote a lot. */
const maxWords = 800
const maxCharacters = 6000

interface Choice {
  readonly words: readonly string[]
  /** Beginnings of words. */
  readonly stems: readonly string[]
}

export interface Phrase {
  /** Null: a gap. */
  readonly parts: readonly (Choice | null)[]
  /** Looked for as it stands; then there are no parts. */
  readonly verbatim: string | null
}

/** A text, read once for many phrases. */
export interface Words {
  readonly text: string
  readonly words: readonly string[]
  readonly places: ReadonlyMap<string, readonly number[]>
}

/** Answers the phrase, or what is wrong with it as a mend: `write …`. */
export function parsePhrase(text: string): Phrase | string {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return 'write the words to look for'
  if (/[^\x00-\x7f]/.test(wanted)) return { parts: [], verbatim: wanted }
  const parts = wanted.split(/\s+/).map(partOf)
  if (parts.includes(undefined))
    return 'write words of letters and digits only, an address as @, alternatives as a|b, beginnings as word*, a gap as *; punctuation is not compared'
  if (parts[0] === null || parts.at(-1) === null) return 'a gap (*) stands between words, not at the beginning or end'
  return { parts: parts as (Choice | null)[], verbatim: null }
}

/** Null: a gap; undefined: not to be understood. */
function partOf(part: string): Choice | null | undefined {
  if (part === '*') return null
  const choices = part.split('|')
  if (!choices.every(choice => /^(?:[a-z0-9]+\*?|@)$/.test(choice))) return undefined
  return {
    words: choices.filter(choice => !choice.endsWith('*')),
    stems: choices.filter(choice => choice.endsWith('*')).map(choice => choice.slice(0, -1)),
  }
}

/**
 * Mail addresses count as one word that fits nothing: whoever is called spam@example.com says nothing by it. An IPv4 address
 * counts as the word `ipv4`, a name that stands before it in brackets (`relay.example.jp[192.0.2.1]`) as nothing. Letters with marks count as those without: `boîte` is `boite`.
 */
export function readWords(text: string): Words {
  const lower = text.slice(0, maxCharacters).toLowerCase().replaceAll('’', "'")
  const words: string[] = []
  const places = new Map<string, number[]>()
  for (const chunk of withoutMarks(lower).replace(namedHost, '[').replace(ipv4, ' ipv4 ').split(/\s+/)) {
    if (words.length >= maxWords) break
    for (const word of wordsOf(chunk)) {
      const known = places.get(word)
      if (known === undefined) places.set(word, [words.length])
      else known.push(words.length)
      words.push(word)
    }
  }
  return { text: lower, words, places }
}

const ipv4 = /(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.]*\w)/g

const namedHost = /(?<![\w.-])[\w.-]{1,255}\[(?=\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\])/g

function withoutMarks(text: string): string {
  return /[\xc0-\u017f]/.test(text)
    ? text
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .replaceAll('ß', 'ss')
        .replaceAll('ł', 'l')
    : text
}

/** `doesn't` is one word, `e-mail` is email; everything else that is no letter or digit parts words. */
function wordsOf(chunk: string): string[] {
  if (isAddress(chunk)) return ['@']
  return (
    chunk
      .replaceAll("'", '')
      .replaceAll('e-mail', 'email')
      .match(/[a-z0-9]+/g) ?? []
  )
}

function isAddress(chunk: string): boolean {
  const at = chunk.indexOf('@')
  return at > 0 && at < chunk.length - 1 && !chunk.includes('://')
}

export function matches({ parts, verbatim }: Phrase, read: Words): boolean {
  if (verbatim !== null) return read.text.includes(verbatim)
  if (!parts.every(part => part === null || couldFit(part, read))) return false
  let ends: readonly number[] | null = null
  let gap = 0
  for (const part of parts) {
    if (part === null) {
      gap = longestGap
      continue
    }
    ends = placesAfter(placesOf(part, read), ends, gap)
    if (ends.length === 0) return false
    gap = 0
  }
  return true
}

/** Spares most phrases the search: one of their words is nowhere in the text. */
function couldFit({ words, stems }: Choice, { places }: Words): boolean {
  return stems.length > 0 || words.some(word => places.has(word))
}

function placesOf({ words, stems }: Choice, read: Words): readonly number[] {
  if (stems.length === 0 && words.length === 1) return read.places.get(words[0]!) ?? []
  const found: number[] = []
  for (const [place, word] of read.words.entries())
    if (words.includes(word) || stems.some(stem => word.startsWith(stem))) found.push(place)
  return found
}

/** Those of `places` that follow one of `before` at once, or after a gap. Both are in ascending order. */
function placesAfter(places: readonly number[], before: readonly number[] | null, gap: number): readonly number[] {
  if (before === null) return places
  let next = 0
  let last = Number.NEGATIVE_INFINITY
  return places.filter(place => {
    while (next < before.length && before[next]! < place) last = before[next++]!
    return place - last <= gap + 1
  })
}
