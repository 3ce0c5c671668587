/**
 * What comes back later: told once, for recipients that left, and without touching what they came to.
 */
import assert from 'node:assert/strict'
import type { Returned } from '../../src/mail/returned.ts'
import type { StoreFactory } from './factory.ts'
import { newMessage, outcome } from './fixtures.ts'

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
        (await t.store.recordReturned(returned(message.id, n, kind), false)).result
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
      const record = async (id: string, n: number, unsettled: boolean) =>
        (await t.store.recordReturned(returned(id, n), unsettled)).result
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
  })
}
