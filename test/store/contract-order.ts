/**
 * The order of senders: accounts before recipient domains, urgent mail before mailings, and who waits for a moment of its own.
 */
import assert from 'node:assert/strict'
import type { Priority } from '../../src/mail/priority.ts'
import type { SendLimits } from '../../src/mail/sender-domain.ts'
import type { LeasedEntry, NewMessage } from '../../src/store/store.ts'
import { jainIndex } from '../support/jain-index.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { account, day, ids, newMessage, outcome } from './fixtures.ts'

const hour = 3_600_000
const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }

function request(now: number, limit = 100, perDomain = 100) {
  return { now, limit, perDomain, lease }
}

interface Put {
  readonly account?: string
  readonly from?: string
  readonly priority?: Priority
  readonly to?: string
  readonly count?: number
  readonly limits?: NewMessage['limits']
  readonly releaseAt?: number
  readonly at?: number
}

/** A message for each; answers their entries. `$` in `to` is the number. */
async function put({ store, clock }: TestStore, draft: Put): Promise<string[]> {
  const { priority, releaseAt, to = 'b@there.example', count = 1, at, ...rest } = draft
  const now = clock.now()
  const messages = Array.from({ length: count }, (_, n) => {
    const message = newMessage({
      ...{ ...rest, now, to: [to.replace('$', `${n}`)], nextAttemptAt: at ?? now },
      message: { ...(priority && { priority }), ...(releaseAt !== undefined && { releaseAt }) },
    })
    return releaseAt === undefined ? message : expiringAt(message, releaseAt + day)
  })
  await Promise.all(messages.map(message => store.accept(message)))
  return messages.map(message => message.entries[0]!.id)
}

function expiringAt(message: NewMessage, expiresAt: number): NewMessage {
  return { ...message, entries: message.entries.map(entry => ({ ...entry, expiresAt })) }
}

const accountOf = ({ message }: LeasedEntry) => message.account!
const priorityOf = ({ message }: LeasedEntry) => message.priority ?? 'normal'

/** Seconds until each entry is due, by its id. */
async function dueSecondsOf({ store, clock }: TestStore): Promise<Map<string, number>> {
  const rows = await store.listQueue({}, { limit: 1000 })
  return new Map(rows.map(({ entry }) => [entry.id, (entry.nextAttemptAt - clock.now()) / 1000]))
}

