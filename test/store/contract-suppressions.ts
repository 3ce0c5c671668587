/**
 * Suppressions: put, found, listed, counted, undone; made by outcomes that count, and by nothing else.
 */
import assert from 'node:assert/strict'
import type { AutomaticSuppression, Suppression } from '../../src/mail/suppression.ts'
import { type Change, erasedAddress, type Store } from '../../src/store/store.ts'
import { suppressionCursor } from '../../src/store/suppression-store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { newMessage, outcome } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const day = 86_400_000

const manual = (address: string, change: Partial<Suppression> = {}): Suppression => ({
  ...{ account: 'acme', address, reason: 'manual', evidence: null, note: '', createdAt: 1, expiresAt: null },
  ...change,
})

function bounced(address: string, change: Partial<AutomaticSuppression> = {}): AutomaticSuppression {
  const createdAt = change.createdAt ?? 1
  const evidence = { message: 'm', at: createdAt, reply: '550 5.1.1 no such user', remoteMta: 'mx.there.example' }
  return {
    ...{ account: 'acme', address, reason: 'hard-bounce', note: '', createdAt, expiresAt: null, entry: null },
    ...{ byDefault: true, after: 1, countWithinMs: day },
    evidence: { ...evidence, from: 'outcome', class: 'address-unknown' },
    ...change,
  }
}

async function withAccounts(t: TestStore): Promise<Store> {
  for (const id of ['acme', 'other']) await t.store.createAccount(account(id))
  return t.store
}

const account = (id: string) =>
  ({ id, name: id, createdAt: 1, limits: {}, unaligned: 'warn', suspendedReason: null }) as const

const all = { limit: 100 }

