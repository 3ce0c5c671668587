/**
 * Reads the delivery log's files: the latest lines backwards, then what is written, across rotation.
 *
 * The files are `delivery.<n>.log`, the greatest n is written to. Lines that are no JSON object are passed over: one may
 * have been cut when the machine died. Fails with CliError when there is no log to read.
 */
import { readdirSync, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from './cli-error.ts'

export interface LogLine {
  /** As it stands in the file. */
  readonly raw: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Where following goes on. */
export interface LogPosition {
  /** The n of `delivery.<n>.log`; 0: no file yet. */
  readonly file: number
  readonly offset: number
}

export interface RecentLines {
  /** Oldest first. */
  readonly lines: readonly LogLine[]
  readonly position: LogPosition
}

const fileName = /^delivery\.(\d+)\.log$/
const chunkBytes = 65_536
const lineFeed = 0x0a

/** The latest lines that match, at most `wanted`, from all files; none is read before one that `isBefore` what is wanted. */
export async function recentLines(
  folder: string,
  wanted: number,
  matches: (line: LogLine) => boolean,
  isBefore: (line: LogLine) => boolean = () => false,
): Promise<RecentLines> {
  const numbers = filesIn(folder)
  const lines: LogLine[] = []
  let isEnough = false
  let position: LogPosition | null = null
  for (const file of numbers.toReversed()) {
    await using handle = await openFile(folder, file)
    if (handle === null) continue
    const end = await endOfLastLine(handle)
    position ??= { file, offset: end }
    if (lines.length >= wanted || isEnough) break
    for await (const raw of linesBackwards(handle, end)) {
      const line = parseLine(raw)
      if (line !== null && matches(line)) lines.push(line)
      isEnough = line !== null && isBefore(line)
      if (lines.length >= wanted || isEnough) break
    }
  }
  return { lines: lines.reverse(), position: position ?? { file: 0, offset: 0 } }
}

/** Every line written after the position, until the signal aborts. Keeps the process alive meanwhile. */
export async function* followLines(
  folder: string,
  from: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void> {
  using changes = watchFolder(folder, signal)
  let position = from
  while (!signal.aborted) {
    const change = changes.next()
    const found = await readOn(folder, position)
    position = found.position
    yield* found.lines
    if (found.lines.length > 0) continue
    const next = filesIn(folder).find(number => number > position.file)
    // A line can have come into the old file after we read it and before the new one was there.
    if (next === undefined) await change
    else if (found.atEnd) position = { file: next, offset: 0 }
  }
}

interface Found {
  readonly lines: LogLine[]
  readonly position: LogPosition
  /** Whether a second look, after the next file was seen, can't find more. */
  readonly atEnd: boolean
}

/** The whole lines after the position, at most one chunk of them; a line longer than that is taken whole. */
async function readOn(folder: string, { file, offset }: LogPosition): Promise<Found> {
  const nothing = { lines: [], position: { file, offset }, atEnd: true }
  const isOld = filesIn(folder).some(number => number > file)
  await using handle = file === 0 ? null : await openFile(folder, file)
  if (handle === null) return nothing
  // A file that shrank was begun anew.
  const start = (await handle.stat()).size < offset ? 0 : offset
  for (let bytes = chunkBytes; ; bytes *= 2) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, start)
    const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1
    if (end > 0) {
      const lines = buffer.toString('utf8', 0, end).split('\n').map(parseLine)
      return { lines: lines.filter(line => line !== null), position: { file, offset: start + end }, atEnd: false }
    }
    if (bytesRead < bytes) return { ...nothing, position: { file, offset: start }, atEnd: isOld }
  }
}

function parseLine(raw: string): LogLine | null {
  try {
    const fields: unknown = JSON.parse(raw)
    return typeof fields === 'object' && fields !== null ? { raw, fields: fields as LogLine['fields'] } : null
  } catch {
    return null
  }
}

/** Numbers of the files, oldest first. */
function filesIn(folder: string): number[] {
  return namesIn(folder)
    .flatMap(name => fileName.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new CliError(
      `there is no delivery log in ${folder}`,
      'is this the configuration of a relay that has run here, with log.file on?',
      { cause },
    )
  }
}

/** Null: rotation removed it in the meantime. */
async function openFile(folder: string, file: number): Promise<FileHandle | null> {
  try {
    return await open(join(folder, `delivery.${file}.log`), 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new CliError(`the delivery log in ${folder} can't be read`, 'run this as the user that runs the relay', {
      cause: error,
    })
  }
}

async function endOfLastLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat()
  for await (const { bytes, start } of chunksBackwards(handle, size)) {
    const last = bytes.lastIndexOf(lineFeed)
    if (last !== -1) return start + last + 1
  }
  return 0
}

/** The lines before `end`, which stands behind a line feed; last one first. */
async function* linesBackwards(handle: FileHandle, end: number): AsyncGenerator<string, void> {
  // Pieces of a line whose beginning is in a chunk not read yet; in the order of the file.
  let rest: Buffer[] = []
  for await (const { bytes } of chunksBackwards(handle, Math.max(end - 1, 0))) {
    let until = bytes.length
    for (let at = bytes.lastIndexOf(lineFeed); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(lineFeed, at - 1)) {
      yield Buffer.concat([bytes.subarray(at + 1, until), ...rest]).toString('utf8')
      rest = []
      until = at
    }
    rest.unshift(bytes.subarray(0, until))
  }
  if (end > 0) yield Buffer.concat(rest).toString('utf8')
}

async function* chunksBackwards(handle: FileHandle, end: number) {
  for (let until = end; until > 0; ) {
    const start = Math.max(0, until - chunkBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(until - start), 0, until - start, start)
    yield { bytes: buffer.subarray(0, bytesRead), start }
    until = start
  }
}

/** Resolves `next()` when anything in the folder changed since it was called. */
function watchFolder(folder: string, signal: AbortSignal) {
  let changed = Promise.withResolvers<void>()
  const tell = () => {
    changed.resolve()
  }
  const watcher = watch(folder, { persistent: true }, tell)
  signal.addEventListener('abort', tell)
  return {
    next(): Promise<void> {
      changed = Promise.withResolvers()
      if (signal.aborted) changed.resolve()
      return changed.promise
    },
    [Symbol.dispose]() {
      signal.removeEventListener('abort', tell)
      watcher.close()
    },
  }
}
