/**
 * Outcomes: counted once, content gone with the last entry, reports and events in the same transaction.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { openSpool } from '../../src/store/spool.ts'
import type { StoreFactory } from './factory.ts'
import { ids, newMessage, outcome, outcomeEvent } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const noMore = { reports: [], events: [] } as const

export function contractOfSettling(factory: StoreFactory): void {
  describe('settling', () => {
    it('ends a delivered entry and keeps its content while another needs it', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const { message, ...rest } = newMessage({ now, lease, to: ['a@x.example', 'b@y.example'] })
      await t.store.accept({ message, ...rest })
      await t.store.settle({ outcomes: [outcome(`${message.id}.0`, 'delivered', now)], ...noMore })
      assert.notEqual(await t.store.content(message.id), null)
      await t.store.settle({ outcomes: [outcome(`${message.id}.1`, 'bounced', now)], ...noMore })
      assert.equal(await t.store.content(message.id), null)
      const counts = { queued: 0, delivered: 1, bounced: 1, cancelled: 0 }
      assert.deepEqual((await t.store.message(message.id))?.counts, counts)
    })

    it('brings a deferred entry back when it is due, with what was said', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease })
      await t.store.accept(message)
      const entry = message.entries[0]!.id
      const deferred = outcome(entry, 'deferred', now, {
        nextAttemptAt: now + 60_000,
        class: 'greylisted',
        inDoubt: true,
      })
      await t.store.settle({ outcomes: [deferred], ...noMore })
      assert.equal(await t.store.nextDueAt(), now + 60_000)
      assert.equal((await t.store.countQueue({ class: 'greylisted' })).total, 1)
      const [again] = await t.store.claim({ now: now + 60_000, lease, limit: 1, perDomain: 1 })
      assert.equal(again?.entry.attempts, 1)
      assert.equal(again?.entry.inDoubt, true)
      assert.equal(again?.entry.lastReply, '451 4.0.0 said so')
    })

    it('counts the same batch once, and its events and reports too', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] })
      await t.store.accept(message)
      const outcomes = [
        outcome(message.entries[0]!.id, 'bounced', now),
        outcome(message.entries[1]!.id, 'deferred', now, { nextAttemptAt: now + 1e6 }),
      ]
      const report = newMessage({ now, from: 'postmaster@relay.example', to: ['a@ours.example'] })
      const about = outcomes.map(({ entry }) => entry)
      const batch = { outcomes, reports: [{ report, about }], events: outcomes.map(outcomeEvent) }
      for (let i = 0; i < 3; i++) await t.store.settle(batch)
      assert.deepEqual(await t.store.totals(), { accepted: 3, delivered: 0, bounced: 1, cancelled: 0, queued: 2 })
      assert.equal((await t.store.events({ message: message.message.id }, 10)).length, 2)
      assert.equal((await t.store.listQueue({ state: 'waiting' }, { limit: 1 }))[0]?.entry.attempts, 1)
    })

    it('passes over entries it does not know', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const known = newMessage({ now, lease })
      await t.store.accept(known)
      const outcomes = ['nothing', `${known.message.id}.7`, `${known.message.id}.x`, known.entries[0]!.id].map(entry =>
        outcome(entry, 'delivered', now),
      )
      await t.store.settle({ outcomes, reports: [], events: outcomes.map(outcomeEvent) })
      assert.equal((await t.store.totals()).delivered, 1)
      assert.equal((await t.store.events({ type: 'message.delivered' }, 10)).length, 1)
    })

    it('counts a delivery also when the lease was lost meanwhile, and no other outcome', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] })
      await t.store.accept(message)
      await t.store.reclaim({ owner: lease.owner })
      const [a, b] = message.entries.map(entry => entry.id)
      await t.store.settle({ outcomes: [outcome(a!, 'delivered', now), outcome(b!, 'bounced', now)], ...noMore })
      assert.deepEqual(await t.store.totals(), { accepted: 2, delivered: 1, bounced: 0, cancelled: 0, queued: 1 })
      assert.deepEqual(ids(await t.store.claim({ now, lease, limit: 9, perDomain: 9 })), [b])
    })

    it('queues reports and says that there is something to send', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease })
      await t.store.accept(message)
      let told = 0
      t.store.onChange(change => void (change.kind === 'queue' && told++))
      const report = newMessage({ now, account: 'acme', to: ['a@ours.example'] })
      await t.store.settle({
        outcomes: [outcome(message.entries[0]!.id, 'bounced', now)],
        reports: [{ report, about: [message.entries[0]!.id] }],
        events: [],
      })
      assert.equal(told, 1)
      assert.deepEqual(ids(await t.store.claim({ now, lease, limit: 9, perDomain: 9 })), [report.entries[0]!.id])
    })

    it('queues a report only when an outcome it tells of counts, and says which did not', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [mine, lost] = [1, 2].map(() => newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] }))
      for (const message of [mine!, lost!]) await t.store.accept(message)
      const [a, b] = mine!.entries.map(entry => entry.id)
      const [c, d] = lost!.entries.map(entry => entry.id)
      // Their leases ran out meanwhile; somebody else has d by now.
      await t.store.release(
        [b!, c!, d!].map(entry => ({ entry, nextAttemptAt: now + 1e6 })),
        lease.owner,
      )
      const [both, late, delay] = ['both', 'late', 'delay'].map(to =>
        newMessage({ now, from: 'postmaster@relay.example', to: [`${to}@ours.example`] }),
      )
      const outcomes = [a!, b!, c!, d!].map(entry => outcome(entry, 'bounced', now))
      const reports = [
        { report: both!, about: [a!, b!] },
        { report: late!, about: [c!, d!] },
        { report: delay!, about: [] },
      ]
      const passedOver = await t.store.settle({ outcomes, reports, events: outcomes.map(outcomeEvent) })
      assert.deepEqual([...passedOver].sort(), [b!, c!, d!].sort())
      assert.equal((await t.store.totals()).bounced, 1)
      assert.equal((await t.store.events({ type: 'message.bounced' }, 10)).length, 1)
      assert.equal(await t.store.message(late!.message.id), null)
      const claimed = ids(await t.store.claim({ now, lease, limit: 9, perDomain: 9 }))
      assert.deepEqual(claimed.sort(), [both!, delay!].map(({ entries }) => entries[0]!.id).sort())
    })

    it('removes the spool file with the last entry', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const spool = openSpool(t.dataDir)
      const file = await spool.create()
      await file.write(Buffer.from('large'))
      const path = await file.commit()
      const message = newMessage({ now, lease, content: { kind: 'file', path } })
      await t.store.accept(message)
      assert.ok(existsSync(spool.absolute(path)))
      await t.store.settle({ outcomes: [outcome(message.entries[0]!.id, 'delivered', now)], ...noMore })
      while (existsSync(spool.absolute(path))) await new Promise(resolve => setImmediate(resolve))
    })
  })
}
