/**
 * A message's content on its way to the wire: dot-stuffed (RFC 5321 §4.5.2), otherwise byte for byte what was signed.
 *
 * Looks for dots natively instead of byte by byte and copies nothing but small messages. Large contents are read from
 * their file in blocks, the next one when the kernel has taken the last. Throws when the file can't be read: a trouble
 * of our own, and the connection is closed so that half a message never looks whole.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Answers, Wire } from './smtp-wire.ts'
import type { Outgoing } from './transport.ts'

/** Up to here one copy beats a list of pieces … */
const oneCopyBytes = 16_384
/** … and up to here one write beats several, each waited for. */
const oneWriteBytes = 131_072
/** One read and one deadline per block. */
const blockBytes = 131_072

/** Some dots are put between slices; where nothing but dots comes, one native pass is faster: 31 ms, not 140, for 256 KB. */
const manyPieces = 64

const lf = 0x0a
const dot = Buffer.from('.')
const endAtLineStart = Buffer.from('.\r\n')
const endWithinLine = Buffer.from('\r\n.\r\n')

/** Stuffs chunk by chunk, whatever the chunk borders. */
export class DotStuffer {
  #lastByte = lf

  /** The chunk itself when no line of it starts with a dot, else its parts with the dots between. */
  stuff(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return []
    const pieces: Buffer[] = []
    if (this.#lastByte === lf && chunk[0] === dot[0]) pieces.push(dot)
    this.#lastByte = chunk[chunk.length - 1]!
    let start = 0
    for (let found = chunk.indexOf('\n.'); found !== -1; found = chunk.indexOf('\n.', start)) {
      if (pieces.length >= manyPieces) return [...pieces, stuffed(chunk.subarray(start))]
      pieces.push(chunk.subarray(start, found + 1), dot)
      start = found + 1
    }
    pieces.push(start === 0 ? chunk : chunk.subarray(start))
    return pieces
  }

  /** The final dot; ends an unfinished last line first. */
  end(): Buffer {
    return this.#lastByte === lf ? endAtLineStart : endWithinLine
  }
}

function stuffed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\n.', '\n..'), 'latin1')
}

/** Writes content and final dot; answers what the host says then. */
export async function writeContent(wire: Wire, outgoing: Outgoing, file: FileHandle | null): Promise<Answers> {
  const stuffer = new DotStuffer()
  const { prefix, content } = outgoing
  if (Buffer.isBuffer(content) && prefix.length + content.length <= oneWriteBytes) {
    const pieces = [...stuffer.stuff(prefix), ...stuffer.stuff(content), stuffer.end()]
    return wire.finish(content.length <= oneCopyBytes ? [Buffer.concat(pieces)] : pieces)
  }
  try {
    const blocks = file ? readBlocks(file) : cutBlocks(content as Buffer)
    await wire.pour(stuffer.stuff(prefix))
    for await (const block of blocks) if (!(await wire.pour(stuffer.stuff(block)))) break
  } catch (error) {
    wire.fail('closed', 'the content could not be read')
    throw error
  }
  return wire.finish([stuffer.end()])
}

function* cutBlocks(content: Buffer): Generator<Buffer> {
  for (let start = 0; start < content.length; start += blockBytes) yield content.subarray(start, start + blockBytes)
}

/** The block is used again for the next read: its taker must be done with it by then. */
async function* readBlocks(file: FileHandle): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafeSlow(blockBytes)
  for (;;) {
    const { bytesRead } = await file.read(block, 0, blockBytes, null)
    if (bytesRead === 0) return
    yield block.subarray(0, bytesRead)
  }
}

/** Whether the header section has bytes beyond ASCII (RFC 6532); a file is read up to the end of its header. */
export async function hasEightBitHeader(outgoing: Outgoing, file: FileHandle | null): Promise<boolean> {
  const start = file ? await readStart(file) : (outgoing.content as Buffer)
  const end = start.indexOf('\r\n\r\n')
  return start.subarray(0, end === -1 ? start.length : end).some(byte => byte >= 0x80)
}

/** More than `submission.maxHeaderBytes` by default allows; what follows can only be body. */
const longestHeader = 1_048_576

async function readStart(file: FileHandle): Promise<Buffer> {
  const block = Buffer.allocUnsafe(longestHeader)
  const { bytesRead } = await file.read(block, 0, longestHeader, 0)
  return block.subarray(0, bytesRead)
}
