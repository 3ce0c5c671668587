/**
 * Takes in the content of one message: bounds, line ends, header, then memory or spool.
 *
 * Small contents are collected and joined once. Beyond `inlineContentBytes` they stream to a spool file with
 * back-pressure, so that 30 MB × 50 connections cost no memory. A content that breaks a bound is read to its end, but no
 * longer kept (RFC 5321 §4.1.1.4 knows no reply before the final dot). Fails with SmtpError from `end` on; before
 * that it only remembers. `abort` throws everything away, at any moment.
 */
import { isAscii } from 'node:buffer'
import type { Config } from '../base/config.ts'
import type { Spool, SpoolFile } from '../store/spool.ts'
import type { NewContent } from '../store/store.ts'
import { LineEnds } from './line-ends.ts'
import { type NormalizedHeader, type SplitMessage, splitAtEmptyLine } from './normalize.ts'
import { replies, SmtpError } from './replies.ts'

/**
 * So much is gathered for one write: a write waits for its turn on the thread pool behind signatures, and in pieces as
 * sockets give them 30 MB waited 480 times.
 */
const writeBytes = 262_144

export interface ReceptionParts {
  readonly limits: Pick<
    Config['submission'],
    'maxMessageBytes' | 'maxHeaderBytes' | 'maxHeaderFieldBytes' | 'maxHeaderFields'
  >
  readonly inlineContentBytes: number
  readonly spool: Pick<Spool, 'create'>
  /** Edits a complete header block; a promise when something must be looked up for it. */
  readonly normalizeHeader: (block: Buffer) => NormalizedHeader | Promise<NormalizedHeader>
}

export interface ReceivedContent extends NormalizedHeader {
  /** Octets as stored. */
  readonly size: number
  readonly eightBit: boolean
}

export class Reception {
  readonly #parts: ReceptionParts
  readonly #lineEnds = new LineEnds()
  #received = 0
  #size = 0
  #eightBit = false
  /** Until the header is complete: its bytes so far; null from then on. */
  #block: HeaderCollector | null = new HeaderCollector()
  #header: NormalizedHeader | null = null
  #memory: Buffer[] = []
  /** Octets of `#memory`. */
  #gathered = 0
  #file: SpoolFile | null = null
  /** The first thing that went wrong; whatever comes after it is not kept. */
  #failure: unknown = null
  #aborted = false

  constructor(parts: ReceptionParts) {
    this.#parts = parts
  }

  /** Octets received so far. */
  get received(): number {
    return this.#received
  }

