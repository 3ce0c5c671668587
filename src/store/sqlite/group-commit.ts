/**
 * The one writer: runs what arrived in the meantime as one transaction, and answers when it is synced.
 *
 * States: idle → (a batch arrives) → scheduled → runs → commits → answers → scheduled again if more arrived, else idle.
 * - Whatever arrives while a commit syncs is the next transaction. When syncs are slow (over 1 ms) and callers are
 *   several, a quarter of a sync is waited first: 20 sessions that wait for one 250 each then share it (costs.md: +10 %).
 * - A command that fails must not take the others along: the transaction is rolled back and its commands run again, each
 *   in a savepoint. That is rare (a name that is taken), so savepoints are not paid for by everybody.
 * - Trouble of the disk fails the whole transaction with StoreUnavailable; disk-watch.ts says when to try again.
 * Nothing is answered before COMMIT returned, and COMMIT returns synced (connection.ts).
 */
import { unlink } from 'node:fs'
import { join } from 'node:path'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { type Change, Conflict, NotFound, StoreUnavailable } from '../store.ts'
import { intake, openCommands } from './commands.ts'
import { assertSynced, type Connection, isTrouble, lockFolder, openWriting } from './connection.ts'
import { DiskWatch, type Report } from './disk-watch.ts'
import { migrate } from './migrations/index.ts'
import type { AcceptRow } from './rows.ts'
import { partSize } from './trace.ts'
import { Transaction } from './transaction.ts'
import { type Answer, type Batch, packError, type Reply } from './wire.ts'

export interface GroupCommitOptions {
  readonly dataDir: string
  readonly minFreeBytes: number
  /** A transaction takes contents up to this many bytes: the log must not outgrow what is checkpointed at once. */
  readonly batchBytes: number
  readonly clock: Clock
  readonly report: Report
  /** Lets time pass so that more can arrive; absent where the thread has other work. */
  readonly gather?: (ms: number) => void
}

interface Waiting {
  readonly port: MessagePort
  readonly now: number
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

type Command = (tx: Transaction, ...args: readonly unknown[]) => unknown
type Result = { readonly value: unknown } | { readonly error: unknown }

export const databaseFile = 'kitte.db'

const probeSql = 'update probe set n = n + 1'
const slowSyncMs = 1
const gatherShare = 0.25
/** Beyond, waiting costs callers more than sharing saves them. */
const longestGatherMs = 5
/** A transaction of this many commands takes some 10 ms; more would make the first wait for the last. */
const maxCommands = 500

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #lock: Connection
  readonly #db: Connection
  readonly #commands: Readonly<Record<string, Command>>
  readonly #flush: (tx: Transaction) => void
  readonly #trace: ReturnType<typeof openCommands>['trace']
  readonly #disk: DiskWatch
  readonly #ports = new Set<MessagePort>()
  #waiting: Waiting[] = []
  #scheduled = false
  #closed = false
  #syncMs = 0
  #lastCommands = 0

  /** Throws StoreUnavailable when the database can't be opened, is newer than the program, or does not sync. */
  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#lock = lockFolder(join(options.dataDir, 'writer.lock'))
    try {
      this.#db = openMigrated(join(options.dataDir, databaseFile))
    } catch (error) {
      this.#lock.close()
      throw error
    }
    const { commands, flush, trace } = openCommands(this.#db)
    this.#commands = commands as unknown as Readonly<Record<string, Command>>
    this.#flush = flush
    this.#trace = trace
    this.#disk = new DiskWatch({ ...options, folder: options.dataDir, probe: () => this.#probe() })
  }

