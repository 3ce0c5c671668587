/**
 * A maildir that a real MTA delivers into, read back as the bytes that came over the wire.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from './program.ts'

export interface Delivered {
  /** With CRLF line ends, fields that the receiving MTA put on top included. */
  readonly raw: Buffer
}

export interface RealMailbox {
  all(): readonly Delivered[]
  /** Waits until that many are there. */
  received(count: number): Promise<readonly Delivered[]>
  empty(): void
}

/** `lineEnd: 'lf'`: the MTA stores Unix lines (Postfix), which are CRLF on the wire. */
export function openMailbox(maildir: string, lineEnd: 'lf' | 'crlf'): RealMailbox {
  const files = () => {
    const folder = join(maildir, 'new')
    return existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)) : []
  }
  const read = (file: string): Delivered => {
    const bytes = readFileSync(file)
    return { raw: lineEnd === 'lf' ? Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1') : bytes }
  }
  return {
    all: () => files().map(read),
    async received(count) {
      await waitFor(`${count} messages in ${maildir}`, () => files().length >= count)
      return files().map(read)
    },
    empty: () => {
      for (const file of files()) rmSync(file)
    },
  }
}

/** The part of a delivered message that the relay sent: from its first signature or trace field on. */
export function fromField(raw: Buffer, name: string): Buffer {
  const start = raw.indexOf(`\n${name}:`)
  return raw.subarray(0, name.length + 1).toString() === `${name}:` ? raw : start === -1 ? raw : raw.subarray(start + 1)
}
