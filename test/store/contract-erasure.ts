/**
 * Erasure: a recipient's address leaves messages and events for good; what others were sent stays.
 */
import assert from 'node:assert/strict'
import type { NewEvent } from '../../src/mail/event.ts'
import { erasedAddress, type Store } from '../../src/store/store.ts'
import type { StoreFactory } from './factory.ts'
import { newMessage, outcome, outcomeEvent } from './fixtures.ts'

const now = 1_700_000_000_000
const person = 'Taro.Yamada+list@there.example'

async function accept(store: Store, to: readonly string[]): Promise<string> {
  const recipients = to.map(address => ({ address, originalRecipient: 'rfc822;taro.yamada+2Blist@there.example' }))
  const envelope = { reversePath: 'a@ours.example', recipients, body: '8BITMIME' as const, smtpUtf8: false }
  const draft = newMessage({ now, to, lease: { owner: 'w', until: now + 60_000 }, events: true, message: { envelope } })
  await store.accept(draft)
  return draft.message.id
}

/** With a reply that names the recipient. */
async function bounce(store: Store, id: string, n: number, recipient: string): Promise<void> {
  const reply = {
    code: 550,
    detail: '1.1',
    text: `<${recipient.toLowerCase()}>: user unknown`,
    from: 'remote',
  } as const
  const ended = outcome(`${id}.${n}`, 'bounced', now, { recipient, reply })
  const event: NewEvent = { ...outcomeEvent(ended), recipient }
  await store.settle({ outcomes: [ended], reports: [], events: [event] })
}

async function everythingOf(store: Store, id: string): Promise<string> {
  const [message, events] = [await store.message(id), await store.events({ message: id }, 100)]
  return JSON.stringify([message, events]).toLowerCase()
}

export function contractOfErasure(factory: StoreFactory): void {
  describe('an erased recipient', () => {
    it('is nowhere in messages and events any more, and is found no more', async () => {
      await using t = await factory()
      const id = await accept(t.store, [person, 'other@there.example'])
      await bounce(t.store, id, 0, person)
      await bounce(t.store, id, 1, 'other@there.example')
      const found = await t.store.listMessages({ recipient: person.toLowerCase() }, { limit: 10 })
      assert.equal(found.length, 1)
      assert.deepEqual(await t.store.eraseRecipient(person, [id]), { messages: 1, events: 1, queued: 0 })
      const left = await everythingOf(t.store, id)
      assert.doesNotMatch(left, /taro/)
      assert.match(left, /other@there\.example/)
      assert.equal((await t.store.message(id))?.message.envelope.recipients[0]?.address, erasedAddress)
      assert.deepEqual(await t.store.listMessages({ recipient: person }, { limit: 10 }), [])
      assert.equal((await t.store.totals()).bounced, 2)
    })

    it('stays where it is still queued, and longer addresses that end in it stay', async () => {
      await using t = await factory()
      const queued = await accept(t.store, ['b@there.example'])
      const longer = await accept(t.store, ['bb@there.example', 'b@there.example.org'])
      await bounce(t.store, longer, 0, 'bb@there.example')
      await bounce(t.store, longer, 1, 'b@there.example.org')
      const erased = await t.store.eraseRecipient('b@there.example', [queued, longer, 'gone'])
      assert.deepEqual(erased, { messages: 0, events: 0, queued: 1 })
      assert.match(await everythingOf(t.store, longer), /"bb@there\.example".*"b@there\.example\.org"/)
    })

    it('is in no ended order to the queue; one that goes on needs it', async () => {
      await using t = await factory()
      const common = {
        verb: 'hold',
        filter: { recipient: person },
        reason: `for ${person}`,
        total: 1,
        done: 1,
      } as const
      const times = { createdAt: now, endedAt: null, error: null }
      await t.store.saveQueueOperation({ id: 'goes-on', ...common, state: 'running', ...times })
      await t.store.saveQueueOperation({ id: 'ended', ...common, state: 'done', ...times })
      await t.store.eraseRecipient(person.toLowerCase(), [])
      const erased = { filter: { recipient: erasedAddress }, reason: `for ${erasedAddress}` }
      assert.deepEqual(await t.store.queueOperation('ended'), {
        id: 'ended',
        ...common,
        ...erased,
        state: 'done',
        ...times,
      })
      assert.deepEqual((await t.store.queueOperation('goes-on'))?.filter, { recipient: person })
    })

    it('leaves recipients of the same message alone whose address ends in it, also while they are queued', async () => {
      await using t = await factory()
      const others = ["o'brien", 'a=brien', 'a/brien', 'é.brien', 'émi&brien'].map(one => `${one}@there.example`)
      const id = await accept(t.store, ['brien@there.example', ...others])
      await bounce(t.store, id, 0, 'brien@there.example')
      await bounce(t.store, id, 1, others[0]!)
      const erased = await t.store.eraseRecipient('brien@there.example', [id])
      assert.deepEqual(erased, { messages: 1, events: 1, queued: 0 })
      const { envelope } = (await t.store.message(id))!.message
      assert.deepEqual(
        envelope.recipients.map(({ address }) => address),
        [erasedAddress, ...others],
      )
      assert.match(await everythingOf(t.store, id), /<o'brien@there\.example>: user unknown/)
      const queued = await t.store.listQueue({}, { limit: 10 })
      assert.deepEqual(queued.map(({ entry }) => entry.recipient.address).sort(), others.slice(1).sort())
    })
  })
}
