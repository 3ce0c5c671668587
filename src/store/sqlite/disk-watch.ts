/**
 * Watches whether writing works and how much room is left, and holds a reserve for the worst moment.
 *
 * Seen on a full tmpfs and on ext4: after SQLITE_FULL small commits go on while the log file has room, then everything
 * fails, checkpoints too, because they must grow the database first; closing and opening again changes nothing. What
 * helps is space alone, and then the same connection goes on. So there are three lines: intake stops below
 * `minFreeBytes`, far above what outcomes need; a reserve file is given up at the first SQLITE_FULL (somebody else
 * filled the disk), which makes room for a checkpoint and so for outcomes; after that, nothing is written until a probe
 * succeeds, at most one a second, tried when somebody asks and there is room for more than a page. No timer: who waits for the store asks again.
 */

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { StoreHealth } from '../store.ts'
import { codeOf } from './connection.ts'

export type Report = (level: 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, text: string) => void

export interface DiskWatchOptions {
  readonly folder: string
  readonly minFreeBytes: number
  readonly clock: Clock
  /** Writes a little, durably; throws when that fails. */
  readonly probe: () => void
  readonly report: Report
}

const lookEveryMs = 1000
/**
 * What a transaction that failed had written of itself is room for a few more of one page: the probe would succeed
 * once a second and the next outcomes fail again. So a full disk is not probed before there is room for a large one.
 */
const worthProbingBytes = 1024 * 1024
/** The log is moved into the database after 16 MiB: with as much room a checkpoint can always finish. */
const largestReserveBytes = 16 * 1024 * 1024

export class DiskWatch {
  readonly #options: DiskWatchOptions
  readonly #reserveFile: string
  readonly #reserveBytes: number
  #freeBytes = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #trouble: string | null = null
  #full = false
  #short = false

  constructor(options: DiskWatchOptions) {
    this.#options = options
    this.#reserveFile = join(options.folder, 'reserve')
    this.#reserveBytes = Math.min(largestReserveBytes, Math.floor(options.minFreeBytes / 4))
  }

  /** Looks again when a second has passed. */
  health(): StoreHealth {
    this.#look()
    const writable = this.#trouble === null
    return {
      acceptsMail: writable && !this.#short,
      writable,
      freeBytes: this.#freeBytes,
      reason: this.#trouble ?? (this.#short ? this.#shortText() : null),
    }
  }

  /** A transaction failed; nothing is tried until a probe succeeds. */
  failed(error: unknown): void {
    const reason = `writing failed: ${codeOf(error)} ${(error as Error).message}`
    if (this.#trouble === null) this.#options.report('error', { reason }, 'the store stops writing')
    this.#trouble = reason
    this.#full = codeOf(error) === 'SQLITE_FULL'
    this.#lookedAt = this.#options.clock.monotonic()
    this.#measure()
  }

  /** Gives up the reserve when it is what is missing; true: the same transaction is worth another try. */
  spendReserve(error: unknown): boolean {
    if (codeOf(error) !== 'SQLITE_FULL' || !existsSync(this.#reserveFile)) return false
    rmSync(this.#reserveFile, { force: true })
    this.#measure()
    this.#options.report('warn', { freeBytes: this.#freeBytes }, 'the disk is full: the reserve was given up')
    return true
  }

  #look(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = now
    this.#measure()
    if (this.#trouble !== null && !(this.#full && this.#freeBytes < worthProbingBytes)) this.#probe()
    if (this.#trouble === null) this.#keepReserve()
  }

  #measure(): void {
    const { folder, minFreeBytes, report } = this.#options
    const { bavail, bsize } = statfsSync(folder)
    this.#freeBytes = bavail * bsize
    const short = this.#freeBytes < minFreeBytes
    if (short !== this.#short) {
      const text = short ? 'too little room: no new mail is accepted' : 'room again: mail is accepted'
      report(short ? 'warn' : 'info', { freeBytes: this.#freeBytes, minFreeBytes }, text)
    }
    this.#short = short
  }

  #probe(): void {
    try {
      this.#options.probe()
      this.#trouble = null
      this.#options.report('info', { freeBytes: this.#freeBytes }, 'the store writes again')
    } catch (error) {
      this.#trouble = `writing failed: ${codeOf(error)} ${(error as Error).message}`
      this.#full = codeOf(error) === 'SQLITE_FULL'
    }
  }

  /** Written out in bytes that don't compress; made only where it leaves enough for intake. */
  #keepReserve(): void {
    if (this.#reserveBytes === 0 || existsSync(this.#reserveFile)) return
    if (this.#freeBytes < this.#options.minFreeBytes + this.#reserveBytes) return
    try {
      writeReserve(this.#reserveFile, this.#reserveBytes)
    } catch (error) {
      rmSync(this.#reserveFile, { force: true })
      this.#options.report('warn', { error: String(error) }, 'the reserve file could not be written')
    }
  }

  #shortText(): string {
    return `${this.#freeBytes} bytes free, ${this.#options.minFreeBytes} needed (store.minFreeBytes)`
  }
}

function writeReserve(file: string, bytes: number): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    const block = randomBytes(1024 * 1024)
    for (let left = bytes; left > 0; ) left -= writeSync(handle, block, 0, Math.min(left, block.length))
  } finally {
    closeSync(handle)
  }
}
