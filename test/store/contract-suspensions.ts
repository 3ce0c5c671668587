/**
 * Suspensions: what they hold, what their end releases, and what stays with the operator; detours and orders are kept.
 */
import assert from 'node:assert/strict'
import type { Suspension } from '../../src/mail/suspension.ts'
import type { Change } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { ids, newMessage, outcome } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const all = { limit: 1000 }
const many = 1000

const suspension = (change: Partial<Suspension> = {}): Suspension => ({
  ...{ id: 's1', filter: { domain: 'down.example' }, reason: 'provider outage', createdAt: 1, until: null },
  ...change,
})

async function accepted(t: TestStore, to: string, leased = false, account = 'acme'): Promise<string> {
  const draft = newMessage({ now: t.clock.now(), to: [to], account, ...(leased && { lease }) })
  await t.store.accept(draft)
  return draft.entries[0]!.id
}

async function heldBy(t: TestStore): Promise<Record<string, string>> {
  const rows = await t.store.listQueue({}, all)
  const held = rows.filter(({ entry }) => entry.heldReason !== undefined)
  return Object.fromEntries(held.map(({ entry }) => [entry.id, entry.suspension ?? 'operator']))
}

function claim(t: TestStore) {
  return t.store.claim({ now: t.clock.now(), lease, limit: 100, perDomain: 100 })
}

