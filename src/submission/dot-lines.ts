/**
 * Finds the end of the message in what follows 354 and takes the stuffed dots out (RFC 5321 §4.5.2).
 *
 * Only CRLF ends a line here: `<LF>.<CR><LF>` and its kin are content, so nobody can smuggle a second message past
 * us. Works inside the given chunk by moving bytes, never per byte and without a list of pieces, so that a message of
 * nothing but dots costs what any other does. smtp-server's own reader is a loop over bytes with one turn of the
 * event loop per stuffed dot.
 */

const lineDot = Buffer.from('\r\n.')
const cr = 0x0d
const lf = 0x0a

export interface DotLinesResult {
  /** Content of this chunk. */
  readonly content: Buffer
  /** What came behind the final dot; null: the message goes on. */
  readonly rest: Buffer | null
}

export class DotLines {
  /** The bytes at the end of the last chunk that only the next can explain. */
  #held: Buffer = Buffer.from('\r\n')
  /** The CRLF of the DATA command stands before the first line, so a dot may begin it; it is no content. */
  #atStart = true

  /** Overwrites `chunk`. */
  feed(chunk: Buffer): DotLinesResult {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    let kept = 0
    let from = 0
    for (let at = bytes.indexOf(lineDot); at !== -1; at = bytes.indexOf(lineDot, from)) {
      if (endsBehind(bytes, at))
        return { content: this.#content(bytes, kept, from, at + 2), rest: bytes.subarray(at + 5) }
      if (isUndecided(bytes, at)) return this.#hold(bytes, kept, from, at)
      kept = moved(bytes, kept, from, at + 2)
      from = at + 3
    }
    return this.#hold(bytes, kept, from, bytes.length - unfinishedLineEnd(bytes, from))
  }

  #hold(bytes: Buffer, kept: number, from: number, end: number): DotLinesResult {
    // A copy: the chunk is given away.
    const held = Buffer.from(bytes.subarray(end))
    const content = this.#content(bytes, kept, from, end)
    this.#held = held
    return { content, rest: null }
  }

  #content(bytes: Buffer, kept: number, from: number, end: number): Buffer {
    const length = moved(bytes, kept, from, end)
    const skipped = this.#atStart ? Math.min(2, length) : 0
    if (length > 0) this.#atStart = false
    return bytes.subarray(skipped, length)
  }
}

/** Moves [from, end) down to `kept`; answers where the kept bytes end now. */
function moved(bytes: Buffer, kept: number, from: number, end: number): number {
  if (kept !== from) bytes.copyWithin(kept, from, end)
  return kept + end - from
}

function endsBehind(bytes: Buffer, at: number): boolean {
  return bytes[at + 3] === cr && bytes[at + 4] === lf
}

/** `<CRLF>.` or `<CRLF>.<CR>` at the end of the chunk. */
function isUndecided(bytes: Buffer, at: number): boolean {
  return at + 3 === bytes.length || (bytes[at + 3] === cr && at + 4 === bytes.length)
}

/** How many of the last bytes may begin a `<CRLF>.`. */
function unfinishedLineEnd(bytes: Buffer, from: number): number {
  const length = bytes.length - from
  if (length >= 2 && bytes.at(-2) === cr && bytes.at(-1) === lf) return 2
  return length >= 1 && bytes.at(-1) === cr ? 1 : 0
}
