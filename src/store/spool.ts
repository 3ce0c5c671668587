/**
 * Large contents as files: `spool/<2 characters>/<24 characters>.eml` below dataDir.
 *
 * `commit` resolves when the file and every folder on the way to it are synced, so a row that names it never lies.
 * Each write waits for the disk: a 30 MB mail costs no more memory than its last chunk. Fails with StoreUnavailable.
 */
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { randomText } from '../base/ids.ts'
import { StoreUnavailable } from './store.ts'

export interface Spool {
  create(): Promise<SpoolFile>
  /** Where a path of `commit` or of a ContentRef lies on this machine. */
  absolute(path: string): string
}

export interface SpoolFile {
  /** One at a time. */
  write(chunk: Uint8Array): Promise<void>
  /** The path relative to dataDir. */
  commit(): Promise<string>
  /** Removes the file, committed or not; never throws. */
  discard(): Promise<void>
}

export const spoolFolder = 'spool'

export function openSpool(dataDir: string): Spool {
  return {
    create: () => guarded(() => create(dataDir)),
    absolute: path => join(dataDir, path),
  }
}

/** A session that is still receiving has a file that no message names yet: no DATA takes this long (submission.dataTimeout). */
const youngMs = 30 * 60_000

/** Removes files that no message names; answers how many. */
export async function sweepSpool(dataDir: string, clock: Clock, inUse: (path: string) => boolean): Promise<number> {
  let removed = 0
  for (const entry of await readdir(join(dataDir, spoolFolder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const { mtimeMs } = await stat(file)
    if (clock.now() - mtimeMs < youngMs || inUse(file.slice(dataDir.length + 1))) continue
    await rm(file, { force: true })
    removed++
  }
  return removed
}

async function create(dataDir: string): Promise<SpoolFile> {
  const name = randomText(24)
  const path = join(spoolFolder, name.slice(0, 2), `${name}.eml`)
  const file = join(dataDir, path)
  await makeFolder(dirname(file))
  const handle = await open(file, 'wx', 0o600)
  return {
    write: chunk => guarded(() => writeAll(handle, chunk)),
    commit: () =>
      guarded(async () => {
        await handle.sync()
        await handle.close()
        await syncFolder(dirname(file))
        return path
      }),
    async discard() {
      await handle.close().catch(() => {})
      await rm(file, { force: true }).catch(() => {})
    },
  }
}

/** A write may take less than it was given. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await handle.write(chunk, at)).bytesWritten
}

/** A new folder is an entry of its parent, which has to be synced as well. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new StoreUnavailable(`the spool can't be written: ${(cause as Error).message}`, { cause })
  }
}