export function contractOfOrder(factory: StoreFactory): void {
  describe('accounts with mail for many domains', () => {
    it('come one after the other, however many recipient domains one of them has', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, { account: 'wide', to: 'b@d$.example', count: 500, at: now - 9000 })
      const [single] = await put(t, { account: 'small', to: 'b@other.example', at: now - 10 })
      const claimed = await t.store.claim(request(now, 50))
      assert.equal(claimed.length, 50)
      assert.ok(ids(claimed).includes(single!))
    })

    it('are served alike while one of ten floods: Jain index of the others at least 0.9', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const others = Array.from({ length: 9 }, (_, n) => `a${n}`)
      await put(t, { account: 'flood', to: 'b@d$.example', count: 900, at: now - 9000 })
      await put(t, { account: 'flood', to: 'b@there.example', count: 600, at: now - 9000 })
      for (const [n, name] of others.entries()) {
        // Some write to the flooded domain, some to domains of their own.
        await put(t, { account: name, to: n % 2 === 0 ? 'b@there.example' : `b@${name}-$.example`, count: 60 })
      }
      const served = new Map<string, number>()
      for (let n = 0; n < 4; n++)
        for (const entry of await t.store.claim(request(t.clock.now(), 100)))
          served.set(accountOf(entry), (served.get(accountOf(entry)) ?? 0) + 1)
      const counts = others.map(name => served.get(name) ?? 0)
      assert.ok(jainIndex(counts) >= 0.9, `${counts}`)
      assert.ok(
        counts.every(count => count >= 30),
        `${counts}`,
      )
    })

    it('are reached although thousands of their lanes are closed', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, { to: 'b@d$.example', count: 300 })
      const [open] = await put(t, { to: 'b@open.example' })
      await t.store.postpone(
        Array.from({ length: 300 }, (_, n) => `d${n}.example`),
        now + hour,
      )
      assert.deepEqual(ids(await t.store.claim(request(now, 10))), [open])
      assert.equal(await t.store.nextDueAt(), now + hour)
      await t.store.postpone(['d7.example'], now - 1)
      assert.equal((await t.store.claim(request(now, 10))).length, 1)
      assert.equal((await t.store.claim(request(now + hour, 400))).length, 299)
    })

    it('of which many share a closed lane have it parked on the way', async () => {
      await using t = await factory()
      const now = t.clock.now()
      for (let n = 0; n < 50; n++) await put(t, { account: `a${n}`, to: 'b@closed.example' })
      await t.store.postpone(['closed.example'], now + hour)
      assert.deepEqual(await t.store.claim(request(now)), [])
      assert.equal(await t.store.nextDueAt(), now + hour)
      await put(t, { account: 'a3', to: 'c@closed.example' })
      assert.equal(await t.store.nextDueAt(), now + hour)
      assert.equal((await t.store.claim(request(now + hour))).length, 51)
    })
  })

  describe('priorities', () => {
    it('let a transactional mail of an account go before its mailing, also to other domains', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, { priority: 'bulk', count: 300, at: now - 9000 })
      await put(t, { count: 3, at: now - 5000 })
      const urgent = await put(t, { priority: 'transactional', to: 'b@elsewhere.example', at: now - 10 })
      const claimed = (await t.store.claim(request(now, 10))).map(entry => [entry.entry.id, priorityOf(entry)])
      assert.equal(claimed[0]![0], urgent[0])
      const named = claimed.map(([, priority]) => priority)
      assert.deepEqual(named, ['transactional', ...Array(3).fill('normal'), ...Array(6).fill('bulk')])
    })

    it('gain nothing over another account', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, { account: 'pushy', priority: 'transactional', count: 50, at: now - 9000 })
      await put(t, { account: 'modest', priority: 'bulk', count: 50 })
      const claimed = await t.store.claim(request(now, 20))
      assert.equal(claimed.filter(entry => accountOf(entry) === 'modest').length, 10)
    })

    it('never stop the less urgent: every eighth visit begins with it', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await put(t, { priority: 'bulk', count: 10, at: now - 9000 })
      await put(t, { priority: 'transactional', count: 100, at: now - 9000 })
      const seen: Priority[] = []
      for (let n = 0; n < 16; n++) seen.push(...(await t.store.claim(request(now, 1))).map(priorityOf))
      assert.equal(seen.length, 16)
      assert.equal(seen.filter(priority => priority === 'bulk').length, 2)
    })

    it('can be filtered and counted by', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 3 })
      await put(t, {})
      const groups = await t.store.countQueueBy('priority', {}, 10)
      assert.deepEqual(
        groups.map(({ value, count }) => [value, count]),
        [
          ['bulk', 3],
          ['normal', 1],
        ],
      )
      assert.equal((await t.store.listQueue({ priority: 'bulk' }, { limit: 10 })).length, 3)
      assert.equal((await t.store.countQueue({ priority: 'transactional' })).total, 0)
    })
  })

  describe('a line for send slots', () => {
    const perMinute = (limit: number, domain?: SendLimits) => [
      { key: 'account:acme', limits: { perMinute: limit } },
      ...(domain ? [{ key: 'domain:ours.example', limits: domain }] : []),
    ]

    /** Seconds until the entries are due. */
    async function seconds({ store, clock }: TestStore, filter: object): Promise<number[]> {
      const rows = await store.listQueue(filter, { limit: 1000 })
      return rows.map(({ entry }) => (entry.nextAttemptAt - clock.now()) / 1000).sort((a, b) => a - b)
    }

    it('gives urgent mail the earliest slot of a mailing, which keeps all slots but that one', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 50, limits: perMinute(60) })
      await put(t, { priority: 'transactional', limits: perMinute(60) })
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [1])
      const rest = Array.from({ length: 51 }, (_, n) => n).filter(n => n !== 1)
      assert.deepEqual(await seconds(t, { priority: 'bulk' }), rest)
    })

    it('lets normal mail overtake the mailing as well, but not the urgent', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 6, limits: perMinute(60) })
      await put(t, { count: 2, limits: perMinute(60) })
      await put(t, { priority: 'transactional', count: 2, limits: perMinute(60) })
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [1, 2])
      assert.deepEqual(await seconds(t, { priority: 'normal' }), [3, 4])
      assert.deepEqual(await seconds(t, { priority: 'bulk' }), [0, 5, 6, 7, 8, 9])
    })

    it('is overtaken under part of its limits, when these are what makes others wait', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 10, limits: perMinute(60, { perDay: 1000 }) })
      await put(t, { priority: 'transactional', from: 'a@app.example', limits: perMinute(60) })
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [1])
    })

    it('is not overtaken by mail that waits for a limit of its own', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 10, limits: perMinute(60) })
      const limits = [...perMinute(60), { key: 'domain:app.example', limits: { perMinute: 1 } }]
      await put(t, { priority: 'transactional', from: 'a@app.example', count: 2, limits })
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [1, 60])
    })

    it('is overtaken from where a limit of one’s own allows, however long the line is', async () => {
      await using t = await factory()
      await put(t, { priority: 'bulk', count: 100, limits: perMinute(60) })
      const limits = [...perMinute(60), { key: 'domain:app.example', limits: { perMinute: 6 } }]
      await put(t, { priority: 'transactional', from: 'a@app.example', count: 4, limits })
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [1, 10, 20, 30])
      assert.equal(new Set(await seconds(t, {})).size, 104)
    })

    it('stays about where its age puts it when it is overtaken', async () => {
      await using t = await factory()
      const limits = [{ key: 'account:acme', limits: { perMinute: 60 } }]
      const bulk = await put(t, { priority: 'bulk', count: 200, limits })
      const before = await dueSecondsOf(t)
      for (let n = 0; n < 8; n++) await put(t, { priority: 'transactional', limits })
      const after = await dueSecondsOf(t)
      assert.deepEqual(
        [...after.values()].toSorted((a, b) => a - b),
        Array.from({ length: 208 }, (_, n) => n),
      )
      const late = bulk.map((id, place) => ({ place, by: after.get(id)! - before.get(id)! }))
      const front = late.filter(({ place }) => place > 0 && place < 20)
      assert.ok(
        front.every(({ by }) => by <= 40),
        `${front.map(({ by }) => by)}`,
      )
      assert.ok(
        late.every(({ place, by }) => by <= Math.max(16, 2 * place)),
        `${late.map(({ by }) => by)}`,
      )
    })

    it('of another account is left alone', async () => {
      await using t = await factory()
      const limits = [{ key: 'credential:crm', limits: { perMinute: 60 } }]
      await put(t, { account: 'bolt', from: 'a@bolt.example', priority: 'bulk', count: 10, limits })
      await put(t, { priority: 'transactional', limits })
      assert.deepEqual(await seconds(t, { account: 'acme' }), [10])
    })

    it('is overtaken by a retry too, and keeps one of eight slots for good', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await t.store.createAccount(account('acme', { perMinute: 60 }))
      const urgent = newMessage({ now, lease, limits: perMinute(60), message: { priority: 'transactional' } })
      await t.store.accept(urgent)
      const deferred = outcome(urgent.entries[0]!.id, 'deferred', now, { nextAttemptAt: now + 500 })
      await t.store.settle({ outcomes: [deferred], reports: [], events: [] })
      await put(t, { priority: 'bulk', count: 100, limits: perMinute(60) })
      await t.clock.advance(500)
      await t.store.claim(request(now + 500))
      assert.deepEqual(await seconds(t, { priority: 'transactional' }), [0.5])
      await put(t, { priority: 'transactional', count: 20, limits: perMinute(60) })
      const slots = await seconds(t, { priority: 'transactional' })
      const kept = (await seconds(t, { priority: 'bulk' })).filter(second => second < slots.at(-1)!)
      assert.equal(slots.length, 21)
      assert.equal(kept.length, 2)
      assert.equal(new Set([...slots, ...(await seconds(t, { priority: 'bulk' }))]).size, 121)
    })

    it('never sends more than the limit in any hour, whoever overtakes whom', async () => {
      await using t = await factory()
      const limits = [{ key: 'account:acme', limits: { perHour: 20 } }]
      await t.store.createAccount(account('acme', { perHour: 20 }))
      const sent: number[] = []
      for (let step = 0; step < 60; step++) {
        if (step % 10 === 0) await put(t, { priority: 'bulk', count: 15, limits })
        if (step % 4 === 0) await put(t, { priority: 'transactional', count: 2, limits })
        if (step % 7 === 0) await put(t, { limits })
        const claimed = await t.store.claim(request(t.clock.now()))
        sent.push(...claimed.map(() => t.clock.now()))
        await t.clock.advance(5 * 60_000)
      }
      for (const from of sent) {
        const within = sent.filter(at => at >= from && at < from + hour)
        assert.ok(within.length <= 2 * 20, `${within.length} in the hour from ${from}`)
      }
      // A full bucket and what flowed in meanwhile: the number of a rolling hour, and no slot lost.
      assert.ok(sent.length >= 20 + 20 * 4 && sent.length <= 20 + 20 * 5, `${sent.length}`)
    })
  })

  describe('a scheduled entry', () => {
    it('waits for its moment without a slot, and expires as long after it', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const limits = [{ key: 'account:acme', limits: { perMinute: 1 } }]
      await t.store.createAccount(account('acme', { perMinute: 1 }))
      const [entry] = await put(t, { releaseAt: now + hour, limits })
      const [other] = await put(t, { limits })
      assert.deepEqual(ids(await t.store.claim(request(now))), [other])
      const [row] = await t.store.listQueue({ scheduled: true }, { limit: 10 })
      assert.deepEqual([row!.entry.id, row!.state, row!.waitReason], [entry, 'waiting', 'schedule'])
      assert.equal(row!.entry.expiresAt, now + hour + day)
      assert.equal(await t.store.nextDueAt(), now + hour)
      assert.deepEqual(await t.store.takeDelayed({ receivedBefore: now + 1, limit: 10, now }), [])
      await t.clock.advance(hour)
      assert.equal((await t.store.countQueue({ state: 'due', scheduled: true })).total, 1)
      assert.deepEqual(ids(await t.store.claim(request(now + hour))), [entry])
    })

    it('takes its slot when it is due, behind those who have theirs', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const limits = [{ key: 'account:acme', limits: { perMinute: 60 } }]
      await t.store.createAccount(account('acme', { perMinute: 60 }))
      await put(t, { releaseAt: now + 2000, limits })
      await put(t, { count: 5, limits })
      await t.clock.advance(2000)
      await t.store.claim(request(now + 2000))
      const [row] = await t.store.listQueue({ state: 'waiting', scheduled: false }, { limit: 10 })
      assert.equal(row!.waitReason, 'limit')
      assert.deepEqual((await t.store.listQueue({ scheduled: true }, { limit: 10 })).length, 0)
      assert.equal((await t.store.claim(request(now + 5000))).length, 3)
    })

    it('is told to be late from its release on', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [entry] = await put(t, { releaseAt: now + hour })
      await t.clock.advance(hour)
      await t.store.claim(request(now + hour))
      const deferred = outcome(entry!, 'deferred', now + hour, { nextAttemptAt: now + 2 * hour })
      await t.store.settle({ outcomes: [deferred], reports: [], events: [] })
      assert.deepEqual(await t.store.takeDelayed({ receivedBefore: now + hour, limit: 10, now }), [])
      assert.deepEqual(ids(await t.store.takeDelayed({ receivedBefore: now + hour + 1, limit: 10, now })), [entry])
    })

    it('is moved to another moment, or released now, with its end', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [first, second] = await put(t, { releaseAt: now + hour, count: 2 })
      await put(t, { at: now + hour })
      assert.equal(await t.store.reschedule({}, now + 3 * hour, now), 2)
      assert.equal(await t.store.reschedule({}, now + 3 * hour, now), 0)
      const rows = await t.store.listQueue({ scheduled: true }, { limit: 10 })
      assert.deepEqual(
        rows.map(({ entry }) => [entry.nextAttemptAt, entry.expiresAt]),
        [
          [now + 3 * hour, now + 3 * hour + day],
          [now + 3 * hour, now + 3 * hour + day],
        ],
      )
      assert.equal(await t.store.reschedule({ entry: first! }, now - 5, now), 1)
      const claimed = await t.store.claim(request(now))
      assert.deepEqual(ids(claimed), [first])
      assert.equal(claimed[0]!.entry.expiresAt, now + day)
      assert.equal(await t.store.retryNow({ entry: second! }, now), 1)
      assert.deepEqual(ids(await t.store.claim(request(now))), [second])
      const events = await t.store.events({ type: 'message.rescheduled' }, 10)
      assert.deepEqual(
        events.map(({ data }) => data),
        [{ releaseAt: now + 3 * hour }, { releaseAt: now + 3 * hour }, { releaseAt: now }],
      )
    })

    it('is moved by thousands', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const to = Array.from({ length: 2500 }, (_, n) => `u${n}@d${n % 7}.example`)
      await t.store.accept(newMessage({ now, to, message: { releaseAt: now + hour } }))
      assert.equal(await t.store.reschedule({}, now + 2 * hour, now), 2500)
      assert.equal(await t.store.nextDueAt(), now + hour)
      assert.equal((await t.store.claim(request(now + hour))).length, 0)
      assert.equal(await t.store.nextDueAt(), now + 2 * hour)
    })

    it('can be held, and comes back to its schedule', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const [entry] = await put(t, { releaseAt: now + hour })
      await t.store.hold({}, 'look at it', now)
      assert.equal(await t.store.reschedule({}, now + 2 * hour, now), 1)
      await t.store.unhold({}, now)
      const [row] = await t.store.listQueue({ scheduled: true }, { limit: 10 })
      assert.deepEqual([row!.waitReason, row!.entry.nextAttemptAt], ['schedule', now + 2 * hour])
      assert.deepEqual(ids(await t.store.claim(request(now + 2 * hour))), [entry])
    })
  })

  describe('the end of what waits', () => {
    it('is told per value: the last slot, and how many wait', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const limits = [{ key: 'account:acme', limits: { perMinute: 6 } }]
      await put(t, { to: 'b@big.example', count: 30, limits })
      await put(t, { to: 'b@small.example', count: 5 })
      const [big, small] = await t.store.finishBy('domain', { account: 'acme' }, 10)
      assert.deepEqual([big!.value, big!.count], ['big.example', 30])
      assert.equal(big!.lastDueAt, now + 290_000)
      assert.deepEqual(small, { value: 'small.example', count: 5, lastDueAt: now })
      assert.deepEqual(await t.store.finishBy('domain', { account: 'bolt' }, 10), [])
    })
  })
}
