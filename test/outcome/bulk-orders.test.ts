/**
 * Orders that go on in the background: to their end, until they are stopped, and after a restart; a retry never further
 * than what it was given for.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type BulkOrders, type Order, startBulkOrders, type Verbs } from '../../src/outcome/bulk-orders.ts'
import type { GoOn } from '../../src/store/store.ts'

const wanted = { verb: 'hold', filter: { domain: 'x.example' }, reason: 'r', total: 6 } as const

/** Keeps orders, as the store does. */
function memory() {
  const kept = new Map<string, Order>()
  return {
    kept,
    saveQueueOperation: async (order: Order) => void kept.set(order.id, order),
    queueOperation: async (id: string) => kept.get(id) ?? null,
    queueOperations: async () => [...kept.values()].reverse(),
  }
}

/** Changes two at a time, until there is nothing left. */
function verbsOver(left: { count: number }, afterSlice: (changed: number) => Promise<void> = async () => {}): Verbs {
  const hold = async (_filter: object, _reason: string, goOn: GoOn = () => true) => {
    let changed = 0
    while (left.count > 0) {
      left.count -= 2
      changed += 2
      await afterSlice(changed)
      if (!(await goOn(changed))) break
    }
    return { changed, inFlight: 0 }
  }
  return { hold, release: hold, retry: hold, cancel: hold }
}

const start = (store: ReturnType<typeof memory>, verbs: Verbs): Promise<BulkOrders> =>
  startBulkOrders({ store, verbs, clock: systemClock, log: silentLog })

/** Resolves once the order has this state. */
async function ended(store: ReturnType<typeof memory>, id: string, state: Order['state']): Promise<Order> {
  for (;;) {
    const order = store.kept.get(id)!
    if (order.state === state) return order
    await systemClock.sleep(1)
  }
}

describe('an order to many entries', () => {
  it('ends when it has changed as many as it was given for, though more come', async () => {
    const store = memory()
    const left = { count: 100 }
    const orders = await start(store, verbsOver(left))
    const { id, state, done } = await orders.begin({ ...wanted, verb: 'retry' })
    assert.deepEqual([state, done], ['running', 0])
    assert.equal((await ended(store, id, 'done')).done, 6)
    assert.equal(left.count, 94)
    await orders.stop()
  })

  it('is stopped after the slice under way', async () => {
    const store = memory()
    const left = { count: 6 }
    const orders: BulkOrders = await start(
      store,
      verbsOver(left, async changed => {
        if (changed === 2) await orders.stopOrder([...store.kept.keys()][0]!)
      }),
    )
    const { id } = await orders.begin(wanted)
    const order = await ended(store, id, 'stopped')
    assert.equal(order.done, 2)
    assert.deepEqual(await orders.stopOrder(id), order)
    assert.equal(await orders.stopOrder('nothing'), null)
    await orders.stop()
  })

  it('goes on after a restart where it was', async () => {
    const store = memory()
    const left = { count: 6 }
    let stopping = Promise.resolve()
    const first: BulkOrders = await start(
      store,
      verbsOver(left, async () => {
        stopping = first.stop()
      }),
    )
    const { id } = await first.begin(wanted)
    while (left.count === 6) await systemClock.sleep(1)
    await stopping
    const { state, done } = store.kept.get(id)!
    assert.deepEqual([state, done, left.count], ['running', 2, 4])
    const second = await start(store, verbsOver(left))
    assert.equal((await ended(store, id, 'done')).done, 6)
    assert.equal(left.count, 0)
    await second.stop()
  })

  it('tells why it failed, and the next one is carried out all the same', async () => {
    const store = memory()
    const fail = async () => {
      throw new Error('no disk')
    }
    const orders = await start(store, { ...verbsOver({ count: 2 }), cancel: fail })
    const { id } = await orders.begin({ ...wanted, verb: 'cancel' })
    const next = await orders.begin(wanted)
    assert.equal((await ended(store, id, 'failed')).error, 'Error: no disk')
    assert.equal((await ended(store, next.id, 'done')).done, 2)
    await orders.stop()
  })
})
