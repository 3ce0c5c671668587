/**
 * Events brought to receivers that are well: what they get, signed how, in which order.
 */
import assert from 'node:assert/strict'
import { eventsOf, isSigned, startReceiver } from './receiver.ts'
import { day, hour, openWorld, until } from './world.ts'

const seqsOf = (receiver: { got: readonly { body: unknown }[] }) =>
  receiver.got.flatMap(({ body }) => eventsOf(body as never).map(event => event.seq))

describe('a webhook', () => {
  it('gets every event once, in order, signed and versioned', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { secret } = await world.add(receiver.url)
    const seqs = await world.happen(30)
    await until(() => receiver.taken.length === 30)
    assert.deepEqual(seqsOf(receiver), seqs)
    const [got] = receiver.got
    const at = new Date(world.clock.now()).toISOString()
    assert.deepEqual(got!.body, {
      version: 1,
      id: `${seqs[0]}-${world.clock.now().toString(36)}`,
      type: 'domain.published',
      ...{ at, seq: seqs[0], account: 'acme', domain: 'ours.example', data: {} },
    })
    assert.equal(got!.headers['webhook-id'], got!.body.id)
    assert.equal(got!.headers['content-type'], 'application/json')
    assert.ok(receiver.got.every(each => isSigned(each, secret)))
    assert.equal(isSigned(got!, 'whsec_b3RoZXI='), false)
    const { id } = (await world.webhooks.list({}, { limit: 1 }))[0]!
    await until(async () => (await world.webhooks.view(id)).lag === 0)
    const view = await world.webhooks.view(id)
    assert.deepEqual([view.lag, view.progress.failures, view.progress.lastSuccess?.status], [0, 0, 204])
  })

  it('is not told what happened before it was there', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    await world.happen(3)
    await world.add(receiver.url)
    const seqs = await world.happen(1)
    await until(() => receiver.taken.length === 1)
    assert.deepEqual(seqsOf(receiver), seqs)
  })

  it('gets lists, when it wants them, that are split by number and by size', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { secret } = await world.add(receiver.url, { batch: 40 })
    const seqs = await world.happen(100)
    await until(() => receiver.taken.length === 100)
    assert.deepEqual(seqsOf(receiver), seqs)
    assert.deepEqual(
      receiver.got.map(({ body }) => body.events.length),
      [40, 40, 20],
    )
    assert.equal(new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size, 3)
    const data = { text: 'x'.repeat(100_000) }
    const big = {
      type: 'domain.published',
      at: world.clock.now(),
      account: 'acme',
      domain: 'ours.example',
      data,
    } as const
    await world.store.updateDomain('ours.example', {}, [big, big, big, big, big])
    await until(() => receiver.taken.length === 105)
    assert.deepEqual(
      receiver.got.slice(3).map(({ body }) => body.events.length),
      [2, 2, 1],
    )
    assert.ok(receiver.got.every(({ body }) => body.version === 1))
    assert.ok(receiver.got.every(each => isSigned(each, secret)))
  })

  it('gets what it chose: types, prefixes, one account, final outcomes only', async () => {
    await using world = await openWorld()
    await using lost = await startReceiver()
    await using domains = await startReceiver()
    await using theirs = await startReceiver()
    await using final = await startReceiver()
    await world.add(lost.url, { types: ['domain.record_lost', 'message.held'] })
    await world.add(domains.url, { types: ['domain.*'] })
    await world.add(theirs.url, { account: 'other' })
    await world.add(final.url, { types: ['message.*'], terminalOnly: true })
    await world.happen(1, 'domain.published')
    await world.happen(1, 'domain.record_lost')
    await world.happen(1, 'message.accepted', 'other')
    await world.happen(1, 'message.deferred')
    await world.happen(1, 'message.bounced')
    await world.happen(1, 'message.held')
    const types = (receiver: typeof lost) => receiver.got.map(({ body }) => body.type)
    await until(() => final.taken.length + theirs.taken.length === 2 && lost.taken.length === 2)
    await until(() => domains.taken.length === 2)
    assert.deepEqual(types(lost), ['domain.record_lost', 'message.held'])
    assert.deepEqual(types(domains), ['domain.published', 'domain.record_lost'])
    assert.deepEqual(types(theirs), ['message.accepted'])
    assert.deepEqual(types(final), ['message.bounced'])
  })

  it('passes over thousands of events it does not want', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook } = await world.add(receiver.url, { types: ['domain.record_lost'] })
    await world.happen(9000)
    const [seq] = await world.happen(1, 'domain.record_lost')
    await until(() => receiver.taken.length === 1)
    assert.deepEqual(seqsOf(receiver), [seq])
    await until(async () => (await world.webhooks.view(webhook.id)).lag === 0)
  })

  it('goes on after a restart where it was', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook, secret } = await world.add(receiver.url)
    const first = await world.happen(5)
    await until(() => receiver.taken.length === 5)
    await world.restart()
    const second = await world.happen(5)
    await until(() => receiver.taken.length === 10)
    assert.deepEqual(seqsOf(receiver), [...first, ...second])
    assert.ok(receiver.got.every(each => isSigned(each, secret)))
    await until(async () => (await world.webhooks.view(webhook.id)).lag === 0)
  })

  it('is told everything at least once, in order, when it is stopped in the middle', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    await world.add(receiver.url)
    const seqs = await world.happen(200)
    await until(() => receiver.taken.length > 50)
    await world.restart()
    await until(() => new Set(receiver.taken).size === 200)
    assert.deepEqual([...new Set(seqsOf(receiver))], seqs)
  })

  it('signs with both secrets while one is replaced', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook, secret: old } = await world.add(receiver.url)
    const { secret, webhook: rotated } = await world.webhooks.rotateSecret(webhook.id)
    assert.equal(rotated.previousSecretUntil, world.clock.now() + day)
    await world.happen(1)
    await until(async () => (await world.webhooks.view(webhook.id)).lag === 0)
    assert.deepEqual([isSigned(receiver.got[0]!, old), isSigned(receiver.got[0]!, secret)], [true, true])
    await world.clock.advance(day)
    await world.happen(1)
    await until(() => receiver.got.length === 2)
    assert.deepEqual([isSigned(receiver.got[1]!, old), isSigned(receiver.got[1]!, secret)], [false, true])
    assert.equal((await world.webhooks.view(webhook.id)).previousSecretUntil, null)
  })

  it('is sent a test at once, also while it is paused, without moving on', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook, secret } = await world.add(receiver.url, { batch: 5 })
    await world.webhooks.change(webhook.id, { state: 'paused', stateReason: 'maintenance' })
    await world.happen(2)
    const tested = await world.webhooks.test(webhook.id)
    assert.deepEqual([tested.taken, receiver.got.length], [true, 1])
    assert.equal(receiver.got[0]!.body.events[0].type, 'webhook.test')
    assert.equal(isSigned(receiver.got[0]!, secret), true)
    assert.equal((await world.webhooks.view(webhook.id)).lag, 2)
    await world.webhooks.change(webhook.id, { state: 'enabled', stateReason: null })
    await until(() => receiver.taken.length === 3)
  })

  it('can be sent events again, from a seq or from a time', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook } = await world.add(receiver.url)
    const caughtUp = async () => (await world.webhooks.view(webhook.id)).lag === 0
    const first = await world.happen(3)
    await until(caughtUp)
    await world.clock.advance(hour)
    const since = world.clock.now()
    const second = await world.happen(3)
    await until(caughtUp)
    await world.webhooks.replay(webhook.id, { seq: first[1]! })
    await until(caughtUp)
    assert.deepEqual(seqsOf(receiver).slice(6), [...first.slice(1), ...second])
    await world.webhooks.replay(webhook.id, { since })
    await until(caughtUp)
    assert.deepEqual(seqsOf(receiver).slice(11), second)
    assert.equal(new Set(receiver.taken).size, 6, 'an event keeps its id')
  })

  it('is told when history was deleted before it was told', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook } = await world.add(receiver.url)
    await world.webhooks.change(webhook.id, { state: 'paused', stateReason: 'holidays' })
    const old = await world.happen(4)
    await world.clock.advance(40 * day)
    const young = await world.happen(2)
    await world.store.purge(world.clock.now() - 30 * day, 100)
    await world.webhooks.change(webhook.id, { state: 'enabled', stateReason: null })
    await until(() => receiver.taken.length === 3)
    const [gap] = receiver.got
    assert.equal(gap!.body.type, 'webhook.gap')
    assert.deepEqual([gap!.body.data.after, gap!.body.data.through], [old[0]! - 1, old.at(-1)])
    assert.ok(gap!.body.data.message.ja && gap!.body.data.message.en)
    assert.deepEqual(seqsOf(receiver).slice(1), young)
    await world.happen(1)
    await until(() => receiver.taken.length === 4)
    assert.equal(receiver.got.filter(({ body }) => body.type === 'webhook.gap').length, 1)
  })

  it('is gone when it was removed', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook } = await world.add(receiver.url)
    await world.webhooks.remove(webhook.id)
    await world.happen(3)
    await assert.rejects(world.webhooks.view(webhook.id), /there is no webhook/)
    await world.clock.advance(hour)
    assert.deepEqual([receiver.got.length, world.clock.waiting], [0, 1], 'only the look for events waits')
  })
})