export function contractOfSuppressions(factory: StoreFactory): void {
  describe('a suppression', () => {
    it('is of one account, whatever the case of its address', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      assert.deepEqual(await store.putSuppressions([manual('You@There.example')]), ['created'])
      assert.equal((await store.suppression('acme', 'YOU@there.example'))?.address, 'you@there.example')
      assert.equal(await store.suppression('other', 'you@there.example'), null)
      assert.equal(await store.suppression(null, 'you@there.example'), null)
      assert.deepEqual(await store.putSuppressions([manual('you@there.example', { note: 'again' })]), ['replaced'])
      await assert.rejects(store.putSuppressions([manual('a@x.example', { account: 'nobody' })]), { code: 'not-found' })
    })

    it('is listed by what is known of it, page by page, and counted by account and reason', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      await store.putSuppressions([
        manual('b@two.example', { reason: 'unsubscribed', createdAt: 5 }),
        manual('a@one.example', { account: null }),
        manual('c@two.example', { account: 'other', createdAt: 9 }),
      ])
      await store.suppress(bounced('a@one.example', { createdAt: 3 }))
      const found = async (filter: object) =>
        (await store.listSuppressions(filter, all)).map(one => suppressionCursor(one))
      const every = [' a@one.example', 'acme a@one.example', 'acme b@two.example', 'other c@two.example']
      assert.deepEqual(await found({}), every)
      assert.deepEqual(await found({ account: null }), every.slice(0, 1))
      assert.deepEqual(await found({ account: 'acme', domain: 'two.example' }), every.slice(2, 3))
      assert.deepEqual(await found({ reason: 'hard-bounce' }), every.slice(1, 2))
      assert.deepEqual(await found({ class: 'address-unknown', text: 'NO SUCH' }), every.slice(1, 2))
      assert.deepEqual(await found({ text: 'mailbox full' }), [])
      assert.deepEqual(await found({ since: 3, until: 9 }), every.slice(1, 3))
      const second = await store.listSuppressions({}, { limit: 2, after: every[1]! })
      assert.deepEqual(second.map(suppressionCursor), every.slice(2))
      assert.deepEqual(
        (await store.suppressedAddresses({ limit: 2, after: every[0]! })).map(suppressionCursor),
        every.slice(1, 3),
      )
      assert.deepEqual(await store.countSuppressions(), [
        { account: null, reason: 'manual', count: 1 },
        { account: 'acme', reason: 'hard-bounce', count: 1 },
        { account: 'acme', reason: 'unsubscribed', count: 1 },
        { account: 'other', reason: 'manual', count: 1 },
      ])
    })

    it('is told when it comes and when it goes, unless it came quietly', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      const changes: Change[] = []
      store.onChange(change => changes.push(change))
      await store.putSuppressions([manual('A@x.example'), manual('b@x.example')])
      await store.putSuppressions([manual('c@x.example')], true)
      assert.equal(await store.removeSuppressions([{ account: 'acme', address: 'a@x.example' }], 7), 1)
      assert.equal(await store.removeSuppressions([{ account: 'acme', address: 'a@x.example' }], 8), 0)
      const events = await store.events({}, 10)
      assert.deepEqual(
        events.map(({ type, recipient, account: of, at }) => [type, recipient, of, at]),
        [
          ['suppression.added', 'a@x.example', 'acme', 1],
          ['suppression.added', 'b@x.example', 'acme', 1],
          ['suppression.removed', 'a@x.example', 'acme', 7],
        ],
      )
      assert.deepEqual(
        changes.filter(({ kind }) => kind === 'suppression'),
        [
          { kind: 'suppression', account: 'acme', addresses: ['a@x.example', 'b@x.example'] },
          { kind: 'suppression', account: 'acme', addresses: ['c@x.example'] },
        ],
      )
    })

    it('ends at its time, and is purged with an event', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      const expiresAt = t.clock.now() + day
      await store.putSuppressions([manual('a@x.example', { expiresAt }), manual('b@x.example')])
      assert.equal((await store.suppression('acme', 'a@x.example'))?.expiresAt, expiresAt)
      assert.equal(await store.purgeSuppressions(t.clock.now(), 10), 0)
      await t.clock.advance(day)
      assert.equal(await store.suppression('acme', 'a@x.example'), null)
      assert.deepEqual(
        (await store.listSuppressions({}, all)).map(({ address }) => address),
        ['b@x.example'],
      )
      assert.equal(await store.purgeSuppressions(t.clock.now(), 10), 1)
      assert.deepEqual(await store.countSuppressions(), [{ account: 'acme', reason: 'manual', count: 1 }])
      assert.equal((await store.events({ type: 'suppression.removed' }, 10)).length, 1)
    })

    it('comes from a bounce only where the account wants it, and never in place of a stronger one', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      assert.equal(await store.suppress(bounced('a@x.example')), true)
      assert.equal(await store.suppress(bounced('a@x.example')), false)
      assert.equal(await store.suppress(bounced('a@x.example', { reason: 'complaint' })), true)
      assert.equal((await store.suppression('acme', 'a@x.example'))?.reason, 'complaint')
      await store.putSuppressions([manual('b@x.example')])
      assert.equal(await store.suppress(bounced('b@x.example', { reason: 'complaint' })), false)
      assert.equal(await store.suppress(bounced('c@x.example', { byDefault: false })), false)
      await store.updateAccount('acme', { autoSuppress: true })
      assert.equal(await store.suppress(bounced('c@x.example', { byDefault: false })), true)
      await store.updateAccount('acme', { autoSuppress: false })
      assert.equal(await store.suppress(bounced('d@x.example')), false)
      assert.equal(await store.suppress(bounced('d@x.example', { account: 'nobody' })), false)
    })

    it('comes only from so many bounces within their time, where it takes several', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      const again = (createdAt: number) => store.suppress(bounced('a@x.example', { after: 2, createdAt }))
      assert.deepEqual(
        [await again(1), await again(1 + day), await again(2 + day), await again(3 + day)],
        [false, false, true, false],
      )
    })

    it('stands with the outcome that it came from, or not at all', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      const now = t.clock.now()
      const { message, ...rest } = newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] })
      await store.accept({ message, ...rest })
      const outcomes = [outcome(`${message.id}.0`, 'bounced', now), outcome('none.0', 'bounced', now)]
      const suppressions = [
        bounced('a@x.example', { entry: `${message.id}.0` }),
        bounced('b@x.example', { entry: 'none.0' }),
      ]
      await store.settle({ outcomes, reports: [], events: [], suppressions })
      assert.deepEqual(
        (await store.listSuppressions({}, all)).map(({ address }) => address),
        ['a@x.example'],
      )
    })

    it('that a bounce made is erased with its events; others keep mail from somebody', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      await store.suppress(bounced('You@x.example'))
      await store.suppress(bounced('they@x.example'))
      await store.putSuppressions([manual('you@x.example', { account: null, note: 'you@ phoned' })])
      assert.deepEqual(await store.eraseSuppressions('you@X.example'), { removed: 1, kept: 1, events: 2 })
      assert.deepEqual((await store.listSuppressions({ address: 'YOU@x.example' }, all)).map(suppressionCursor), [
        ' you@x.example',
      ])
      const events = await store.events({}, 10)
      assert.deepEqual(
        events.map(({ recipient }) => recipient),
        [erasedAddress, 'they@x.example', erasedAddress],
      )
      assert.doesNotMatch(JSON.stringify(events), /you@/i)
    })

    it('goes with its account', async () => {
      await using t = await factory()
      const store = await withAccounts(t)
      await store.putSuppressions([manual('a@x.example'), manual('a@x.example', { account: 'other' })])
      await store.deleteAccount('acme')
      assert.deepEqual(await store.countSuppressions(), [{ account: 'other', reason: 'manual', count: 1 }])
      assert.equal(await store.suppression('acme', 'a@x.example'), null)
    })
  })
}
