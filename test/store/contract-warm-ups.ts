/**
 * Counts per day, and warm-ups: places under a cap, exact whoever asks.
 */
import assert from 'node:assert/strict'
import type { Volume, VolumeNote } from '../../src/mail/volume.ts'
import type { WarmUp } from '../../src/mail/warm-up.ts'
import type { Change } from '../../src/store/store.ts'
import type { StoreFactory, TestStore } from './factory.ts'
import { newMessage, outcome, outcomeEvent } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const rules = { minimumUse: 0.5, sample: 20, deferredShare: 0.2, bouncedShare: 0.05, complainedShare: 0.003 }
const on = (today: string) => ({ today, at: 1, rules })
const day = '2026-01-15'
const of = { kind: 'domain', name: 'ours.example' } as const
const none = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }

const note = (receiver: string, source: string | null = '192.0.2.1'): VolumeNote => ({
  key: { day, receiver, source },
  tls: true,
  oneClick: false,
})

function warmUp(more: Partial<WarmUp> = {}): WarmUp {
  const plan = { plan: 'own', caps: [10, 20], startsOn: day, createdAt: 0 }
  const stand = { state: 'running', step: 0, day: null, taken: 0, pause: null, trustedOn: null } as const
  return { ...of, account: 'acme', ...plan, ...stand, ...more }
}

async function delivered({ store, clock }: TestStore, count: number, receiver: string): Promise<void> {
  const to = Array.from({ length: count }, (_, n) => `u${n}@there.example`)
  const message = newMessage({ now: clock.now(), lease, to })
  await store.accept(message)
  const outcomes = message.entries.map(({ id }) => outcome(id, 'delivered', clock.now()))
  await store.settle({ outcomes, reports: [], events: [], volume: outcomes.map(() => note(receiver)) })
}