export function contractOfSuspensions(factory: StoreFactory): void {
  describe('a suspension', () => {
    it('holds what waits in slices, and its end releases exactly that', async () => {
      await using t = await factory()
      const { store, clock } = t
      const own = await accepted(t, 'own@down.example')
      await store.hold({ entry: own }, 'looked at', clock.now())
      const waiting = [await accepted(t, 'a@down.example'), await accepted(t, 'b@down.example')]
      const other = await accepted(t, 'c@up.example')
      await store.addSuspension(suspension())
      assert.equal(await store.catchSuspended('s1', clock.now(), 1), 1)
      assert.equal((await store.suspensions())[0]!.caught, false)
      assert.equal(await store.catchSuspended('s1', clock.now(), many), 1)
      assert.deepEqual(await store.suspensions(), [{ ...suspension(), caught: true, endedAt: null }])
      assert.deepEqual(await heldBy(t), { [own]: 'operator', [waiting[0]!]: 's1', [waiting[1]!]: 's1' })
      assert.deepEqual([...(await store.countSuspended())], [['s1', 2]])
      assert.deepEqual(ids(await claim(t)), [other])
      assert.equal(await store.endSuspension('nobody', clock.now()), null)
      assert.deepEqual(await store.endSuspension('s1', clock.now()), suspension())
      assert.equal(await store.endSuspension('s1', clock.now()), null)
      assert.equal(await store.releaseSuspended('s1', clock.now(), 1), 1)
      assert.equal((await store.suspensions())[0]!.endedAt, clock.now())
      assert.equal(await store.releaseSuspended('s1', clock.now(), many), 1)
      assert.deepEqual(await store.suspensions(), [])
      assert.deepEqual(await heldBy(t), { [own]: 'operator' })
      assert.deepEqual(ids(await claim(t)).sort(), waiting.sort())
      const types = (await store.events({}, 100)).map(({ type }) => type).filter(type => type.startsWith('queue.'))
      assert.deepEqual(types, ['queue.suspended', 'queue.resumed'])
    })

    it('is not released by an order to release, which leaves counts as they are', async () => {
      await using t = await factory()
      await accepted(t, 'a@down.example')
      await t.store.addSuspension(suspension())
      await t.store.catchSuspended('s1', t.clock.now(), many)
      assert.equal(await t.store.unhold({}, t.clock.now()), 0)
      assert.equal((await t.store.countQueue({})).held, 1)
    })

    it('holds what is given back for it while it is in force, and nothing afterwards', async () => {
      await using t = await factory()
      const [first, second] = [await accepted(t, 'a@down.example', true), await accepted(t, 'b@down.example', true)]
      await t.store.addSuspension(suspension())
      const release = (entry: string) => ({ entry, nextAttemptAt: t.clock.now(), suspension: 's1' })
      await t.store.release([release(first)], lease.owner)
      assert.deepEqual(await heldBy(t), { [first]: 's1' })
      await t.store.endSuspension('s1', t.clock.now())
      await t.store.release([release(second)], lease.owner)
      assert.deepEqual(await heldBy(t), { [first]: 's1' })
      assert.deepEqual(ids(await claim(t)), [second])
    })

    it('holds deferrals it fits, by class too, and a second one takes over from a first that ends', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [fits, other] = [await accepted(t, 'a@down.example', true), await accepted(t, 'b@down.example', true)]
      await t.store.addSuspension(suspension({ id: 's1', filter: { class: 'rate' } }))
      await t.store.addSuspension(suspension({ id: 's2', filter: { account: 'acme', domain: 'down.example' } }))
      await t.store.settle({
        outcomes: [
          outcome(fits, 'deferred', now, { class: 'rate', nextAttemptAt: now }),
          outcome(other, 'deferred', now, { class: 'network', nextAttemptAt: now }),
        ],
        ...{ reports: [], events: [] },
      })
      assert.deepEqual(await heldBy(t), { [fits]: 's1', [other]: 's2' })
      await t.store.endSuspension('s1', now)
      await t.store.releaseSuspended('s1', now, many)
      assert.deepEqual(await heldBy(t), { [fits]: 's2', [other]: 's2' })
      assert.equal((await t.store.countQueue({ state: 'held' })).total, 2)
      await t.store.endSuspension('s2', now)
      await t.store.releaseSuspended('s2', now, many)
      assert.deepEqual(ids(await claim(t)).sort(), [fits, other].sort())
    })

    it('lets its time pass: past its end it holds no deferral', async () => {
      await using t = await factory()
      const entry = await accepted(t, 'a@down.example', true)
      await t.store.addSuspension(suspension({ until: t.clock.now() + 1000 }))
      await t.clock.advance(1000)
      await t.store.settle({ outcomes: [outcome(entry, 'deferred', t.clock.now())], reports: [], events: [] })
      assert.deepEqual(await heldBy(t), {})
    })

    it('is told to every thread, as detours are', async () => {
      await using t = await factory()
      const kinds: Change['kind'][] = []
      t.store.onChange(({ kind }) => kinds.push(kind))
      await t.store.addSuspension(suspension())
      await t.store.endSuspension('s1', 2)
      const detour = {
        ...{ id: 'd1', domain: 'down.example', hosts: [{ host: 'relay.example', port: null }] },
        ...{ tls: null, createdAt: 1, until: null, note: 'outage' },
      }
      await t.store.addDetour(detour)
      assert.deepEqual(await t.store.detours(), [detour])
      assert.deepEqual(await t.store.removeDetour('d1'), detour)
      assert.equal(await t.store.removeDetour('d1'), null)
      assert.deepEqual(kinds, ['suspension', 'suspension', 'detour', 'detour'])
    })
  })

  describe('an order to many entries', () => {
    it('is told slice by slice, and stops when it is told to', async () => {
      await using t = await factory()
      for (let i = 0; i < 3; i++) await accepted(t, `${i}@up.example`)
      const told: number[] = []
      assert.equal(await t.store.hold({}, 'x', t.clock.now(), changed => told.push(changed) > 5), 3)
      assert.deepEqual(told, [3])
    })

    it('is remembered, the newest first', async () => {
      await using t = await factory()
      const operation = (id: string, done: number) => ({
        ...{ id, verb: 'hold', filter: { domain: 'x.example' }, reason: 'r', total: 9, done, state: 'running' },
        ...{ createdAt: 1, endedAt: null, error: null },
      })
      const save = (id: string, done: number) => t.store.saveQueueOperation(operation(id, done) as never)
      await save('a', 0)
      await save('b', 0)
      await save('a', 5)
      assert.deepEqual(await t.store.queueOperations(), [operation('b', 0), operation('a', 5)])
      assert.deepEqual(await t.store.queueOperation('a'), operation('a', 5))
      assert.equal(await t.store.queueOperation('c'), null)
    })
  })
}
