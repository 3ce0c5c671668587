/**
 * Send slots: taken at acceptance and at the claim of a retry; changed limits count at once.
 */
import assert from 'node:assert/strict'
import type { SendLimits } from '../../src/mail/sender-domain.ts'
import type { Change, LimitUse, NewMessage } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { account, credential, newMessage, outcome, senderDomain } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const all = { limit: 1000, perDomain: 1000, lease }

function uses(domain: SendLimits, ofAccount: SendLimits = {}): LimitUse[] {
  return [
    { key: 'account:acme', limits: ofAccount },
    { key: 'domain:ours.example', limits: domain },
    { key: 'credential:cred', limits: {} },
  ]
}

async function register({ store }: TestStore, domain: SendLimits, ofAccount: SendLimits = {}): Promise<void> {
  await store.createAccount(account('acme', ofAccount))
  await store.createCredential(credential('cred', 'acme'))
  await store.createDomain(senderDomain('ours.example', 'acme', domain), [])
}

/** Seconds after now at which the queued entries are due, in order. */
async function dueSeconds({ store, clock }: TestStore): Promise<number[]> {
  const rows = await store.listQueue({}, { limit: 1000 })
  return rows.map(({ entry }) => (entry.nextAttemptAt - clock.now()) / 1000).sort((a, b) => a - b)
}

export function contractOfLimits(factory: StoreFactory): void {
  describe('limits', () => {
    it('space the recipients of a domain at 60 a minute one second apart', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const to = Array.from({ length: 5 }, (_, i) => `u${i}@there.example`)
      const message = newMessage({ now, lease, to, limits: uses({ perMinute: 60 }) })
      const { leased, nextDueAt } = await t.store.accept(message)
      assert.equal(leased.length, 1)
      assert.equal(nextDueAt, now + 1000)
      assert.deepEqual(await dueSeconds(t), [0, 1, 2, 3, 4])
      assert.deepEqual(await t.store.claim({ ...all, now: now + 999 }), [])
      assert.equal((await t.store.claim({ ...all, now: now + 2500 })).length, 2)
    })

    it('leave another domain alone', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const messages: NewMessage[] = Array.from({ length: 50 }, () =>
        newMessage({ now, lease, limits: uses({ perMinute: 60 }) }),
      )
      const other = newMessage({
        now,
        lease,
        from: 'x@other.example',
        limits: [{ key: 'domain:other.example', limits: { perMinute: 60 } }],
      })
      const results = await Promise.all([...messages, other].map(message => t.store.accept(message)))
      assert.equal(results.filter(({ leased }) => leased.length === 1).length, 2)
      assert.equal(results.at(-1)?.leased.length, 1)
    })

    it('hold across a restart of everything but the database', async () => {
      await using t = await factory()
      const now = t.clock.now()
      await t.store.accept(newMessage({ now, lease, limits: uses({ perMinute: 60 }) }))
      const second = await t.store.accept(newMessage({ now, lease, limits: uses({ perMinute: 60 }) }))
      assert.deepEqual(second, { leased: [], nextDueAt: now + 1000 })
    })

    it('take the latest slot of account, domain and credential', async () => {
      await using t = await factory()
      const limits = uses({ perMinute: 60 }, { perMinute: 6 })
      const to = ['a@there.example', 'b@there.example', 'c@there.example']
      await t.store.accept(newMessage({ now: t.clock.now(), to, limits }))
      assert.deepEqual(await dueSeconds(t), [0, 10, 20])
    })

    it('give a retry its slot when it is claimed, under the limits in force then', async () => {
      await using t = await factory()
      await register(t, { perMinute: 60 })
      const now = t.clock.now()
      const to = ['a@there.example', 'b@there.example', 'c@there.example']
      const message = newMessage({ now, lease, to, limits: uses({ perMinute: 60 }) })
      await t.store.accept(message)
      await t.store.claim({ ...all, now: now + 10_000 })
      const retryAt = now + 60_000
      const outcomes = message.entries.map(({ id }) => outcome(id, 'deferred', now, { nextAttemptAt: retryAt }))
      await t.store.settle({ outcomes, reports: [], events: [] })
      await t.clock.advance(60_000)
      assert.equal((await t.store.claim({ ...all, now: retryAt })).length, 1)
      assert.deepEqual(await dueSeconds(t), [0, 1, 2])
      assert.equal(await t.store.nextDueAt(), retryAt + 1000)
      assert.equal((await t.store.claim({ ...all, now: retryAt + 2000 })).length, 2)
    })

    it('that are raised count at once for mail that waits', async () => {
      await using t = await factory()
      await register(t, { perMinute: 6 }, { perMinute: 60 })
      const now = t.clock.now()
      const to = Array.from({ length: 4 }, (_, i) => `u${i}@there.example`)
      await t.store.accept(newMessage({ now, lease, to, limits: uses({ perMinute: 6 }, { perMinute: 60 }) }))
      assert.deepEqual(await dueSeconds(t), [0, 10, 20, 30])
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      await t.store.updateDomain('ours.example', { limits: { perMinute: 600 } }, [])
      assert.ok(changes.some(change => change.kind === 'queue'))
      // The account's own pace, one a second after the one that was sent, is what is left.
      assert.deepEqual(await dueSeconds(t), [0, 1, 2, 3])
      await t.store.updateAccount('acme', { limits: {} })
      assert.deepEqual(await dueSeconds(t), [0, 0, 0.1, 0.2])
      await t.store.updateDomain('ours.example', { limits: {} }, [])
      assert.equal((await t.store.claim({ ...all, now })).length, 3)
    })

    it('that are lowered count at once too', async () => {
      await using t = await factory()
      await register(t, { perMinute: 60 })
      const now = t.clock.now()
      const to = ['a@there.example', 'b@there.example', 'c@there.example', 'd@there.example']
      await t.store.accept(newMessage({ now, lease, to, limits: uses({ perMinute: 60 }) }))
      await t.store.updateDomain('ours.example', { limits: { perMinute: 6 } }, [])
      assert.deepEqual(await dueSeconds(t), [0, 0, 10, 20])
    })

    it('of a credential count as well, and retryNow passes them by', async () => {
      await using t = await factory()
      await register(t, {})
      const now = t.clock.now()
      const limits = [{ key: 'credential:cred', limits: { perHour: 1 } }]
      const to = ['a@there.example', 'b@there.example', 'c@there.example']
      await t.store.accept(newMessage({ now, to, limits }))
      assert.deepEqual(await dueSeconds(t), [0, 3600, 7200])
      assert.equal(await t.store.retryNow({ recipient: 'b@there.example' }, now), 1)
      assert.equal((await t.store.claim({ ...all, now })).length, 2)
      await t.store.updateCredential('cred', { limits: { perHour: 10 } })
      assert.equal((await t.store.claim({ ...all, now })).length, 1)
    })
  })
}
