/**
 * Acceptance, content, search, events, purging.
 */
import assert from 'node:assert/strict'
import type { MessageFilter, NewMessage } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { day, newMessage, outcome, outcomeEvent } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

async function search({ store }: TestStore, filter: MessageFilter): Promise<string[]> {
  return (await store.listMessages(filter, { limit: 100 })).map(({ message }) => message.id)
}

export function contractOfMessages(factory: StoreFactory): void {
  describe('accepting', () => {
    it('leases what is due to the caller and leaves the rest in the queue', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const fresh = newMessage({ now, lease, to: ['a@one.example', 'b@two.example'] })
      const entries = fresh.entries.map((entry, n) => (n === 1 ? { ...entry, leasable: false } : entry))
      const { leased, nextDueAt } = await t.store.accept({ ...fresh, entries })
      assert.deepEqual(leased, [`${fresh.message.id}.0`])
      assert.equal(nextDueAt, now)
      assert.equal(await t.store.nextDueAt(), now)
      const { total, leased: inLease, due } = await t.store.countQueue({})
      assert.deepEqual({ total, inLease, due }, { total: 2, inLease: 1, due: 1 })
    })

    it('leases nothing without a lease or before the moment given', async () => {
      await using t = await factory()
      const now = t.clock.now()
      assert.deepEqual((await t.store.accept(newMessage({ now }))).leased, [])
      const later = newMessage({ now, lease, nextAttemptAt: now + 1000 })
      assert.deepEqual(await t.store.accept(later), { leased: [], nextDueAt: now + 1000 })
    })

    it('keeps the content byte for byte, whatever buffer it was a part of', async () => {
      await using t = await factory()
      const slab = Buffer.alloc(100_000, 'x')
      Buffer.from([0, 255, 13, 10, 0x80, 46]).copy(slab, 5000)
      const bytes = slab.subarray(4990, 5010)
      const messages = [1, 2, 3].map(i => newMessage({ now: t.clock.now() + i, content: { kind: 'inline', bytes } }))
      const expected = Buffer.from(bytes)
      await Promise.all(messages.map(message => t.store.accept(message)))
      for (const { message } of messages) {
        const content = await t.store.content(message.id)
        assert.ok(content?.kind === 'inline' && expected.equals(content.bytes))
      }
      assert.ok(expected.equals(bytes), 'the caller keeps its buffer')
    })

    it('names the file of a large content', async () => {
      await using t = await factory()
      const content = { kind: 'file', path: 'spool/ab/abcd.eml' } as const
      const { message, ...rest } = newMessage({ now: t.clock.now(), content })
      await t.store.accept({ message, ...rest })
      assert.deepEqual(await t.store.content(message.id), content)
      assert.deepEqual((await t.store.message(message.id))?.message, message)
    })

    it('refuses a message id that exists and takes the others of the same moment', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [one, two] = [newMessage({ now }), newMessage({ now })]
      await t.store.accept(one)
      const results = await Promise.allSettled([t.store.accept(one), t.store.accept(two)])
      assert.deepEqual(
        results.map(result => result.status),
        ['rejected', 'fulfilled'],
      )
      assert.equal((await t.store.totals()).accepted, 2)
    })

    it('refuses an entry that is none of its recipients', async () => {
      await using t = await factory()
      const message = newMessage({ now: t.clock.now() })
      const entries = message.entries.map(entry => ({ ...entry, recipient: { address: 'other@there.example' } }))
      await assert.rejects(t.store.accept({ ...message, entries }), TypeError)
    })
  })

  describe('a search', () => {
    /** Enough messages for the index to have parts, and some after it. */
    async function filled(): Promise<{ t: TestStore; wanted: NewMessage; last: NewMessage }> {
      const t = await factory()
      const now = t.clock.now()
      const others = (from: number, count: number) =>
        Array.from({ length: count }, (_, i) =>
          newMessage({
            now: now + from + i,
            account: 'other',
            from: `x${i}@other.example`,
            to: [`y${i}@else.example`],
          }),
        )
      const wanted = newMessage({ now: now + 2000, to: ['Find.Me@there.example', 'two@there.example'] })
      await Promise.all([...others(0, 2000), wanted, ...others(2001, 2200)].map(message => t.store.accept(message)))
      await t.store.setSetting('any', 'gives the writer a moment without mail')
      const last = newMessage({ now: now + 9000, to: ['find.me@there.example'], from: 'other@ours.example' })
      await t.store.accept(last)
      return { t, wanted, last }
    }

    it('finds messages by everything that is known about them, indexed or not', async () => {
      const { t, wanted, last } = await filled()
      await using _ = t
      const [first, second] = [wanted.message.id, last.message.id]
      assert.deepEqual(await search(t, { recipient: 'find.me@THERE.example'.toLowerCase() }), [second, first])
      assert.deepEqual(await search(t, { recipient: 'two@there.example' }), [first])
      assert.deepEqual(await search(t, { sender: 'a@ours.example' }), [first])
      assert.deepEqual(await search(t, { senderDomain: 'ours.example' }), [second, first])
      assert.deepEqual(await search(t, { account: 'acme' }), [second, first])
      assert.deepEqual(await search(t, { messageIdHeader: wanted.message.messageIdHeader }), [first])
      assert.deepEqual(await search(t, { account: 'acme', since: last.message.receivedAt }), [second])
      assert.deepEqual(await search(t, { account: 'acme', until: wanted.message.receivedAt }), [first])
      assert.deepEqual(await search(t, { account: 'acme', recipient: 'nobody@there.example' }), [])
      assert.deepEqual(await search(t, { account: 'acme', state: 'delivered' }), [])
      assert.equal((await search(t, { account: 'other' })).length, 100)
      assert.equal((await t.store.listQueue({ recipient: 'find.me@there.example' }, { limit: 10 })).length, 2)
    })

    it('pages from the newest to the oldest without gap or repetition', async () => {
      const { t } = await filled()
      await using _ = t
      for (const filter of [{ account: 'other' }, {}, { state: 'queued' }] as const) {
        const seen: string[] = []
        for (let after: string | undefined; ; after = seen.at(-1)) {
          const page = await t.store.listMessages(filter, { limit: 1000, ...(after && { after }) })
          seen.push(...page.map(({ message }) => message.id))
          if (page.length < 1000) break
        }
        assert.equal(seen.length, 'account' in filter ? 4200 : 4202)
        assert.deepEqual(seen, seen.toSorted().reverse())
      }
    })

    it('asks for the state of the recipient that is asked for', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease, to: ['a@one.example', 'b@two.example'] })
      await t.store.accept(message)
      await t.store.settle({
        outcomes: [outcome(`${message.message.id}.0`, 'delivered', now)],
        reports: [],
        events: [],
      })
      assert.equal((await search(t, { recipient: 'a@one.example', state: 'delivered' })).length, 1)
      assert.equal((await search(t, { recipient: 'b@two.example', state: 'delivered' })).length, 0)
      assert.equal((await search(t, { recipient: 'b@two.example', state: 'queued' })).length, 1)
      assert.equal((await search(t, { state: 'delivered' })).length, 1)
      assert.equal((await search(t, { state: 'queued' })).length, 1)
    })
  })

  describe('events', () => {
    it('are a timeline per message, in order, with a cursor', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease, events: true })
      const other = newMessage({ now, events: true })
      await t.store.accept(message)
      await t.store.accept(other)
      const delivered = outcome(`${message.message.id}.0`, 'delivered', now + 5)
      await t.store.settle({ outcomes: [delivered], reports: [], events: [outcomeEvent(delivered)] })
      const timeline = await t.store.events({ message: message.message.id }, 10)
      assert.deepEqual(
        timeline.map(event => event.type),
        ['message.accepted', 'message.delivered'],
      )
      assert.deepEqual(timeline[1]?.data, delivered)
      assert.equal(timeline[1]?.entry, `${message.message.id}.0`)
      const all = await t.store.events({}, 10)
      assert.equal(all.length, 3)
      assert.deepEqual(await t.store.events({ after: all[0]!.seq }, 1), [all[1]])
      assert.equal((await t.store.events({ type: 'message.accepted', account: 'acme' }, 10)).length, 2)
    })
  })

  describe('purging', () => {
    it('forgets what is finished and old, and nothing that is queued', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [done, queued, young] = [
        newMessage({ now, lease, events: true }),
        newMessage({ now, events: true }),
        newMessage({ now: now + 2 * day, events: true }),
      ]
      for (const message of [done, queued, young]) await t.store.accept(message)
      const delivered = outcome(`${done.message.id}.0`, 'delivered', now)
      await t.store.settle({ outcomes: [delivered], reports: [], events: [outcomeEvent(delivered)] })
      assert.equal(await t.store.purge(now + day, 100), 1)
      assert.equal(await t.store.message(done.message.id), null)
      assert.deepEqual(await search(t, {}), [young.message.id, queued.message.id])
      assert.equal(
        (await t.store.events({}, 10)).length,
        3,
        'the newest event stays, so that its number is not used again',
      )
      assert.equal((await t.store.totals()).accepted, 3)
    })

    it('leaves nothing in the search either, and new mail is found', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const old = Array.from({ length: 4200 }, () => newMessage({ now, lease }))
      await Promise.all(old.map(message => t.store.accept(message)))
      const outcomes = old.map(({ entries }) => outcome(entries[0]!.id, 'bounced', now))
      await t.store.settle({ outcomes, reports: [], events: [] })
      assert.equal((await search(t, { account: 'acme', state: 'bounced' })).length, 100)
      assert.equal(await t.store.purge(now + day, 10_000), 4200)
      const fresh = newMessage({ now: now + day })
      await t.store.accept(fresh)
      assert.deepEqual(await search(t, { account: 'acme' }), [fresh.message.id])
    })
  })
}
