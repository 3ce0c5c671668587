/**
 * Opens SQLite connections: the one that writes, and those that read. The only door of better-sqlite3.
 *
 * better-sqlite3 is compiled with DEFAULT_WAL_SYNCHRONOUS=1: a connection that never said otherwise falls to NORMAL with
 * its first write in WAL mode, and a commit is then no longer synced. Saying `synchronous = FULL` fixes it for the
 * connection's life; it is read back at open, and again after the first write, and anything but FULL refuses to go on.
 * Fails with StoreUnavailable when the file can't be opened; `isTrouble` tells trouble of the disk from mistakes of ours.
 */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { StoreUnavailable } from '../store.ts'

export type Connection = Database.Database
export type Value = string | number | null | Uint8Array
/** A prepared statement whose parameters and rows are what its author says they are. */
export type Statement<Row = unknown> = Database.Statement<Value[], Row>

/** A reader or a copy of the database may hold a lock for a moment; the writer itself never waits for another one. */
const busyTimeoutMs = 5000
/** KiB of pages: the hot tables and the upper levels of the large ones. */
const writerCacheKib = 16_384
const readerCacheKib = 4096
/**
 * Pages in the log before they are moved into the database: 16 MiB. Rows of a fresh message are written and deleted
 * within it, so the move (with its two syncs) takes along what stayed. The log is cut back to this size afterwards.
 */
const checkpointPages = 4096
const logBytes = checkpointPages * 4096

export function openWriting(file: string): Connection {
  return open(file, {}, connection => {
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = FULL')
    connection.pragma(`cache_size = -${writerCacheKib}`)
    connection.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    connection.pragma(`journal_size_limit = ${logBytes}`)
    assertSynced(connection)
  })
}

/** To be called once more after the first write. */
export function assertSynced(connection: Connection): void {
  const synchronous = connection.pragma('synchronous', { simple: true })
  const journal = connection.pragma('journal_mode', { simple: true })
  if (synchronous === 2 && journal === 'wal') return
  throw new StoreUnavailable(
    `the database does not sync every commit (synchronous=${synchronous}, journal_mode=${journal}); accepted mail would not be safe`,
  )
}

export function openReading(file: string): Connection {
  return open(file, { readonly: true, fileMustExist: true }, connection => {
    connection.pragma(`cache_size = -${readerCacheKib}`)
  })
}

/** A process that is just stopping may still hold the folder for a moment. */
const lockTimeoutMs = 1000

/**
 * Holds the folder for one writer until closed: row numbers are counted in memory, so a second process that writes would
 * break both. The lock is the operating system's and ends with the process, however it ends.
 */
export function lockFolder(file: string): Connection {
  try {
    return open(file, { timeout: lockTimeoutMs }, connection => connection.exec('begin exclusive'))
  } catch (cause) {
    if (!/locked/.test((cause as Error).message)) throw cause
    throw new StoreUnavailable(`another process writes in this folder: ${file} is locked`, { cause })
  }
}

/** SQLite touches the file with the first pragma only, so that is part of opening. */
function open(file: string, options: Database.Options, prepare: (connection: Connection) => void): Connection {
  let connection: Connection | null = null
  try {
    if (!options.readonly) makePrivate(file)
    connection = new Database(file, { timeout: busyTimeoutMs, ...options })
    prepare(connection)
    return connection
  } catch (cause) {
    connection?.close()
    if (cause instanceof StoreUnavailable) throw cause
    throw new StoreUnavailable(`${file} can't be opened: ${(cause as Error).message}`, { cause })
  }
}

/**
 * For the relay's user alone, whatever the umask: SQLite makes files that everybody can read, and gives a log the mode of
 * its database. A file that exists is not opened here, since closing it would end the locks that this process has on it.
 */
function makePrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  for (const existing of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(existing)) chmodSync(existing, 0o600)
}

export function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : ''
}

/** The disk, its space or the file is at fault; the same statement may work later. */
export function isTrouble(error: unknown): boolean {
  return /^SQLITE_(?:FULL|IOERR|BUSY|LOCKED|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PROTOCOL|PERM)/.test(codeOf(error))
}

/** Runs a read; trouble becomes StoreUnavailable. */
export function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isTrouble(cause)) throw cause
    throw new StoreUnavailable(`the database can't be read: ${(cause as Error).message}`, { cause })
  }
}
