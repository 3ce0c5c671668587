/**
 * What comes back later: told once, for recipients that left, and without touching what they came to.
 */
import assert from 'node:assert/strict'
import type { Returned } from '../../src/mail/returned.ts'
import type { AutomaticSuppression } from '../../src/mail/suppression.ts'
import type { NewMessage, RecordedReturn, Store } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { account, newMessage, outcome } from './fixtures.ts'

const lease = { owner: 'node/0', until: Number.MAX_SAFE_INTEGER }
const noMore = { reports: [], events: [] } as const

function returned(message: string, n: number, kind: Returned['kind'] = 'bounce'): Returned {
  return {
    ...{ kind, message, entry: `${message}.${n}`, recipient: 'a@x.example', at: 1, permanent: true, format: 'rfc3464' },
    ...{
      reply: { code: 550, detail: '1.1', text: 'no', from: 'remote' },
      class: 'address-unknown',
      actor: 'recipient',
    },
    ...{ system: null, reportingMta: null, remoteMta: null, finalRecipient: null, feedbackType: null, client: '::1' },
  } as const
}

const nothing = { delivered: 0, deferred: 0, bounced: 0, complained: 0, tls: 0, oneClick: 0 }
const alone = { reports: [], suppressions: [], volume: [] }

async function recordOne(store: Store, found: Returned, unsettled: boolean): Promise<RecordedReturn | undefined> {
  return (await store.recordReturned({ returned: [found], unsettled, ...alone }))[0]
}

function suppressionOf({ entry, message, at }: Returned): AutomaticSuppression {
  const evidence = { from: 'report', message, at, reply: null, class: null, remoteMta: null } as const
  return {
    ...{ account: 'acme', address: `${entry}@x.example`, reason: 'hard-bounce', evidence, note: '', createdAt: at },
    ...{ expiresAt: null, entry: null, byDefault: true, after: 1, countWithinMs: 0 },
  }
}

export function contractOfReturned(factory: StoreFactory): void {
  describe('what comes back', () => {
    it('is told once per recipient and kind, beside an outcome that stays', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const { message, ...rest } = newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] })
      await t.store.accept({ message, ...rest })
      await t.store.settle({
        outcomes: [0, 1].map(n => outcome(`${message.id}.${n}`, 'delivered', now)),
        ...noMore,
      })
      const before = await t.store.message(message.id)
      const record = async (n: number, kind?: Returned['kind']) =>
        recordOne(t.store, returned(message.id, n, kind), false)
      assert.deepEqual(
        [await record(0), await record(0), await record(1), await record(0, 'complaint'), await record(0, 'complaint')],
        ['recorded', 'repeated', 'recorded', 'recorded', 'repeated'],
      )
      assert.deepEqual(await t.store.message(message.id), before)
      assert.equal((await t.store.totals()).delivered, 2)
      const events = await t.store.events({ message: message.id }, 10)
      assert.deepEqual(
        events.map(({ type, entry, account, domain }) => [type, entry, account, domain]),
        [
          ['message.bounced_later', `${message.id}.0`, 'acme', 'ours.example'],
          ['message.bounced_later', `${message.id}.1`, 'acme', 'ours.example'],
          ['message.complained', `${message.id}.0`, 'acme', 'ours.example'],
        ],
      )
      assert.deepEqual(events[0]!.data, returned(message.id, 0))
    })

    it('is nothing where nothing left, or ended here', async () => {
      await using t = await factory()
      const now = t.clock.now()
      const waiting = newMessage({ now })
      const { message, ...rest } = newMessage({ now, lease, to: ['a@x.example', 'b@x.example', 'c@x.example'] })
      await t.store.accept(waiting)
      await t.store.accept({ message, ...rest })
      const ends = ['bounced', 'cancelled', 'deferred'] as const
      const outcomes = ends.map((end, n) => outcome(`${message.id}.${n}`, end, now, { nextAttemptAt: now + 1000 }))
      const record = async (id: string, n: number, unsettled: boolean) => recordOne(t.store, returned(id, n), unsettled)
      assert.equal(await record(message.id, 2, false), 'unsettled')
      await t.store.settle({ outcomes, ...noMore })
      assert.deepEqual(
        [
          await record(message.id, 0, true),
          await record(message.id, 1, true),
          await record(waiting.message.id, 0, true),
        ],
        ['not-sent', 'not-sent', 'not-sent'],
      )
      assert.deepEqual([await record(message.id, 3, true), await record('nothing', 0, true)], ['unknown', 'unknown'])
      assert.deepEqual(
        [await record(message.id, 2, false), await record(message.id, 2, true)],
        ['unsettled', 'recorded'],
      )
      assert.equal((await t.store.events({ type: 'message.bounced_later' }, 10)).length, 1)
    })

    it('is written with what follows from it, or not at all', async () => {
      await using t = await factory()
      await t.store.createAccount(account('acme'))
      const now = t.clock.now()
      const { message, ...rest } = newMessage({ now, lease, to: ['a@x.example', 'b@x.example'] })
      await t.store.accept({ message, ...rest })
      const outcomes = [0, 1].map(n => outcome(`${message.id}.${n}`, 'delivered', now))
      await t.store.settle({ outcomes, ...noMore })
      const [first, second] = [0, 1].map(n => returned(message.id, n)) as [Returned, Returned]
      const write = (found: readonly Returned[], report: NewMessage) =>
        t.store.recordReturned({
          ...{ returned: found, unsettled: false, reports: [report] },
          suppressions: found.map(suppressionOf),
          volume: [{ ...nothing, scope: 'domain', name: 'ours.example', day: '2026-01-15', receiver: '', bounced: 1 }],
        })
      const state = async () => ({
        events: (await t.store.events({}, 100)).map(({ type }) => type),
        suppressed: (await t.store.listSuppressions({}, { limit: 10 })).length,
        volume: (await t.store.volume('domain', 'ours.example', '2026-01-15')).map(({ bounced }) => bounced),
        queued: (await t.store.countQueue({})).total,
      })
      const before = await state()
      // A report under an id that is taken can't be queued.
      await assert.rejects(write([first], { message, ...rest }))
      assert.deepEqual(await state(), before)
      assert.deepEqual(await write([first], newMessage({ now })), ['recorded'])
      const after = await state()
      assert.deepEqual(after, {
        events: [...before.events, 'message.bounced_later', 'suppression.added'],
        ...{ suppressed: 1, volume: [1], queued: 1 },
      })
      assert.deepEqual(await write([first, second], newMessage({ now })), ['repeated', 'recorded'])
      assert.deepEqual(await state(), after)
    })
  })
}