  /** Serves a client behind this port from now on. */
  attach(port: MessagePort): void {
    this.#ports.add(port)
    port.on('message', (batch: Batch) => this.#arrive(port, batch))
    port.on('close', () => this.#ports.delete(port))
  }

  /** Finishes what has arrived, then closes every port and the database. */
  close(): void {
    this.#drain()
    while (this.#waiting.length > 0) this.#run()
    this.#closed = true
    for (const port of this.#ports) port.close()
    this.#db.close()
    this.#lock.close()
  }

  #arrive(port: MessagePort, { now, calls }: Batch): void {
    for (const [id, method, args] of calls) this.#waiting.push({ port, now, id, method, args })
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#closed) this.#run()
    })
  }

  #run(): void {
    this.#drain()
    this.#gather()
    const batch = this.#take()
    if (this.#waiting.length > 0) this.#schedule()
    this.#lastCommands = batch.length
    this.#answer(batch, this.#execute(batch))
    this.#indexWhenDue()
  }

  /** What other threads posted since is part of this transaction. */
  #drain(): void {
    for (const port of this.#ports) {
      for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port))
        this.#arrive(port, got.message as Batch)
    }
  }

  #gather(): void {
    const { gather } = this.#options
    if (!gather || this.#syncMs < slowSyncMs || this.#lastCommands < 2) return
    gather(Math.min(this.#syncMs * gatherShare, longestGatherMs))
    this.#drain()
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && count < maxCommands && bytes < this.#options.batchBytes)
      bytes += contentBytes(this.#waiting[count++]!)
    return this.#waiting.splice(0, count)
  }

  /** One result per command, in order. */
  #execute(batch: readonly Waiting[]): Finished {
    const health = this.#disk.health()
    if (!health.writable) return this.#unavailable(batch)
    const refused = health.acceptsMail ? null : (health.reason ?? 'no room')
    try {
      return this.#commit(batch, refused)
    } catch (error) {
      if (!this.#disk.spendReserve(error)) return this.#giveUp(batch, error)
    }
    try {
      this.#emptyLog()
      return this.#commit(batch, 'the disk is full')
    } catch (error) {
      return this.#giveUp(batch, error)
    }
  }

  /** Moves the log into the database, so that its room can be used again; when that fails the log goes on growing. */
  #emptyLog(): void {
    try {
      this.#db.pragma('wal_checkpoint(PASSIVE)')
    } catch (error) {
      if (!isTrouble(error)) throw error
    }
  }

  #giveUp(batch: readonly Waiting[], error: unknown): Finished {
    this.#disk.failed(error)
    return this.#unavailable(batch)
  }

  #unavailable(batch: readonly Waiting[]): Finished {
    const health = this.#disk.health()
    const error = new StoreUnavailable(health.reason ?? 'writing failed')
    return { ...nothing, results: batch.map(({ method }) => (method === 'health' ? { value: health } : { error })) }
  }

  /** Throws trouble of the disk only. */
  #commit(batch: readonly Waiting[], intakeRefused: string | null): Finished {
    try {
      return this.#inTransaction(() => this.#together(batch, intakeRefused))
    } catch (error) {
      if (isTrouble(error)) throw error
      return this.#inTransaction(() => this.#oneByOne(batch, intakeRefused))
    }
  }

  #inTransaction(work: () => Finished): Finished {
    const { clock } = this.#options
    try {
      this.#db.exec('begin immediate')
      const finished = work()
      const startedAt = clock.monotonic()
      this.#db.exec('commit')
      this.#syncMs = (this.#syncMs + clock.monotonic() - startedAt) / 2
      return finished
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('rollback')
      throw error
    }
  }

  #together(batch: readonly Waiting[], intakeRefused: string | null): Finished {
    const tx = new Transaction(0)
    const results = batch.map(call => this.#runOne(tx, call, intakeRefused))
    this.#flush(tx)
    return { results, changes: tx.changes, removedFiles: tx.removedFiles }
  }

  #oneByOne(batch: readonly Waiting[], intakeRefused: string | null): Finished {
    const finished: Finished = { results: [], changes: [], removedFiles: [] }
    for (const call of batch) {
      const tx = new Transaction(call.now)
      this.#db.exec('savepoint one')
      try {
        const result = this.#runOne(tx, call, intakeRefused)
        this.#flush(tx)
        finished.results.push(result)
        finished.changes.push(...tx.changes)
        finished.removedFiles.push(...tx.removedFiles)
      } catch (error) {
        if (isTrouble(error)) throw error
        this.#db.exec('rollback to one')
        finished.results.push({ error: this.#judge(call, error) })
      }
      this.#db.exec('release one')
    }
    return finished
  }

  #runOne(tx: Transaction, { method, args, now }: Waiting, intakeRefused: string | null): Result {
    if (method === 'health') return { value: this.#disk.health() }
    if (intakeRefused !== null && intake.has(method)) return { error: new StoreUnavailable(intakeRefused) }
    const command = this.#commands[method]
    if (!command) throw new TypeError(`the writer knows no command ${method}`)
    tx.now = now
    return { value: command(tx, ...args) }
  }

  /** What nobody expects is a bug of ours: it goes to the log with its stack, and to the caller as it is. */
  #judge({ method }: Waiting, error: unknown): unknown {
    if (error instanceof Conflict || error instanceof NotFound || error instanceof StoreUnavailable) return error
    this.#options.report('error', { method, stack: (error as Error).stack }, 'a store command failed')
    return error
  }

  #answer(batch: readonly Waiting[], { results, changes, removedFiles }: Finished): void {
    const health = this.#disk.health()
    const answers = new Map<MessagePort, Answer[]>()
    batch.forEach(({ port, id }, index) => {
      const result = results[index]!
      const answer: Answer = 'error' in result ? [id, undefined, packError(result.error)] : [id, result.value]
      const list = answers.get(port)
      if (list) list.push(answer)
      else answers.set(port, [answer])
    })
    for (const port of this.#ports) {
      const own = answers.get(port)
      if (own || changes.length > 0) port.postMessage({ answers: own ?? [], changes, health } satisfies Reply)
    }
    // A file that stays because we stop right here is found by the sweep of the spool.
    for (const path of removedFiles) unlink(join(this.#options.dataDir, path), () => {})
  }

  /** The search index grows when there is nothing else to do, at the latest when two parts wait. */
  #indexWhenDue(): void {
    const waiting = this.#trace.waiting()
    if (waiting < partSize || (this.#waiting.length > 0 && waiting < 2 * partSize)) return
    try {
      this.#inTransaction(() => {
        this.#trace.indexPart()
        return nothing
      })
    } catch (error) {
      if (!isTrouble(error)) throw error
      this.#disk.failed(error)
    }
  }

  #probe(): void {
    this.#inTransaction(() => {
      this.#db.exec(probeSql)
      return nothing
    })
  }
}

/** The schema is up to date and a first write, the probe's, has shown that commits are synced. */
function openMigrated(file: string): Connection {
  const db = openWriting(file)
  try {
    migrate(db)
    db.exec(probeSql)
    assertSynced(db)
    return db
  } catch (error) {
    db.close()
    throw isTrouble(error) ? new StoreUnavailable((error as Error).message, { cause: error }) : error
  }
}

interface Finished {
  readonly results: Result[]
  readonly changes: Change[]
  readonly removedFiles: string[]
}

const nothing: Finished = { results: [], changes: [], removedFiles: [] }

function contentBytes({ method, args }: Waiting): number {
  return method === 'accept' ? ((args[0] as AcceptRow).bytes?.byteLength ?? 0) : 0
}
