/**
 * The content of one message as it comes in at the sink: finds its end, undoes dot-stuffing, keeps or only hashes it.
 */
import { createHash } from 'node:crypto'

/** Takes bytes up to the final dot, undoing dot-stuffing. */
export class SinkContent {
  readonly #keep: boolean
  readonly #hash = createHash('sha256')
  readonly #kept: Buffer[] = []
  /** Bytes that could be the start of the end. */
  #held: Buffer = Buffer.from('\r\n')
  #tail: Buffer = Buffer.alloc(0)
  #atStart = true
  size = 0

  constructor(keep: boolean) {
    this.#keep = keep
  }

  /** What follows the final dot; null: it has not come yet. */
  push(chunk: Buffer): Buffer | null {
    const bytes = Buffer.concat([this.#held, chunk])
    const end = bytes.indexOf('\r\n.\r\n')
    if (end !== -1) {
      this.#add(bytes.subarray(0, end + 2))
      return bytes.subarray(end + 5)
    }
    const safe = Math.max(bytes.length - 4, 0)
    this.#add(bytes.subarray(0, safe))
    this.#held = Buffer.from(bytes.subarray(safe))
    return null
  }

  bytes(): Buffer {
    return Buffer.concat(this.#kept)
  }

  sha256(): string {
    return this.#hash.digest('hex')
  }

  /** Undoes stuffing with the two bytes before the chunk in sight. */
  #add(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#tail, chunk])
    let start = this.#tail.length
    for (let at = bytes.indexOf('\r\n.'); at !== -1; at = bytes.indexOf('\r\n.', at + 3)) {
      if (at + 2 < this.#tail.length) continue
      this.#emit(bytes.subarray(start, at + 2))
      start = at + 3
    }
    this.#emit(bytes.subarray(start))
    this.#tail = Buffer.from(bytes.subarray(Math.max(bytes.length - 2, 0)))
  }

  /** The CRLF that stood before the first byte is no content. */
  #emit(bytes: Buffer): void {
    const content = this.#atStart ? bytes.subarray(2) : bytes
    if (bytes.length > 0) this.#atStart = false
    this.size += content.length
    this.#hash.update(content)
    if (this.#keep) this.#kept.push(Buffer.from(content))
  }
}
