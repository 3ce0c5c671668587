/**
 * Suspensions that end by themselves while the store fails or others are made. Real store.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { startSuspensions } from '../../src/outcome/suspensions.ts'
import type { Store } from '../../src/store/store.ts'
import { sqliteFactory, type TestStore } from '../store/factory.ts'
import { newMessage } from '../store/fixtures.ts'

const minute = 60_000
const factory = sqliteFactory(true)

/** The store with one method that is asked first whether it may. */
function behind(store: Store, name: keyof Store, first: () => Promise<void>): Store {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...given: unknown[]) => unknown
      return property === name ? (...given: unknown[]) => first().then(() => method(...given)) : method
    },
  })
}

async function standing({ store }: TestStore): Promise<(string | undefined)[]> {
  return (await store.suspensions()).map(({ filter }) => filter.domain)
}

describe('a suspension whose time is over', () => {
  it('ends once the store can be written again, and what it held goes', async () => {
    await using t = await factory()
    let fails = false
    const refuse = async () => {
      if (fails) throw new Error('the disk is full')
    }
    const suspensions = startSuspensions({
      store: behind(t.store, 'endSuspension', refuse),
      clock: t.clock,
      log: silentLog,
    })
    await t.store.accept(newMessage({ now: t.clock.now(), to: ['b@there.example'] }))
    const until = t.clock.now() + minute
    await suspensions.suspend({ filter: { domain: 'there.example' }, reason: 'an outage', until })
    assert.equal((await t.store.countQueue({})).held, 1)
    fails = true
    await t.clock.advance(5 * minute)
    assert.deepEqual(await standing(t), ['there.example'])
    fails = false
    await t.clock.advance(2000)
    assert.deepEqual(await standing(t), [])
    assert.equal((await t.store.countQueue({})).held, 0)
    await suspensions.stop()
  })

  it('ends also when it was made while the store was looked at for others', async () => {
    await using t = await factory()
    const read = Promise.withResolvers<void>()
    const suspensions = startSuspensions({
      store: behind(t.store, 'removeDetour', () => read.promise),
      clock: t.clock,
      log: silentLog,
    })
    const hosts = [{ host: 'relay.example', port: null }]
    const detour = { domain: 'there.example', hosts, tls: null, note: 'for a minute' }
    await suspensions.detour({ ...detour, until: t.clock.now() + minute })
    await t.clock.advance(minute)
    await suspensions.suspend({ filter: { domain: 'late.example' }, reason: 'r', until: t.clock.now() + minute })
    read.resolve()
    await t.clock.advance(5 * minute)
    assert.deepEqual(await standing(t), [])
    await suspensions.stop()
  })
})
