/**
 * Orders to so many entries that nobody should wait for the answer: carried out in the background, one after the other.
 *
 * Half of the writer's time is left to others (base/slices.ts). What a stop of the process interrupts goes on at the next start: the order
 * and how far it is stand in the store, and every verb passes over what it has changed already. Failures end an order.
 */
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { QueueOperation, QueueVerb } from '../mail/queue-operation.ts'
import type { GoOn, QueueFilter, Store } from '../store/store.ts'

export type Order = QueueOperation<QueueFilter>

export interface Ordered {
  /** Entries that are as ordered. */
  readonly changed: number
  /** Held or to be cancelled, but being sent when the order ended: those may be delivered yet. */
  readonly inFlight: number
}

/** Carries one out in slices. */
export type Verbs = Readonly<Record<QueueVerb, (filter: QueueFilter, reason: string, goOn?: GoOn) => Promise<Ordered>>>

/**
 * Where an order ends though more come. What was retried may have failed and match again; what was held, released or
 * cancelled doesn't, so there is room for the mail that comes meanwhile: it must not take the place of what waited.
 */
export function mostOf({ verb, total }: Pick<Order, 'verb' | 'total'>): number {
  return verb === 'retry' ? total : 2 * total + 1000
}

export interface BulkOrdersParts {
  readonly store: Pick<Store, 'saveQueueOperation' | 'queueOperation' | 'queueOperations'>
  readonly verbs: Verbs
  readonly clock: Clock
  readonly log: Log
  /** Entries; fewer are changed while the caller waits: less than a second, the others' half of the time included. */
  readonly above?: number
}

export interface BulkOrders {
  /** Orders to more entries than this are begun here. */
  readonly above: number
  begin(wanted: Pick<Order, 'verb' | 'filter' | 'reason' | 'total'>): Promise<Order>
  /** Null: there is no such order. One that has ended stays as it ended. */
  stopOrder(id: string): Promise<Order | null>
  stop(): Promise<void>
}

export async function startBulkOrders(parts: BulkOrdersParts): Promise<BulkOrders> {
  const orders = new Orders(parts)
  const interrupted = (await parts.store.queueOperations()).filter(({ state }) => state === 'running')
  for (const order of interrupted.reverse()) orders.run(order)
  return orders
}

class Orders implements BulkOrders {
  readonly #parts: BulkOrdersParts
  readonly above: number
  readonly #stopped = new Set<string>()
  readonly #stopping = new AbortController()
  #last: Promise<void> = Promise.resolve()

  constructor(parts: BulkOrdersParts) {
    this.#parts = parts
    this.above = parts.above ?? 3000
  }

  async begin(wanted: Pick<Order, 'verb' | 'filter' | 'reason' | 'total'>): Promise<Order> {
    const createdAt = this.#parts.clock.now()
    const order: Order = {
      ...{ id: newId(createdAt), ...wanted, done: 0, state: 'running' },
      ...{ createdAt, endedAt: null, error: null },
    }
    await this.#parts.store.saveQueueOperation(order)
    this.run(order)
    return order
  }

  run(order: Order): void {
    this.#last = this.#last.then(() => this.#run(order))
  }

  async stopOrder(id: string): Promise<Order | null> {
    const { store } = this.#parts
    const order = await store.queueOperation(id)
    if (order?.state !== 'running') return order
    this.#stopped.add(id)
    return order
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#last
  }

  async #run(order: Order): Promise<void> {
    const { store, verbs, log } = this.#parts
    if (this.#stopping.signal.aborted) return
    let done = order.done
    let inFlight = 0
    try {
      if (!this.#stopped.has(order.id))
        ({ inFlight } = await verbs[order.verb](
          order.filter,
          order.reason,
          this.#goOn(order, changed => (done = changed)),
        ))
      // The next start goes on with it.
      if (this.#stopping.signal.aborted) return
      const state = this.#stopped.delete(order.id) ? 'stopped' : 'done'
      await store.saveQueueOperation({ ...order, done, inFlight, state, endedAt: this.#parts.clock.now() })
    } catch (error) {
      log.error({ err: error }, `the order ${order.id} to ${order.verb} could not be finished`)
      await this.#noteFailure({ ...order, done }, error)
    }
  }

  #goOn(order: Order, note: (done: number) => void): GoOn {
    const { store } = this.#parts
    let saved = Promise.resolve()
    return async changed => {
      const done = order.done + changed
      note(done)
      await saved
      // Not waited for: it then shares its transaction with the next slice.
      saved = store.saveQueueOperation({ ...order, done })
      saved.catch(() => {})
      return done < mostOf(order) && !this.#stopped.has(order.id) && !this.#stopping.signal.aborted
    }
  }

  async #noteFailure(order: Order, error: unknown): Promise<void> {
    const failed: Order = { ...order, state: 'failed', endedAt: this.#parts.clock.now(), error: String(error) }
    try {
      await this.#parts.store.saveQueueOperation(failed)
    } catch (cause) {
      this.#parts.log.error({ err: cause }, `that the order ${order.id} failed could not be written down`)
    }
  }
}
