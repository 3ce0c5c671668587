/**
 * Overwrites an address in the log's files, in place.
 *
 * As many octets are written as stood there, so every line stays what it was but for the asterisks: the file that is
 * being written to needs no new name, readers keep their place, and an end midway leaves whole lines. Only the files
 * that Kitte keeps itself can be reached; what went to stdout is with whoever took it.
 * Fails with the error of the file system.
 */
import { readdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

/** A few milliseconds of the event loop each. */
const chunkBytes = 1024 * 1024
/** What is looked at before an address, and behind it, to know where it begins and ends. */
const sight = 2

/** Answers in how many places it stood. */
export async function eraseFromFiles(folder: string, address: string): Promise<number> {
  let places = 0
  const names = readdirSync(folder).filter(name => /^delivery\.\d+\.log$/.test(name))
  for (const name of names) places += await eraseFromFile(join(folder, name), address)
  return places
}

async function eraseFromFile(file: string, address: string): Promise<number> {
  await using handle = await open(file, 'r+').catch(nullWhenGone)
  if (handle === null) return 0
  // As it stands within the strings of JSON.
  const wanted = Buffer.from(JSON.stringify(address).slice(1, -1))
  const buffer = Buffer.alloc(chunkBytes + wanted.length + 2 * sight)
  let places = 0
  for (let start = 0; ; start += chunkBytes) {
    const from = Math.max(0, start - sight)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
    places += await overwrite(handle, from, buffer.subarray(0, bytesRead), wanted)
    if (bytesRead < buffer.length) break
  }
  if (places > 0) await handle.datasync()
  return places
}

/** Rotation removed it in the meantime. */
function nullWhenGone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}

async function overwrite(handle: FileHandle, from: number, bytes: Buffer, wanted: Buffer): Promise<number> {
  const asterisks = Buffer.alloc(wanted.length, '*')
  let places = 0
  for (const at of placesOf(bytes, wanted)) {
    await handle.write(asterisks, 0, asterisks.length, from + at)
    places++
  }
  return places
}

/** Whatever its letter case, but not as a part of a longer address. */
function* placesOf(bytes: Buffer, wanted: Buffer): Generator<number> {
  // One character per octet, so that positions are those of the file; its lower case confuses octets of UTF-8.
  const [text, needle] = [bytes.toString('latin1').toLowerCase(), wanted.toString('latin1').toLowerCase()]
  const exact = lowerAscii(wanted.toString())
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
    const before = text.slice(Math.max(0, at - sight), at)
    const behind = text.slice(at + needle.length, at + needle.length + sight)
    // A letter behind a backslash is the escape of a line break.
    if (/[\w.+%&!#$*?^{|}~\x80-\xff-]$|[\w\x80-\xff]'$/.test(before) && !/\\[nrt]$/.test(before)) continue
    if (/^(?:[\w\x80-\xff-]|\.\w)/.test(behind)) continue
    if (lowerAscii(bytes.toString('utf8', at, at + needle.length)) === exact) yield at
  }
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
