/**
 * Claims, leases, postponement, orders of an operator.
 */
import assert from 'node:assert/strict'
import type { Outcome } from '../../src/mail/outcome.ts'
import type { Change } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { ids, newMessage, outcome } from './fixtures.ts'

function request(now: number, limit = 100, perDomain = 100) {
  return { now, limit, perDomain, lease: { owner: 'node/0', until: now + 120_000 } }
}

/** One message to one recipient; answers the entry's id. */
async function put({ store, clock }: TestStore, to: string, nextAttemptAt = clock.now()): Promise<string> {
  const message = newMessage({ now: clock.now(), to: [to], nextAttemptAt })
  await store.accept(message)
  return message.entries[0]!.id
}

export function contractOfClaims(factory: StoreFactory): void {
  describe('a claim', () => {
    it('takes due entries once, with what an attempt needs', async () => {
      await using t = await factory()
      const message = newMessage({ now: t.clock.now() })
      await t.store.accept(message)
      const claimed = await t.store.claim(request(t.clock.now()))
      assert.deepEqual(claimed[0]?.message, message.message)
      assert.deepEqual(claimed[0]?.entry.recipient, { address: 'b@there.example' })
      assert.equal(claimed[0]?.entry.attempts, 0)
      assert.deepEqual(await t.store.claim(request(t.clock.now())), [])
      assert.equal(await t.store.nextDueAt(), null)
    })

    it('takes the oldest first within a domain, and only what is due', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const late = await put(t, 'a@x.example', now - 10)
      const early = await put(t, 'b@x.example', now - 20)
      await put(t, 'c@x.example', now + 10)
      assert.deepEqual(ids(await t.store.claim(request(now))), [early, late])
      assert.equal(await t.store.nextDueAt(), now + 10)
      assert.equal((await t.store.claim(request(now + 10))).length, 1)
    })

    it('lets no domain take more than its share, and visits the others next', async () => {
      await using t = await factory()
      const now = t.clock.now()
      for (let i = 0; i < 5; i++) await put(t, `u${i}@big.example`, now - 1000)
      const small = await put(t, 'u@small.example', now - 500)
      const first = ids(await t.store.claim(request(now, 2, 2)))
      assert.equal(first.length, 2)
      const second = ids(await t.store.claim(request(now, 2, 2)))
      assert.ok([...first, ...second].includes(small))
      assert.equal((await t.store.claim(request(now, 10, 10))).length + 2, 4)
    })

    it('does not see a postponed domain until its time, new entries included', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, 'a@closed.example')
      await t.store.postpone(['closed.example', 'empty.example'], now + 5000)
      await put(t, 'b@closed.example')
      const open = await put(t, 'c@open.example')
      assert.deepEqual(ids(await t.store.claim(request(now))), [open])
      assert.equal(await t.store.nextDueAt(), now + 5000)
      assert.equal((await t.store.claim(request(now + 5000))).length, 2)
      assert.equal(await t.store.nextDueAt(), null)
    })

    it('of another worker is told when a postponed domain is opened again', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, 'a@full.example')
      await t.store.postpone(['full.example'], now + 60_000)
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      await t.store.postpone(['empty.example'], now)
      await t.store.postpone(['full.example'], now + 50_000)
      assert.deepEqual(changes, [])
      await t.store.postpone(['full.example'], now)
      assert.deepEqual(changes, [{ kind: 'queue' }])
    })

    it('sees every domain again when an owner starts', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const postponed = await put(t, 'a@full.example')
      const later = await put(t, 'b@later.example', now + 1000)
      await t.store.postpone(['full.example', 'later.example'], now + 60_000)
      await t.store.reclaim({ expiredBefore: now })
      assert.deepEqual(ids(await t.store.claim(request(now))), [])
      await t.store.reclaim({ owner: 'node/0' })
      assert.deepEqual(ids(await t.store.claim(request(now))), [postponed])
      assert.equal(await t.store.nextDueAt(), now + 1000)
      assert.deepEqual(ids(await t.store.claim(request(now + 1000))), [later])
    })

    it('takes what has expired, held or not, whatever its lane says', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, 'a@x.example')
      const held = await put(t, 'b@y.example')
      await t.store.hold({ entry: held }, 'wait', now)
      await t.store.postpone(['x.example'], now + 1e12)
      const { lease } = request(now)
      assert.deepEqual(await t.store.claimExpired({ now: now + 1000, lease, limit: 10 }), [])
      const expired = await t.store.claimExpired({ now: now + 5 * 86_400_000, lease, limit: 10 })
      assert.equal(expired.length, 2)
      await t.store.settle({
        outcomes: ids(expired).map(entry => outcome(entry, 'bounced', now)),
        reports: [],
        events: [],
      })
      assert.equal((await t.store.countQueue({})).total, 0)
    })

    it('tells each delayed message once, when its sender wants to know', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const plain = await put(t, 'a@x.example')
      const never = newMessage({ now, message: { envelope: envelope('b@y.example', ['NEVER']) } })
      const asked = newMessage({ now, message: { envelope: envelope('c@y.example', ['DELAY', 'FAILURE']) } })
      const report = newMessage({
        now,
        message: { origin: 'dsn', envelope: { ...envelope('d@y.example'), reversePath: null } },
      })
      for (const message of [never, asked, report]) await t.store.accept(message)
      const delayed = await t.store.takeDelayed({ receivedBefore: now + 1, limit: 10, now })
      assert.deepEqual(ids(delayed).sort(), [plain, asked.entries[0]!.id].sort())
      assert.ok(delayed.every(({ entry }) => entry.delayNotified))
      assert.deepEqual(await t.store.takeDelayed({ receivedBefore: now + 1, limit: 10, now }), [])
    })
  })

  describe('a lease', () => {
    it('is given back by its owner only', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example')
      await t.store.claim(request(now))
      await t.store.release([{ entry, nextAttemptAt: now }], 'node/1')
      assert.deepEqual(await t.store.claim(request(now)), [])
    })

    it('is given back with a new moment', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example')
      await t.store.claim(request(now))
      await t.store.release([{ entry, nextAttemptAt: now + 500 }], 'node/0')
      assert.equal(await t.store.nextDueAt(), now + 500)
      const [again] = await t.store.claim(request(now + 500))
      assert.equal(again?.entry.attempts, 0)
      assert.equal(again?.entry.inDoubt, false)
    })

    it('of an owner that is gone is reclaimed, marked in doubt', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, 'a@x.example')
      await t.store.claim(request(now))
      assert.equal(await t.store.reclaim({ owner: 'node/1' }), 0)
      assert.equal(await t.store.reclaim({ owner: 'node/0' }), 1)
      const [again] = await t.store.claim(request(now))
      assert.equal(again?.entry.inDoubt, true)
    })

    it('runs out, unless it is renewed', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [kept] = [await put(t, 'a@x.example'), await put(t, 'b@x.example')]
      const { lease } = request(now)
      await t.store.claim(request(now))
      await t.store.renew([kept], { ...lease, until: now + 1e9 })
      assert.equal(await t.store.reclaim({ expiredBefore: lease.until + 1 }), 1)
      assert.equal((await t.store.countQueue({ state: 'leased' })).total, 1)
    })
  })

  describe('an order', () => {
    it('holds and releases, and each entry has its event', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example')
      await put(t, 'b@y.example')
      assert.equal(await t.store.hold({ domain: 'x.example' }, 'looks odd', now), 1)
      assert.equal((await t.store.claim(request(now))).length, 1)
      const [row] = await t.store.listQueue({ state: 'held' }, { limit: 10 })
      assert.equal(row?.entry.heldReason, 'looks odd')
      assert.equal(await t.store.unhold({ account: 'acme' }, now), 1)
      assert.deepEqual(ids(await t.store.claim(request(now))), [entry])
      const types = (await t.store.events({ message: entry.split('.')[0]! }, 10)).map(event => event.type)
      assert.deepEqual(types, ['message.held', 'message.released'])
    })

    it('holds what is being attempted, so that a deferral does not bring it back', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example')
      await t.store.claim(request(now))
      assert.equal(await t.store.hold({}, 'stop', now), 1)
      await t.store.settle({
        outcomes: [outcome(entry, 'deferred', now, { nextAttemptAt: now })],
        reports: [],
        events: [],
      })
      assert.deepEqual(await t.store.claim(request(now + 1e6)), [])
      assert.equal((await t.store.countQueue({})).held, 1)
    })

    it('to retry leaves held entries as they are', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example', now + 1e6)
      await t.store.hold({}, 'stop', now)
      assert.equal(await t.store.retryNow({}, now), 0)
      await t.store.unhold({}, now)
      assert.deepEqual(await t.store.claim(request(now)), [])
      assert.equal(await t.store.retryNow({ entry }, now), 1)
    })

    it('retries now, also where the site was closed, and says so to everybody', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example', now + 1e6)
      await t.store.postpone(['x.example'], now + 1e6)
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      assert.equal(await t.store.retryNow({ entry }, now), 1)
      assert.deepEqual(changes, [{ kind: 'queue', retried: true }])
      assert.deepEqual(ids(await t.store.claim(request(now))), [entry])
    })

    it('tries a site once for an order: what its closed lane keeps back is not claimed to no end', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const to = Array.from({ length: 2500 }, (_, i) => `u${i}@x.example`)
      await t.store.accept(newMessage({ now, to, nextAttemptAt: now + 1e6 }))
      await t.store.postpone(['x.example'], now + 1e6)
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      // As soon as it was tried, it turned out to be closed still.
      const goOn = async () => {
        await t.store.postpone(['x.example'], now + 1e6)
        return true
      }
      assert.equal(await t.store.retryNow({}, now, goOn), 2500)
      assert.equal(changes.filter(change => change.kind === 'queue' && change.retried === true).length, 1)
      assert.deepEqual(await t.store.claim(request(now)), [])
      assert.equal((await t.store.countQueue({})).due, 2500)
      await t.store.postpone(['x.example'], now)
      assert.ok((await t.store.claim(request(now))).length > 0)
      assert.equal(await t.store.retryNow({}, now), 0, 'all of them are due')
    })

    it('reaches thousands of entries', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const to = Array.from({ length: 2500 }, (_, i) => `u${i}@d${i % 7}.example`)
      await t.store.accept(newMessage({ now, to, nextAttemptAt: now + 1e6 }))
      assert.equal(await t.store.retryNow({}, now), 2500)
      assert.equal(await t.store.hold({}, 'all', now), 2500)
      assert.deepEqual((await t.store.countQueue({})).held, 2500)
      assert.deepEqual(
        (await t.store.countQueueBy('domain', {}, 2)).map(({ value, count }) => [value, count]),
        [
          ['d0.example', 358],
          ['d1.example', 357],
        ],
      )
    })

    it('takes entries out to be cancelled', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entry = await put(t, 'a@x.example')
      const taken = await t.store.claimForCancel({ recipient: 'a@x.example' }, request(now).lease, 10)
      assert.deepEqual(ids(taken), [entry])
      await t.store.settle({ outcomes: [outcome(entry, 'cancelled', now)], reports: [], events: [] })
      assert.deepEqual(await t.store.totals(), { accepted: 1, delivered: 0, bounced: 0, cancelled: 1, queued: 0 })
    })
  })

  describe('the queue', () => {
    it('is listed by pages and every filter', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const entries = [await put(t, 'a@x.example'), await put(t, 'b@y.example'), await put(t, 'c@x.example', now + 1e6)]
      const [first] = await t.store.listQueue({}, { limit: 1 })
      assert.equal(first?.entry.id, entries[0])
      assert.equal((await t.store.listQueue({}, { limit: 10, after: entries[0]! })).length, 2)
      for (const [filter, count] of [
        [{ domain: 'x.example' }, 2],
        [{ state: 'due' }, 2],
        [{ state: 'waiting' }, 1],
        [{ state: 'leased' }, 0],
        [{ account: 'acme', senderDomain: 'ours.example' }, 3],
        [{ account: 'other' }, 0],
        [{ message: entries[1]!.split('.')[0]! }, 1],
        [{ entry: entries[2]! }, 1],
        [{ entry: 'nonsense' }, 0],
        [{ class: 'none' }, 3],
        [{ class: 'network' }, 0],
      ] as const) {
        assert.equal((await t.store.listQueue(filter, { limit: 10 })).length, count, JSON.stringify(filter))
        assert.equal((await t.store.countQueue(filter)).total, count, JSON.stringify(filter))
      }
    })

    it('is counted and picked by site, entries not tried yet with others of their domain', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const tried = async (to: string, site: string | null) => {
        const entry = await put(t, to)
        if (site === null) return
        await t.store.claimForCancel({ entry }, request(now).lease, 1)
        await t.store.settle({ outcomes: [deferredAt(entry, site, now)], reports: [], events: [] })
      }
      await tried('a@x.example', 'mx.big.example')
      await tried('b@x.example', null)
      await tried('c@y.example', 'mx.big.example')
      await tried('d@z.example', 'smtp:smtp.own.example:587')
      await tried('e@z.example', null)
      await tried('f@nowhere.example', '')
      const counts = (await t.store.countQueueBy('site', {}, 10)).map(({ value, count }) => [value, count] as const)
      assert.deepEqual(counts, [
        ['mx.big.example', 3],
        ['none', 2],
        ['smtp:smtp.own.example:587', 1],
      ])
      for (const [site, count] of counts) assert.equal((await t.store.countQueue({ site })).total, count, site)
      assert.equal(await t.store.hold({ site: 'mx.big.example' }, 'a site is down', now), 3)
      const [row] = await t.store.listQueue({ recipient: 'a@x.example' }, { limit: 1 })
      assert.equal(row?.entry.lastSite, 'mx.big.example')
    })
  })
}

const facts: NonNullable<Outcome['facts']> = {
  mode: 'spf-dkim',
  modeReason: 'spf and dkim are published',
  signatures: [],
  site: '',
  remoteMta: null,
  remoteIp: null,
  sourceIp: null,
  tls: null,
  reversePath: null,
  startedAt: 0,
  durations: { signMs: 0, connectMs: 0, sendMs: 0, totalMs: 0 },
}

function deferredAt(entry: string, site: string, at: number) {
  return outcome(entry, 'deferred', at, { facts: { ...facts, site } })
}

function envelope(address: string, notify?: ('NEVER' | 'DELAY' | 'FAILURE')[]) {
  const recipients = [{ address, ...(notify && { notify }) }]
  return { reversePath: 'a@ours.example', recipients, body: '8BITMIME', smtpUtf8: false } as const
}
