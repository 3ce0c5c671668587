/**
 * A thread's end of the line to the writer: calls become promises, one message per turn of the event loop.
 *
 * Contents of a turn are copied into one slab whose memory then moves to the writer: a Buffer of the caller is often a
 * slice of a larger one, and cloning would take the whole along. Changes are told before the answers they came with.
 * When the line breaks, everything waiting and everything later fails with StoreUnavailable.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { type Change, type StoreHealth, StoreUnavailable } from '../store.ts'
import type { CommandName, Commands } from './commands.ts'
import type { AcceptRow } from './rows.ts'
import { type Batch, type Reply, unpackError, type WireCall } from './wire.ts'

type Arguments<Name extends CommandName> =
  Parameters<Commands[Name]> extends [unknown, ...infer Rest] ? Rest : readonly []

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** Health that came with an answer this long ago still counts: the writer doesn't look more often. */
const healthAgeMs = 1000

export class WriterClient {
  readonly #port: MessagePort
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(change: Change) => void>()
  #calls: WireCall[] = []
  #rows: AcceptRow[] = []
  #lastId = 0
  #health: StoreHealth | null = null
  #healthAt = Number.NEGATIVE_INFINITY
  #closed = false
  #drained: (() => void) | null = null

  constructor(port: MessagePort, clock: Clock) {
    this.#port = port
    this.#clock = clock
    port.on('message', (reply: Reply) => this.#receive(reply))
    port.on('close', () => this.#break())
    port.unref()
  }

  /** `rows`: those among the arguments whose content has to be copied. */
  call<Name extends CommandName>(
    name: Name,
    args: Arguments<Name>,
    rows: readonly AcceptRow[] = [],
  ): Promise<ReturnType<Commands[Name]>> {
    return this.#post(name, args as readonly unknown[], rows)
  }

  async health(): Promise<StoreHealth> {
    if (this.#health && this.#clock.monotonic() - this.#healthAt < healthAgeMs) return this.#health
    try {
      return await this.#post<StoreHealth>('health', [], [])
    } catch (error) {
      return { acceptsMail: false, writable: false, freeBytes: 0, reason: (error as Error).message }
    }
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    if (this.#pending.size > 0 && !this.#closed)
      await new Promise<void>(resolve => {
        this.#drained = resolve
      })
    this.#listeners.clear()
    this.#port.close()
    this.#break()
  }

  #post<T>(method: string, args: readonly unknown[], rows: readonly AcceptRow[]): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId
      // A pending call keeps the process alive; an idle store does not.
      if (this.#pending.size === 0) this.#port.ref()
      this.#pending.set(id, { resolve, reject })
      if (this.#calls.length === 0) setImmediate(() => this.#flush())
      this.#calls.push([id, method, args])
      this.#rows.push(...rows)
    })
  }

  #flush(): void {
    if (this.#closed) return
    const batch: Batch = { now: this.#clock.now(), calls: this.#calls }
    const slab = packContents(this.#rows)
    this.#calls = []
    this.#rows = []
    this.#port.postMessage(batch, slab ? [slab] : [])
  }

  #receive({ answers, changes, health }: Reply): void {
    this.#health = health
    this.#healthAt = this.#clock.monotonic()
    for (const change of changes) for (const listener of this.#listeners) listener(change)
    for (const [id, value, error] of answers) {
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (error) pending?.reject(unpackError(error))
      else pending?.resolve(value as never)
    }
    if (this.#pending.size > 0) return
    this.#port.unref()
    this.#drained?.()
  }

  #break(): void {
    this.#closed = true
    this.#health = null
    const error = new StoreUnavailable('the writer of the store has stopped')
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    this.#drained?.()
  }
}

/** Copies all contents into one piece of memory; the rows then hold views of it. */
function packContents(rows: readonly AcceptRow[]): ArrayBuffer | null {
  let size = 0
  for (const { bytes } of rows) size += bytes?.byteLength ?? 0
  if (size === 0) return null
  const slab = new Uint8Array(size)
  let at = 0
  for (const row of rows) {
    if (row.bytes === null) continue
    slab.set(row.bytes, at)
    row.bytes = slab.subarray(at, at + row.bytes.byteLength)
    at += row.bytes.byteLength
  }
  return slab.buffer
}
