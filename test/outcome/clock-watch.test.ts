/**
 * The wall clock is set while mail waits, or between two lives: waits take as long as they were meant to. Real store.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { startClockWatch } from '../../src/outcome/clock-watch.ts'
import { startSuspensions } from '../../src/outcome/suspensions.ts'
import type { NewMessage } from '../../src/store/store.ts'
import { sqliteFactory, type TestStore } from '../store/factory.ts'
import { newMessage, outcome } from '../store/fixtures.ts'

const minute = 60_000
const hour = 60 * minute
const factory = sqliteFactory(true)
const lookMs = 2000

const watch = ({ store, clock }: TestStore) => startClockWatch({ store, clock, log: silentLog })
const limits = [{ key: 'domain:ours.example', limits: { perMinute: 60 } }]

/** Seconds from now on at which waiting entries are due. */
async function due({ store, clock }: TestStore): Promise<number[]> {
  const rows = await store.listQueue({}, { limit: 5000 })
  return rows.map(({ entry }) => (entry.nextAttemptAt - clock.now()) / 1000).sort((a, b) => a - b)
}

function mail({ clock }: TestStore, more: Partial<Parameters<typeof newMessage>[0]> = {}): NewMessage {
  return newMessage({ now: clock.now(), limits, ...more })
}

async function claimable({ store, clock }: TestStore): Promise<number> {
  const lease = { owner: 'node/0', until: clock.now() + minute }
  return (await store.claim({ now: clock.now(), limit: 100, perDomain: 100, lease })).length
}

describe('a wall clock that is set back while mail waits', () => {
  it('leaves slots as far apart as before, and as far away', async () => {
    await using t = await factory()
    t.clock.set(3 * hour)
    await using watching = await watch(t)
    for (let n = 0; n < 5; n++) await t.store.accept(mail(t))
    assert.deepEqual(await due(t), [0, 1, 2, 3, 4])
    t.clock.set(-3 * hour)
    assert.equal((await due(t))[0], 3 * 3600)
    await t.clock.advance(lookMs)
    await watching.idle()
    assert.deepEqual(await due(t), [0, 0, 0, 1, 2])
    await t.store.accept(mail(t))
    assert.equal((await due(t)).at(-1), 3, 'the next slot, too')
    assert.equal(await claimable(t), 3)
  })

  it('is noticed at the next start', async () => {
    await using t = await factory()
    t.clock.set(3 * hour)
    await (await watch(t)).stop()
    for (let n = 0; n < 3; n++) await t.store.accept(mail(t))
    t.clock.set(-3 * hour)
    await using _ = await watch(t)
    assert.deepEqual(await due(t), [0, 1, 2])
  })

  it('lets retries, lanes and leases end when they would have', async () => {
    await using t = await factory()
    t.clock.set(3 * hour)
    await using watching = await watch(t)
    const [retried, closed, leased] = ['a', 'closed', 'c'].map(name =>
      mail(t, { limits: [], to: [`r@${name}.example`] }),
    )
    for (const one of [retried, closed, leased]) await t.store.accept(one!)
    await t.store.postpone(['closed.example'], t.clock.now() + hour)
    const lease = { owner: 'node/0', until: t.clock.now() + minute }
    assert.equal((await t.store.claim({ now: t.clock.now(), limit: 9, perDomain: 9, lease })).length, 2)
    const at = t.clock.now()
    const outcomes = [outcome(retried!.entries[0]!.id, 'deferred', at, { nextAttemptAt: at + hour })]
    await t.store.settle({ outcomes, events: [], reports: [] })
    t.clock.set(-3 * hour)
    await t.clock.advance(lookMs)
    await watching.idle()
    assert.equal(await claimable(t), 0)
    await t.clock.advance(hour)
    assert.equal(await claimable(t), 2)
    assert.equal(await t.store.reclaim({ expiredBefore: t.clock.now() - minute + 1 }), 1, 'of the one that is lost')
  })

  it('brings forward what a claim left over for later', async () => {
    await using t = await factory()
    t.clock.set(3 * hour)
    await using watching = await watch(t)
    for (let n = 0; n < 5; n++) await t.store.accept(mail(t, { limits: [] }))
    const lease = { owner: 'node/0', until: t.clock.now() + minute }
    await t.store.claim({ now: t.clock.now(), limit: 2, perDomain: 2, lease })
    t.clock.set(-3 * hour)
    await t.clock.advance(lookMs)
    await watching.idle()
    assert.equal(await claimable(t), 3)
  })

  it('changes no time of day that a sender named', async () => {
    await using t = await factory()
    const releaseAt = t.clock.now() + 5 * hour
    t.clock.set(3 * hour)
    await using watching = await watch(t)
    await t.store.accept(mail(t, { limits: [], message: { releaseAt } }))
    t.clock.set(-3 * hour)
    await t.clock.advance(lookMs)
    await watching.idle()
    const [row] = await t.store.listQueue({}, { limit: 1 })
    assert.equal(row!.entry.nextAttemptAt, releaseAt)
  })

  it('moves thousands, in slices, and all of them count as before', async () => {
    await using t = await factory()
    t.clock.set(3 * hour)
    await using watching = await watch(t)
    for (let n = 0; n < 20; n++)
      await t.store.accept(mail(t, { to: Array.from({ length: 100 }, (_, r) => `r${r}@there.example`) }))
    t.clock.set(-3 * hour)
    await t.clock.advance(lookMs)
    await watching.idle()
    assert.deepEqual((await due(t)).at(-1), 1999 - lookMs / 1000)
    const counts = [await t.store.countQueue({}), await t.store.countQueue({ state: 'waiting' })]
    assert.deepEqual(
      [...counts.map(({ total }) => total), (await due(t)).filter(seconds => seconds > 0).length],
      [2000, 1997, 1997],
    )
  })
})

describe('a wall clock that is set forward', () => {
  it('makes workers look at what has become due', async () => {
    await using t = await factory()
    await using watching = await watch(t)
    await t.store.accept(mail(t, { limits: [], message: { releaseAt: t.clock.now() + hour } }))
    let told = 0
    const stop = t.store.onChange(({ kind }) => {
      if (kind === 'queue') told++
    })
    t.clock.set(2 * hour)
    await t.clock.advance(lookMs)
    await watching.idle()
    stop()
    assert.deepEqual([told, await claimable(t)], [1, 1])
  })

  it('ends a suspension at the time of day that was named, and set back it does not begin anew', async () => {
    await using t = await factory()
    const suspensions = startSuspensions({ store: t.store, clock: t.clock, log: silentLog })
    const until = t.clock.now() + 2 * hour
    await suspensions.suspend({ filter: { domain: 'there.example' }, reason: 'an outage', until })
    const inForce = async () => (await t.store.suspensions()).filter(({ endedAt }) => endedAt === null).length
    const counts: number[] = []
    for (const hours of [-1, 3, -3]) {
      t.clock.set(hours * hour)
      await t.clock.advance(lookMs)
      counts.push(await inForce())
    }
    await suspensions.stop()
    assert.deepEqual(counts, [1, 0, 0])
  })
})