  /** A promise when the disk needs time: send nothing more until it resolves. Never rejects. */
  write(chunk: Buffer): Promise<void> | undefined {
    this.#received += chunk.length
    if (this.#received > this.#parts.limits.maxMessageBytes)
      this.#fail(new SmtpError(replies.messageTooBig(this.#parts.limits.maxMessageBytes)))
    if (this.#failure !== null || this.#aborted) return undefined
    return this.#keep(this.#lineEnds.feed(chunk))
  }

  /** Everything has come. */
  async end(): Promise<ReceivedContent> {
    await this.#keep(this.#lineEnds.end())
    if (this.#block !== null) await this.#completeHeader({ header: this.#block.bytes(), body: Buffer.alloc(0) })
    if (this.#failure !== null) throw this.#failure
    return { ...this.#header!, size: this.#size, eightBit: this.#eightBit }
  }

  /**
   * The content, for the store; a file is synced. It is the caller's then and no `abort` reaches it: when the store
   * fails to say whether it took a file, deleting it could lose mail. What stays over is for the store to sweep.
   */
  async content(): Promise<NewContent> {
    const file = this.#file
    if (file === null) return { kind: 'inline', bytes: joined(this.#memory) }
    await this.#write(file)
    const path = await file.commit()
    this.#file = null
    return { kind: 'file', path }
  }

  /** Forgets the content, at any moment. */
  abort(): void {
    this.#aborted = true
    this.#forget()
  }

  #keep(bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0 || this.#failure !== null) return undefined
    if (!this.#eightBit && !isAscii(bytes)) this.#eightBit = true
    return this.#block === null ? this.#store(bytes) : this.#collectHeader(this.#block, bytes)
  }

  #collectHeader(block: HeaderCollector, bytes: Buffer): Promise<void> | undefined {
    const split = block.add(bytes)
    if (split !== null) return this.#completeHeader(split)
    if (block.length > this.#parts.limits.maxHeaderBytes) this.#refuseHeader()
    return undefined
  }

  #completeHeader({ header: block, body }: SplitMessage): Promise<void> | undefined {
    this.#block = null
    if (block.length > this.#parts.limits.maxHeaderBytes) this.#refuseHeader()
    if (this.#failure !== null) return undefined
    const normalized = this.#parts.normalizeHeader(block)
    return normalized instanceof Promise ? this.#awaitHeader(normalized, body) : this.#takeHeader(normalized, body)
  }

  #takeHeader(header: NormalizedHeader, body: Buffer): Promise<void> | undefined {
    this.#header = header
    this.#refuseFields(header)
    if (this.#failure !== null) return undefined
    return this.#store(...header.parts, body)
  }

  async #awaitHeader(normalized: Promise<NormalizedHeader>, body: Buffer): Promise<void> {
    try {
      const header = await normalized
      if (!this.#aborted) await this.#takeHeader(header, body)
    } catch (error) {
      this.#fail(error)
    }
  }

  #refuseHeader(): void {
    this.#fail(new SmtpError(replies.headerTooBig(this.#parts.limits.maxHeaderBytes)))
  }

  #refuseFields({ header }: NormalizedHeader): void {
    const { maxHeaderFields, maxHeaderFieldBytes } = this.#parts.limits
    if (header.fields.length > maxHeaderFields) this.#fail(new SmtpError(replies.tooManyFields(maxHeaderFields)))
    const long = header.fields.find(field => field.end - field.start > maxHeaderFieldBytes)
    if (long) this.#fail(new SmtpError(replies.fieldTooBig(long.name, maxHeaderFieldBytes)))
  }

  #store(...pieces: Buffer[]): Promise<void> | undefined {
    for (const piece of pieces) {
      this.#memory.push(piece)
      this.#gathered += piece.length
      this.#size += piece.length
    }
    const enough = this.#file === null ? this.#parts.inlineContentBytes + 1 : writeBytes
    return this.#gathered < enough ? undefined : this.#spill()
  }

  async #spill(): Promise<void> {
    try {
      this.#file ??= await this.#parts.spool.create()
      if (!this.#aborted) await this.#write(this.#file)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#aborted) this.#forget()
  }

  async #write(file: SpoolFile): Promise<void> {
    const pieces = this.#memory
    this.#memory = []
    this.#gathered = 0
    if (pieces.length > 0) await file.write(joined(pieces))
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#forget()
  }

  #forget(): void {
    this.#memory = []
    if (this.#block !== null) this.#block = new HeaderCollector()
    const file = this.#file
    this.#file = null
    if (file !== null) Promise.resolve(file.discard()).catch(() => {})
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

/** Grows by doubling, so that a header in tiny pieces costs no more than its length; one in one piece is not copied. */
class HeaderCollector {
  #bytes = Buffer.alloc(0)
  length = 0

  /** Header and body once the empty line has come. */
  add(piece: Buffer): SplitMessage | null {
    const before = this.length
    if (before === 0) {
      const split = splitAtEmptyLine(piece, 0)
      if (split !== null) return split
    }
    this.#append(piece)
    return splitAtEmptyLine(this.bytes(), before)
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  #append(piece: Buffer): void {
    const length = this.length + piece.length
    if (length > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#bytes.length, 4096))
      this.#bytes.copy(grown, 0, 0, this.length)
      this.#bytes = grown
    }
    piece.copy(this.#bytes, this.length)
    this.length = length
  }
}
