/**
 * Opens the store: starts its writer, and connects threads to it.
 *
 * Fails with StoreUnavailable when the database can't be opened, is newer than this program, or does not sync.
 */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { spoolFolder, sweepSpool } from './spool.ts'
import { openReading } from './sqlite/connection.ts'
import { databaseFile, GroupCommit } from './sqlite/group-commit.ts'
import { openQueueLists } from './sqlite/queue-lists.ts'
import { createSqliteStore } from './sqlite/sqlite-store.ts'
import { unpackError } from './sqlite/wire.ts'
import type { WriterNote, WriterOrder, WriterSettings } from './sqlite/writer.ts'
import { WriterClient } from './sqlite/writer-client.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions {
  readonly dataDir: string
  /** The configuration's `store.inlineContentBytes`; a transaction takes some 64 contents of that size. */
  readonly inlineContentBytes: number
  readonly minFreeBytes: number
  readonly log: Log
  readonly clock: Clock
  /** The writer runs in this thread: for tests and tools. */
  readonly inProcess?: boolean
}

export interface OpenStore {
  readonly store: Store
  /** For `connectStore` in another thread; transfer it there. */
  port(): MessagePort
  /** Resolves when the writer ended by itself: a mistake of ours. The process should end and be started again. */
  readonly failed: Promise<Error>
  /** Finishes what is under way. Other threads close their stores first. */
  close(): Promise<void>
}

interface Writer {
  attach(port: MessagePort): void
  readonly failed: Promise<Error>
  close(): Promise<void>
}

const contentsPerTransaction = 64
/** Batches are gone after their commit; V8's own choice only keeps more of them as garbage. */
const youngGenerationMb = 8

export async function openStore(options: OpenStoreOptions): Promise<OpenStore> {
  const { dataDir, log, clock } = options
  await mkdir(join(dataDir, spoolFolder), { recursive: true, mode: 0o700 })
  const writer = options.inProcess ? writeHere(options) : await startThread(options)
  const port = () => {
    const { port1, port2 } = new MessageChannel()
    writer.attach(port1)
    return port2
  }
  const store = await connectStore({ dataDir, port: port(), log, clock }).catch(async error => {
    await writer.close()
    throw error
  })
  const swept = sweep(options)
  return {
    store,
    port,
    failed: writer.failed,
    async close() {
      await swept
      await store.close()
      await writer.close()
    },
  }
}

export async function connectStore(parts: {
  readonly dataDir: string
  readonly port: MessagePort
  readonly log: Log
  readonly clock: Clock
}): Promise<Store> {
  const db = openReading(join(parts.dataDir, databaseFile))
  return createSqliteStore({ db, client: new WriterClient(parts.port, parts.clock), clock: parts.clock })
}

function settingsOf({ dataDir, minFreeBytes, inlineContentBytes }: OpenStoreOptions): WriterSettings {
  return { dataDir, minFreeBytes, batchBytes: contentsPerTransaction * inlineContentBytes }
}

function writeHere(options: OpenStoreOptions): Writer {
  const { log, clock } = options
  const writer = new GroupCommit({
    ...settingsOf(options),
    clock,
    report: (level, fields, text) => log[level](fields, text),
  })
  return {
    attach(port) {
      writer.attach(port)
      port.unref()
    },
    failed: new Promise(() => {}),
    close: async () => writer.close(),
  }
}

async function startThread(options: OpenStoreOptions): Promise<Writer> {
  const worker = new Worker(new URL('./sqlite/writer.ts', import.meta.url), {
    workerData: settingsOf(options),
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  })
  const ended = once(worker, 'exit')
  const failed = new Promise<Error>(resolve => worker.once('error', resolve))
  failed.then(error => options.log.error({ stack: error.stack }, 'the writer of the store has stopped'))
  await ready(worker, options.log, failed)
  worker.unref()
  const order = (message: WriterOrder, ports: MessagePort[] = []) => worker.postMessage(message, ports)
  return {
    attach: port => order({ attach: port }, [port]),
    failed,
    async close() {
      worker.ref()
      order({ close: true })
      await ended
    },
  }
}

/** Resolves when the database is open; log lines of the thread go on to the log from then on. */
function ready(worker: Worker, log: Log, failed: Promise<Error>): Promise<void> {
  return new Promise((resolve, reject) => {
    failed.then(reject)
    worker.on('message', (note: WriterNote) => {
      if (note.kind === 'ready') resolve()
      else if (note.kind === 'refused') reject(unpackError(note.error))
      else log[note.level](note.fields, note.text)
    })
  })
}

/** Files of sessions that were cut off. Runs beside the start; trouble with it is no reason not to start. */
async function sweep({ dataDir, clock, log }: OpenStoreOptions): Promise<void> {
  const db = openReading(join(dataDir, databaseFile))
  try {
    const lists = openQueueLists(db)
    const removed = await sweepSpool(dataDir, clock, path => lists.usesFile(path))
    if (removed > 0) log.info({ removed }, 'removed spool files that no message names')
  } catch (error) {
    log.warn({ error: String(error) }, 'the spool could not be swept')
  } finally {
    db.close()
  }
}