function contractOfVolume(factory: StoreFactory): void {
  describe('counts per day', () => {
    it('add up what was settled, by receiver and by source address', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const message = newMessage({ now, lease, to: ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'] })
      await t.store.accept(message)
      const actions = ['delivered', 'delivered', 'bounced', 'deferred'] as const
      const outcomes = actions.map((action, n) => outcome(`${message.message.id}.${n}`, action, now))
      const volume = [note('gmail'), note('microsoft'), note('gmail'), null]
      const batch = { outcomes, reports: [], events: outcomes.map(outcomeEvent), volume }
      await t.store.settle(batch)
      await t.store.settle(batch)
      const rows = await t.store.volume('domain', 'ours.example', day)
      const one = { scope: 'domain', name: 'ours.example', day } as const
      assert.deepEqual(rows, [
        { ...one, receiver: 'gmail', ...none, delivered: 1, bounced: 1, tls: 1 },
        { ...one, receiver: 'microsoft', ...none, delivered: 1, tls: 1 },
      ])
      const [source] = await t.store.volume('source', '192.0.2.1', day)
      assert.deepEqual([source?.delivered, source?.bounced, source?.receiver], [2, 1, ''])
    })

    it('add up what the subdomains of an organisation send, and tell once when that is much', async () => {
      await using t = await factory()
      const row: Volume = { scope: 'domain', name: 'ours.example', day, receiver: 'gmail', ...none, delivered: 2000 }
      await t.store.addVolume([row, { ...row, scope: 'organisation', delivered: 1998 }])
      for (const from of ['a@news.ours.example', 'a@shop.ours.example', 'a@ours.example', 'a@news.ours.example']) {
        const message = newMessage({ now: t.clock.now(), from, lease })
        await t.store.accept(message)
        const outcomes = [outcome(`${message.message.id}.0`, 'delivered', t.clock.now())]
        await t.store.settle({ outcomes, reports: [], events: [], volume: [note('gmail')] })
      }
      const sent = async (scope: Volume['scope'], name: string) =>
        (await t.store.volume(scope, name, day)).map(({ delivered }) => delivered)
      assert.deepEqual(await sent('organisation', 'ours.example'), [2001])
      assert.deepEqual([await sent('domain', 'ours.example'), await sent('domain', 'news.ours.example')], [[2001], [2]])
      const told = (await t.store.events({ domain: 'ours.example' }, 100)).map(({ type, data }) => [type, data])
      const data = { receiver: 'gmail', day, delivered: 4000, limit: 5000, organisation: true }
      assert.deepEqual(told, [['domain.bulk_sender_near', data]])
    })

    it('tell a domain once that it comes near a bulk sender, and once that it is one', async () => {
      await using t = await factory()
      const near: Volume = { scope: 'domain', name: 'ours.example', day, receiver: 'gmail', ...none, delivered: 3998 }
      await t.store.addVolume([near])
      const told = async () =>
        (await t.store.events({ domain: 'ours.example' }, 100)).map(({ type, account }) => [type, account])
      await delivered(t, 1, 'gmail')
      assert.deepEqual(await told(), [])
      await delivered(t, 2, 'gmail')
      assert.deepEqual(await told(), [['domain.bulk_sender_near', 'acme']])
      await t.store.addVolume([{ ...near, delivered: 998 }])
      await delivered(t, 1, 'gmail')
      await delivered(t, 1, 'gmail')
      const both = [
        ['domain.bulk_sender_near', 'acme'],
        ['domain.bulk_sender', 'acme'],
      ]
      assert.deepEqual(await told(), both)
      await t.store.addVolume([{ ...near, day: '2026-01-16', delivered: 6000 }])
      assert.deepEqual(await told(), both, 'a receiver remembers it, and so do we')
    })

    it('are forgotten by day', async () => {
      await using t = await factory()
      const one = (on: string): Volume => ({ scope: 'source', name: '192.0.2.1', day: on, receiver: '', ...none })
      await t.store.addVolume(['2026-01-01', '2026-01-02', '2026-01-03'].map(one))
      assert.equal(await t.store.purgeVolume('2026-01-03', 1), 1)
      assert.equal(await t.store.purgeVolume('2026-01-03', 100), 1)
      assert.deepEqual(await t.store.volume('source', '192.0.2.1', '2025-01-01'), [one('2026-01-03')])
    })
  })
}

export function contractOfWarmUps(factory: StoreFactory): void {
  contractOfVolume(factory)
  describe('warm-ups', () => {
    it('give out exactly their cap, however many ask at once', async () => {
      await using t = await factory()
      await t.store.createWarmUp(warmUp())
      const asked = await Promise.all([4, 4, 4, 4].map(count => t.store.takePlaces(of, count, on(day))))
      assert.deepEqual(
        asked.map(({ granted }) => granted),
        [4, 4, 2, 0],
      )
      assert.deepEqual(
        asked.flatMap(({ changes }) => changes.map(({ type }) => type)),
        ['started'],
      )
      await t.store.givePlaces(of, 3, day)
      await t.store.givePlaces(of, 3, '2026-01-14')
      assert.equal((await t.store.takePlaces(of, 10, on(day))).granted, 3)
    })

    it('go on at midnight by what was settled, whoever asks first', async () => {
      await using t = await factory()
      await t.store.createWarmUp(warmUp())
      await t.store.takePlaces(of, 10, on(day))
      await delivered(t, 10, 'gmail')
      const next = await t.store.takePlaces(of, 100, on('2026-01-16'))
      assert.deepEqual([next.granted, next.changes.map(({ type }) => type)], [20, ['advanced']])
      assert.deepEqual(await t.store.reviewWarmUps(on('2026-01-16')), [])
      const events = await t.store.events({ domain: 'ours.example' }, 100)
      assert.deepEqual(
        events.map(({ type }) => type),
        ['warm_up.started', 'warm_up.advanced'],
      )
    })

    it('pause by what a transaction has just counted, and resume by hand', async () => {
      await using t = await factory()
      await t.store.createWarmUp(warmUp({ caps: [100] }))
      await t.store.takePlaces(of, 50, on(day))
      const row: Volume = {
        scope: 'domain',
        name: 'ours.example',
        day,
        receiver: 'other',
        ...none,
        delivered: 40,
        bounced: 10,
      }
      const [, { granted, changes }] = await Promise.all([t.store.addVolume([row]), t.store.takePlaces(of, 1, on(day))])
      assert.deepEqual([granted, changes.map(({ type }) => type)], [0, ['paused']])
      assert.equal((await t.store.resumeWarmUp(of, on(day))).state, 'running')
      assert.equal((await t.store.takePlaces(of, 100, on(day))).granted, 50)
    })

    it('are told to every thread, listed by name, and stand alone until they are done', async () => {
      await using t = await factory()
      const changes: Change[] = []
      t.store.onChange(change => changes.push(change))
      await t.store.createWarmUp(warmUp())
      await t.store.createWarmUp(warmUp({ kind: 'source', name: '192.0.2.1', account: null }))
      assert.deepEqual(changes[0], { kind: 'warm-up', of })
      await assert.rejects(t.store.createWarmUp(warmUp()), { code: 'conflict' })
      const names = async (after?: string) =>
        (await t.store.listWarmUps({ limit: 10, ...(after && { after }) })).map(({ name }) => name)
      assert.deepEqual(
        [await names(), await names('domain/ours.example')],
        [['ours.example', '192.0.2.1'], ['192.0.2.1']],
      )
      await t.store.deleteWarmUp(of)
      assert.equal((await t.store.takePlaces(of, 1000, on(day))).granted, 1000)
      await assert.rejects(t.store.deleteWarmUp(of), { code: 'not-found' })
    })

    it('leave word with what waits because of them', async () => {
      await using t = await factory()
      const message = newMessage({ now: t.clock.now(), lease })
      await t.store.accept(message)
      const entry = message.entries[0]!.id
      await t.store.release(
        [{ entry, nextAttemptAt: t.clock.now(), waitsFor: 'warm-up domain ours.example' }],
        lease.owner,
      )
      const waits = async () => (await t.store.listQueue({}, { limit: 1 }))[0]?.entry.waitsFor
      assert.equal(await waits(), 'warm-up domain ours.example')
      await t.store.claim({ now: t.clock.now(), lease, limit: 10, perDomain: 10 })
      assert.equal(await waits(), undefined)
    })
  })
}
