/**
 * smtp-server's command reader with a content reader of our own.
 *
 * The library makes a stream for each message and looks at every byte of it; here a content goes chunk by chunk to a sink,
 * found by native searches (`dot-lines.ts`). Fails as the sink does; the library then closes the connection.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { DotLines } from './dot-lines.ts'

type Done = (error?: Error | null) => void

export interface ContentSink {
  receive(content: Buffer): Promise<void> | undefined
  end(): Promise<void>
}

export class ContentParser extends SMTPStream {
  #lines: DotLines | null = null
  #sink: ContentSink | null = null
  /** More than one line of commands came at once (RFC 2920). */
  isPipelined = false

  override _write(chunk: Buffer, encoding: BufferEncoding | 'buffer', done: Done): void {
    this.isPipelined = !this._dataMode && chunk.indexOf(0x0a) < chunk.length - 1
    super._write(chunk, encoding, done)
  }

  awaitContent(sink: ContentSink): void {
    this.#lines = new DotLines()
    this.#sink = sink
    this._dataMode = true
  }

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const { content, rest } = this.#lines!.feed(chunk)
    const written = content.length > 0 ? this.#sink!.receive(content) : undefined
    if (rest !== null) this.#end(written, rest, done).catch(done)
    else if (written === undefined) done()
    else written.then(() => done(), done)
  }

  async #end(written: Promise<void> | undefined, rest: Buffer, done: Done): Promise<void> {
    this._dataMode = false
    this.isPipelined = rest.length > 0
    await written
    await this.#sink!.end()
    this._write(rest, 'buffer', done)
  }
}
