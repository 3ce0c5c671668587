/**
 * The log: JSON lines by pino, to stdout and to a rotated file, written off the hot path.
 *
 * The main thread owns the streams (`openLog`); other threads format their own lines and hand them over in batches
 * (`openForwardedLog`), because two writers of one rotated file would tear it. Buffers are flushed once a second.
 * A log that can't be written (full disk) stops nothing: lines wait in memory up to a bound and are lost beyond it, which
 * stderr is told when it begins and the log when it is over.
 * Secrets never come here: functions that log take plain facts, not whole objects of ours.
 */
import { mkdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { type Clock, systemClock } from './clock.ts'
import { eraseFromFiles } from './log-erasure.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  debug(fields: Fields, text: string): void
  info(fields: Fields, text: string): void
  warn(fields: Fields, text: string): void
  error(fields: Fields, text: string): void
  /** Whether debug lines are written: build them only then. */
  readonly debugs: boolean
  child(fields: Fields): Log
}

export interface LogSink {
  readonly log: Log
  /** Takes finished lines of another thread, each ended by LF. */
  write(lines: string): void
  /** Overwrites an address in all files; answers in how many places it stood. Absent: it has no files. */
  readonly erase?: (address: string) => Promise<number>
  close(): Promise<void>
}

export interface LogOptions {
  readonly level: Level
  readonly stdout: boolean
  /** Folder for rotated files `delivery.<n>.log`; null: no file. */
  readonly folder: string | null
  readonly rotateMegabytes: number
  readonly keepFiles: number
}

/** sonic-boom's: what could not be written stays first in its buffer and is tried again with the next line or flush. */
interface Stream {
  write(lines: string): unknown
  flush(done: (error?: Error | null) => void): void
  end(): void
  once(event: 'close' | 'error', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Did not fit any more. */
  on(event: 'drop', listener: (lines: string) => void): unknown
  on(event: 'drain', listener: () => void): unknown
}

/** More would lose too much when the machine dies; less would cost a write per line. */
const bufferBytes = 16_384
const flushEveryMs = 1000
/** What waits while nothing can be written: some 5,000 lines, the story of how it came about. */
const waitingBytes = 4 * 1024 * 1024
/** A reader of `kitte tail` should not notice that lines crossed a thread. */
const forwardEveryMs = 50
/** What crosses at once: some 50 mails. */
const forwardBytes = 65_536

/** A log that keeps nothing; for tests and tools. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, debugs: false, child: () => silentLog }

export async function openLog(options: LogOptions): Promise<LogSink> {
  const streams: Stream[] = []
  if (options.stdout) streams.push(pino.destination({ dest: 1, sync: false, maxLength: waitingBytes }))
  const { folder } = options
  const files = folder === null ? null : await openFiles(options, folder)
  if (files !== null) streams.push(files)
  for (const stream of streams) outliveTrouble(stream, options.level)
  const write = (line: string) => {
    for (const stream of streams) stream.write(line)
  }
  return {
    log: createLog(options.level, write),
    write,
    ...(files !== null && { erase: (address: string) => erase(files, folder!, address) }),
    close: async () => void (await Promise.all(streams.map(finish))),
  }
}

/** What was logged a moment ago stands in the files first. */
async function erase(files: Stream, folder: string, address: string): Promise<number> {
  await new Promise<void>((resolve, reject) => files.flush(error => (error ? reject(error) : resolve())))
  return eraseFromFiles(folder, address)
}

/** `post` gets batches of finished lines, to be handed to `LogSink.write` in the thread that has it. */
export function openForwardedLog(level: Level, clock: Clock, post: (lines: string) => void): LogSink {
  let lines = ''
  let cancel: (() => void) | null = null
  const flush = () => {
    cancel?.()
    cancel = null
    if (lines !== '') post(lines)
    lines = ''
  }
  const write = (line: string) => {
    lines += line
    if (lines.length >= forwardBytes) flush()
    else cancel ??= clock.after(forwardEveryMs, flush)
  }
  return { log: createLog(level, write), write, close: async () => flush() }
}

function createLog(level: Level, write: (line: string) => void): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'text',
  }
  return wrap(pino(options, { write }), write, '')
}

async function openFiles(options: LogOptions, folder: string): Promise<Stream> {
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  // Only the thread that owns the file loads it: with what it imports it is 5 MB.
  // @ts-expect-error pino-roll ships no types
  const { default: roll } = await import('pino-roll')
  return roll({
    file: join(folder, 'delivery'),
    extension: '.log',
    size: `${options.rotateMegabytes}m`,
    // Those of earlier processes too; the one that is written to is counted with them.
    limit: { count: options.keepFiles + 1, removeOtherLogFiles: true },
    mkdir: true,
    minLength: bufferBytes,
    // sonic-boom refuses to open unless one write may be larger than what it waits for.
    maxWrite: 4 * bufferBytes,
    maxLength: waitingBytes,
    periodicFlush: flushEveryMs,
  })
}

/** Without a listener the first failed write would end the process. */
function outliveTrouble(stream: Stream, level: Level): void {
  let trouble: string | null = null
  let lost = 0
  stream.on('error', error => {
    if (trouble === null) tellOperator(`the log can't be written: ${error.message}`)
    trouble = error.message
  })
  stream.on('drop', lines => {
    lost += lines.split('\n').length - 1
  })
  stream.on('drain', () => {
    if (trouble === null && lost === 0) return
    const fields = { reason: trouble ?? 'it was written too slowly', lost }
    trouble = null
    lost = 0
    createLog(level, line => stream.write(line)).warn(
      fields,
      `the log is written again; ${fields.lost} lines were lost`,
    )
  })
}

/** Past the log, and past process.stderr, which would end the process when it can't be written either. */
function tellOperator(text: string): void {
  try {
    writeSync(2, `kitte: ${text}\n`)
  } catch {
    // Nobody is left to be told.
  }
}

function finish(stream: Stream): Promise<void> {
  return new Promise(resolve => {
    stream.once('close', resolve)
    stream.once('error', resolve)
    stream.end()
  })
}

/** `bound`: the members that every line of this log has, as JSON, each with a comma before it. */
function wrap(logger: pino.Logger, write: (line: string) => void, bound: string): Log {
  const informs = logger.isLevelEnabled('info')
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => {
      if (fields.err !== undefined) logger.info(fields, text)
      else if (informs) write(infoLine(bound, fields, text))
    },
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    debugs: logger.isLevelEnabled('debug'),
    child: fields => wrap(logger.child(fields), write, bound + members(fields)),
  }
}

/** What pino writes, for the two lines that every mail costs: by one call of the native stringifier, a third of the time. */
function infoLine(bound: string, fields: Fields, text: string): string {
  const time = new Date(systemClock.now()).toISOString()
  return `{"level":"info","time":"${time}"${bound}${members(fields)},"text":${JSON.stringify(text)}}\n`
}

function members(fields: Fields): string {
  const json = JSON.stringify(fields)
  return json === '{}' ? '' : `,${json.slice(1, -1)}`
}
