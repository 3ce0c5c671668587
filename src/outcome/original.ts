/**
 * Reads the beginning of a message's stored content, to be returned in a report.
 *
 * Fails with null, whatever the reason: a report without the original is better than none.
 */
import { open } from 'node:fs/promises'
import type { Message } from '../mail/message.ts'
import type { Store } from '../store/store.ts'

/** At most `maxBytes` from the start. Null: the content is gone or can't be read. */
export type OriginalReader = (message: Message, maxBytes: number) => Promise<Buffer | null>

export function createOriginalReader({
  store,
  spool,
}: {
  readonly store: Pick<Store, 'content'>
  readonly spool: { absolute(path: string): string }
}): OriginalReader {
  return async (message, maxBytes) => {
    try {
      const content = await store.content(message.id)
      if (content === null) return null
      if (content.kind === 'inline') return Buffer.from(content.bytes.subarray(0, maxBytes))
      return await readStart(spool.absolute(content.path), maxBytes)
    } catch {
      return null
    }
  }
}

async function readStart(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await open(path, 'r')
  const buffer = Buffer.alloc(maxBytes)
  const { bytesRead } = await file.read(buffer, 0, maxBytes, 0)
  return buffer.subarray(0, bytesRead)
}
