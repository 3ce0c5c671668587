/**
 * What was said on a connection, kept for those who ask why an attempt failed.
 *
 * Texts are kept as they were written or read and cut into lines only when somebody looks, which is after a failure.
 * What came while the session was set up stays as long as the connection, the rest as long as its transaction. Credentials
 * and content are never handed in. Bounded; never fails.
 */
type Direction = '>' | '<' | '!'

/** A transaction of 100 recipients says 200 lines; the first and the last tell the story. */
const mostTexts = 300
const mostLines = 40
const longestLine = 300

export class Conversation {
  #setup: string[] = []
  /** Direction and text in turn; what stands behind `#end` is of an earlier transaction. */
  #said: string[] = []
  #end = 0

  add(direction: Direction, text: string): void {
    // The end counts more than the middle.
    if (this.#end >= mostTexts) this.#end = mostTexts - 2
    this.#said[this.#end++] = direction
    this.#said[this.#end++] = text
  }

  /** The session is open: what was said so far belongs to each of its transactions. */
  open(): void {
    this.#setup = this.#said.slice(0, this.#end)
    this.#said = []
    this.#end = 0
  }

  /** Another transaction begins. */
  next(): void {
    this.#end = 0
  }

  /** `> MAIL FROM:<…>`, `< 250 ok`, `! dot: timeout: …`, in order; the middle of a long one is left out. */
  get lines(): readonly string[] {
    const lines = [...linesOf(this.#setup), ...linesOf(this.#said.slice(0, this.#end))]
    if (lines.length <= mostLines) return lines
    const half = mostLines / 2
    return [...lines.slice(0, half), '…', ...lines.slice(-half)]
  }
}

function linesOf(texts: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < texts.length; at += 2)
    for (const line of textOf(texts[at]!, texts[at + 1]!).split(/\r?\n/)) lines.push(`${texts[at]} ${shown(line)}`)
  return lines
}

/** A reply comes as one character per byte (RFC 6531 §3.7.4.2: UTF-8). */
function textOf(direction: string, text: string): string {
  const trimmed = text.trimEnd()
  return direction === '<' && /[^\x00-\x7f]/.test(trimmed) ? Buffer.from(trimmed, 'latin1').toString() : trimmed
}

/** Control characters of a host that means no good must not reach a terminal. */
function shown(line: string): string {
  const text = line.replace(/[\x00-\x1f\x7f-\x9f]/g, '?')
  return text.length > longestLine ? `${text.slice(0, longestLine)}…` : text
}
