/**
 * Accounts take turns: what one of them has waiting for a recipient domain does not keep another's mail from a claim.
 */
import assert from 'node:assert/strict'
import type { LeasedEntry } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { ids, newMessage, outcome } from './fixtures.ts'

function request(now: number, limit = 100, perDomain = 100) {
  return { now, limit, perDomain, lease: { owner: 'node/0', until: now + 120_000 } }
}

interface Put {
  readonly account: string
  /** Recipients at there.example, a message each … */
  readonly count: number
  /** … the first due then, each of the others a millisecond later than the one before. */
  readonly at: number
  readonly from?: string
}

/** Answers the entries, the one that is due first in front. */
async function put({ store, clock }: TestStore, { account, count, at, from }: Put): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, n) =>
    newMessage({
      ...{ now: clock.now(), account, to: [`${account}@there.example`], nextAttemptAt: at + n },
      ...(from !== undefined && { from }),
    }),
  )
  await Promise.all(messages.map(message => store.accept(message)))
  return messages.map(message => message.entries[0]!.id)
}

function ofAccount(claimed: readonly LeasedEntry[], account: string): string[] {
  return ids(claimed.filter(({ message }) => message.account === account))
}

export function contractOfTurns(factory: StoreFactory): void {
  describe('accounts with mail for one domain', () => {
    it('share a claim, whatever one of them has waiting for longer, each oldest first', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const many = await put(t, { account: 'many', count: 1000, at: now - 5000 })
      const few = await put(t, { account: 'few', count: 3, at: now - 10 })
      const claimed = await t.store.claim(request(now))
      assert.deepEqual(ofAccount(claimed, 'few'), few)
      assert.deepEqual(ofAccount(claimed, 'many'), many.slice(0, 97))
      assert.deepEqual(ids(await t.store.claim(request(now))), many.slice(97, 197))
    })

    it('take a claim by halves when both have enough', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const many = await put(t, { account: 'many', count: 300, at: now - 5000 })
      const other = await put(t, { account: 'other', count: 60, at: now - 100 })
      const claimed = await t.store.claim(request(now))
      assert.deepEqual(ofAccount(claimed, 'many'), many.slice(0, 50))
      assert.deepEqual(ofAccount(claimed, 'other'), other.slice(0, 50))
    })

    it('are each reached by small claims, one after the other', async () => {
      await using t = await factory()
      const now = t.clock.now()
      for (const account of ['a', 'b', 'c', 'd', 'e']) await put(t, { account, count: 9, at: now - 5000 })
      const seen: (string | null)[] = []
      for (let n = 0; n < 3; n++) {
        t.clock.advance(1)
        seen.push(...(await t.store.claim(request(t.clock.now(), 2, 2))).map(({ message }) => message.account))
      }
      assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e', 'a'])
    })

    it('have one share each, however many sender domains there are, and these have even parts of it, in order of time', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const first = await put(t, { account: 'many', count: 2, at: now - 9000, from: 'a@one.example' })
      const [tried] = ids(await t.store.claim(request(now, 1, 1)))
      const deferred = outcome(tried!, 'deferred', now, { class: 'network', nextAttemptAt: now - 7000 })
      await t.store.settle({ outcomes: [deferred], reports: [], events: [] })
      const second = await put(t, { account: 'many', count: 2, at: now - 8000, from: 'a@two.example' })
      const few = await put(t, { account: 'few', count: 9, at: now - 10 })
      const claimed = await t.store.claim(request(now, 8, 8))
      const from = (domain: string) => ids(claimed.filter(({ message }) => message.senderDomain === domain))
      assert.deepEqual(from('one.example'), [first[1], tried])
      assert.deepEqual(from('two.example'), second)
      assert.deepEqual(ofAccount(claimed, 'few'), few.slice(0, 4))
    })

    it('have no turn while nothing of theirs is due, and are told when that will be', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const many = await put(t, { account: 'many', count: 4, at: now - 5000 })
      const later = await put(t, { account: 'later', count: 2, at: now + 700 })
      assert.deepEqual(ids(await t.store.claim(request(now, 3, 3))), many.slice(0, 3))
      assert.deepEqual(ids(await t.store.claim(request(now))), many.slice(3))
      assert.equal(await t.store.nextDueAt(), now + 700)
      assert.deepEqual(ids(await t.store.claim(request(now + 701))), later)
      assert.equal(await t.store.nextDueAt(), null)
    })

    it('lose their turn with what is held, and have it back with its release', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const many = await put(t, { account: 'many', count: 4, at: now - 5000 })
      const few = await put(t, { account: 'few', count: 2, at: now - 10 })
      await t.store.hold({ account: 'many' }, 'look at it', now)
      assert.deepEqual(ids(await t.store.claim(request(now))), few)
      assert.equal(await t.store.nextDueAt(), null)
      await t.store.unhold({ account: 'many' }, now)
      assert.deepEqual(ids(await t.store.claim(request(now))), many)
    })

    it('wait for their own send slots without taking the share of others', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const limits = [{ key: 'account:slow', limits: { perMinute: 1 } }]
      await t.store.createAccount({
        ...{ id: 'slow', name: 'slow', createdAt: 0, unaligned: 'send', suspendedReason: null },
        limits: { perMinute: 1 },
      })
      const slow = newMessage({
        now,
        account: 'slow',
        to: ['a', 'b', 'c'].map(name => `${name}@there.example`),
        limits,
      })
      await t.store.accept(slow)
      const free = await put(t, { account: 'free', count: 5, at: now - 10 })
      const claimed = await t.store.claim(request(now))
      assert.deepEqual(ofAccount(claimed, 'slow'), [slow.entries[0]!.id])
      assert.deepEqual(ofAccount(claimed, 'free'), free)
      assert.equal(await t.store.nextDueAt(), now + 60_000)
      assert.deepEqual(ids(await t.store.claim(request(now + 60_000))), [slow.entries[1]!.id])
    })

    it('keep their order when leases are given back or taken back', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const many = await put(t, { account: 'many', count: 30, at: now - 5000 })
      const few = await put(t, { account: 'few', count: 2, at: now - 10 })
      await t.store.claim(request(now))
      await t.store.release([{ entry: many[7]!, nextAttemptAt: now - 6000 }], 'node/0')
      assert.equal(await t.store.reclaim({ owner: 'node/0' }), 31)
      const claimed = await t.store.claim(request(now, 6, 6))
      assert.deepEqual(ofAccount(claimed, 'few'), few)
      assert.deepEqual(ofAccount(claimed, 'many'), [many[7], ...many.slice(0, 3)])
    })
  })
}
