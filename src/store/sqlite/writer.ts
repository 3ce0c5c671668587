/**
 * Entry of the writer thread: opens the database, then serves every port it is given (group-commit.ts).
 *
 * A mistake outside any command ends the thread; its ports close, and whoever waits gets StoreUnavailable.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import type { Fields, Level } from '../../base/log.ts'
import { GroupCommit } from './group-commit.ts'
import { packError, type WireError } from './wire.ts'

export interface WriterSettings {
  readonly dataDir: string
  readonly minFreeBytes: number
  readonly batchBytes: number
}

export type WriterOrder = { readonly attach: MessagePort } | { readonly close: true }

export type WriterNote =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly error: WireError }
  | { readonly kind: 'log'; readonly level: Level; readonly fields: Fields; readonly text: string }

/** Sleeps without a timer: this thread has nothing else to do, and messages queue up meanwhile. */
const cell = new Int32Array(new SharedArrayBuffer(4))
const gather = (ms: number) => void Atomics.wait(cell, 0, 0, ms)

if (parentPort) serve(parentPort, workerData as WriterSettings)

function serve(control: MessagePort, settings: WriterSettings): void {
  const tell = (note: WriterNote) => control.postMessage(note)
  const report = (level: Level, fields: Fields, text: string) => tell({ kind: 'log', level, fields, text })
  try {
    const writer = new GroupCommit({ ...settings, clock: systemClock, report, gather })
    control.on('message', (order: WriterOrder) => {
      if ('attach' in order) return writer.attach(order.attach)
      writer.close()
      control.close()
    })
    tell({ kind: 'ready' })
  } catch (error) {
    tell({ kind: 'refused', error: packError(error) })
    control.close()
  }
}
