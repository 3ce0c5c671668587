/**
 * Receivers that are slow, failing, redirecting or answering nonsense: each heals and gets everything, in order, and the
 * others don't notice.
 */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { eventsOf, ok, type Receiver, silent, startReceiver, status } from './receiver.ts'
import { day, hour, minute, openWorld, second, until } from './world.ts'

const seqsOf = (receiver: Receiver) => receiver.got.map(({ body }) => eventsOf(body)[0]!.seq)

/** Speaks no HTTP: answers each connection with these bytes, then closes it. */
async function startRaw(answer: string) {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

describe('a receiver that is not well', () => {
  it('is tried again for days, ever more rarely, and then gets everything in order', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver(status(500, {}, 'out of order'))
    const { webhook } = await world.add(receiver.url)
    const seqs = await world.happen(5)
    const waits: number[] = []
    for (let failures = 1; failures <= 11; failures++) waits.push(await world.afterFailure(webhook.id, failures))
    const [s, m, h] = [second, minute, hour]
    assert.deepEqual(waits, [5 * s, 30 * s, 2 * m, 10 * m, 30 * m, h, 3 * h, 6 * h, 6 * h, 6 * h, 6 * h])
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 12)
    const { progress, lag } = await world.webhooks.view(webhook.id)
    assert.deepEqual([lag, progress.lastSuccess], [5, null])
    const { reason, status: code, reply } = progress.lastFailure!
    assert.deepEqual([reason, code, reply], ['receiver-trouble', 500, 'out of order'])
    assert.equal(
      new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size,
      1,
      'the first, again and again',
    )
    assert.equal(new Set(receiver.got.map(({ headers }) => headers['webhook-timestamp'])).size, 12, 'signed anew')
    receiver.behaviour = ok
    await world.clock.advance(6 * hour)
    await until(() => receiver.taken.length === 5)
    assert.deepEqual(seqsOf(receiver).slice(12), seqs)
    assert.equal((await world.webhooks.view(webhook.id)).progress.failures, 0)
  })

  it('waits on after a restart instead of starting anew', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver(status(503))
    const { webhook } = await world.add(receiver.url)
    await world.happen(1)
    for (let failures = 1; failures <= 4; failures++) await world.afterFailure(webhook.id, failures)
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 5)
    await world.restart()
    receiver.behaviour = ok
    await world.clock.advance(29 * minute)
    assert.equal(receiver.taken.length, 0)
    await world.clock.advance(2 * minute)
    await until(() => receiver.taken.length === 1)
  })

  it('is given up after a while when it does not answer, and the others do not wait for it', async () => {
    await using world = await openWorld({ requests: 2 })
    await using slow = await startReceiver(silent)
    await using well = await startReceiver()
    const hanging = await Promise.all([1, 2, 3, 4, 5].map(() => world.add(slow.url)))
    const failures = async () =>
      (await Promise.all(hanging.map(({ webhook }) => world.webhooks.view(webhook.id)))).map(
        ({ progress }) => progress.failures,
      )
    // Each may take a place once, before it is known to be slow.
    await world.happen(1)
    for (let round = 0; (await failures()).some(count => count === 0); round++) {
      await until(() => slow.got.length > round)
      await world.clock.advance(15 * second)
    }
    await world.add(well.url)
    const before = slow.got.length
    await world.clock.advance(10 * minute)
    await until(() => slow.got.length > before)
    const seqs = await world.happen(20)
    await until(() => well.taken.length === 20)
    assert.deepEqual(seqsOf(well), seqs)
    const { lastFailure } = (await world.webhooks.view(hanging[0]!.webhook.id)).progress
    assert.deepEqual([lastFailure?.reason, lastFailure?.status], ['timeout', null])
    slow.behaviour = ok
    // From one next try to the other, and never further while a request is under way: its answer must not look late.
    for (;;) {
      const views = await Promise.all(hanging.map(({ webhook }) => world.webhooks.view(webhook.id)))
      const waits = views.flatMap(({ lag, progress }) =>
        lag > 0 ? [(progress.nextTryAt ?? 0) - world.clock.now()] : [],
      )
      if (waits.length === 0) break
      if (waits.every(ms => ms > 0)) await world.clock.advance(Math.min(...waits))
      else await new Promise(setImmediate)
    }
    assert.equal(new Set(slow.taken).size, 21)
  })

  it('does not send us elsewhere: a redirect is a failure that names the new place, without its secrets', async () => {
    await using world = await openWorld()
    await using other = await startReceiver()
    await using receiver = await startReceiver(status(307, { location: `${other.url}?token=hidden` }))
    const { webhook } = await world.add(receiver.url)
    await world.happen(1)
    await world.afterFailure(webhook.id, 1)
    const { lastFailure } = (await world.webhooks.view(webhook.id)).progress
    assert.deepEqual([lastFailure?.reason, lastFailure?.status], ['redirect', 307])
    assert.equal(lastFailure?.detail.location, other.url)
    assert.equal(other.got.length, 0)
    receiver.behaviour = ok
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 2)
    await world.afterFailure(webhook.id, 2)
    await until(() => receiver.taken.length === 1)
  })

  const nonsense = [
    ['no HTTP', 'I am a teapot\r\n\r\n', 'protocol', null],
    ['an answer that breaks off in the header', 'HTTP/1.1 200 OK\r\nContent-', 'closed', null],
    ['nothing', '', 'closed', null],
    ['a header without end', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}`, 'protocol', null],
    ['a refusal that breaks off', 'HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\nbecause', 'refused', 400],
    ['an odd status', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', 'receiver-trouble', 999],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 'closed', null],
  ] as const
  for (const [name, answer, reason, code] of nonsense) {
    it(`answers ${name}, which is a failure: ${reason}`, async () => {
      await using world = await openWorld()
      await using raw = await startRaw(answer)
      const { webhook } = await world.add(raw.url)
      await world.happen(1)
      await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 1)
      const { lastFailure, cursor } = (await world.webhooks.view(webhook.id)).progress
      assert.deepEqual([lastFailure?.reason, lastFailure?.status, cursor], [reason, code, 0])
    })
  }

  it('counts as having taken an event whose 2xx came, whatever became of the body', async () => {
    await using world = await openWorld()
    await using raw = await startRaw('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf')
    const { webhook } = await world.add(raw.url)
    await world.happen(3)
    await until(async () => (await world.webhooks.view(webhook.id)).lag === 0)
    assert.equal(raw.connections(), 3)
  })

  it('can not fill our memory: an endless body is cut off, and little of it is kept', async () => {
    await using world = await openWorld()
    let sent = 0
    await using receiver = await startReceiver(response => {
      response.writeHead(receiver.taken.length === 0 && receiver.got.length === 1 ? 400 : 200)
      const pour = () => {
        if (response.destroyed) return
        sent += 65_536
        if (sent < 500_000_000 && response.write('x'.repeat(65_536))) setImmediate(pour)
        else response.once('drain', pour)
      }
      pour()
    })
    const { webhook } = await world.add(receiver.url)
    await world.happen(2)
    await world.afterFailure(webhook.id, 1)
    assert.equal((await world.webhooks.view(webhook.id)).progress.lastFailure?.reply, 'x'.repeat(1024))
    await until(async () => (await world.webhooks.view(webhook.id)).lag === 0)
    assert.ok(sent < 100_000_000, `${sent} octets were taken`)
  })

  it('is left alone until the time it asks for', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver(status(429, { 'retry-after': '7200' }))
    const { webhook } = await world.add(receiver.url)
    await world.happen(1)
    assert.equal(await world.afterFailure(webhook.id, 1), 2 * hour)
    receiver.behaviour = status(503, { 'retry-after': '99999999' })
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 2)
    receiver.behaviour = status(503, { 'retry-after': '99999999' })
    await world.afterFailure(webhook.id, 2)
    assert.equal(await world.afterFailure(webhook.id, 3), day, 'within reason')
  })

  it('is paused by 410 and goes on when it is resumed', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver(status(410))
    const { webhook } = await world.add(receiver.url)
    const seqs = await world.happen(3)
    await until(async () => (await world.webhooks.view(webhook.id)).state === 'paused')
    await world.clock.advance(2 * day)
    assert.equal(receiver.got.length, 1)
    await world.restart()
    const { stateReason, progress } = await world.webhooks.view(webhook.id)
    assert.deepEqual([stateReason, progress.nextTryAt, progress.lastFailure?.reason], ['gone', null, 'gone'])
    receiver.behaviour = ok
    await world.webhooks.change(webhook.id, { state: 'enabled', stateReason: null })
    await until(() => receiver.taken.length === 3)
    assert.deepEqual(seqsOf(receiver).slice(1), seqs)
  })

  it('is not asked any more once it has moved: the new address is tried at once', async () => {
    await using world = await openWorld()
    await using old = await startReceiver(silent)
    await using moved = await startReceiver()
    const { webhook } = await world.add(old.url)
    const seqs = await world.happen(2)
    await until(() => old.got.length === 1)
    await world.webhooks.change(webhook.id, { url: moved.url })
    await until(() => moved.taken.length === 2)
    assert.deepEqual(seqsOf(moved), seqs)
    assert.equal((await world.webhooks.view(webhook.id)).progress.failures, 0)
  })

  it('closes kept connections when it likes, and no event is late for it', async () => {
    await using world = await openWorld()
    let requests = 0
    await using receiver = await startReceiver((response, request) => {
      // Every second request meets a connection that dies as it is used.
      if (++requests % 2 === 0) return void request.socket.destroy()
      response.writeHead(200).end()
    })
    const { webhook } = await world.add(receiver.url)
    for (let n = 1; n <= 3; n++) {
      await world.happen(1)
      await until(() => new Set(receiver.taken).size === n)
    }
    assert.equal((await world.webhooks.view(webhook.id)).progress.lastFailure, null)
  })

  it('is told of in the log by its origin only, and once', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver(status(500, {}, 'reply-text'))
    const { webhook, secret } = await world.add(`${receiver.url}?key=query-secret`)
    await world.happen(1)
    for (let failures = 1; failures <= 3; failures++) await world.afterFailure(webhook.id, failures)
    receiver.behaviour = ok
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 4)
    await world.afterFailure(webhook.id, 4)
    await until(() => receiver.taken.length === 1)
    const told = world.lines.filter(line => line.includes(webhook.id))
    assert.deepEqual(
      told.map(line => line.split(' {')[0]),
      ['a webhook does not take events', 'a webhook takes events again'],
    )
    for (const hidden of ['query-secret', secret, secret.slice(6), 'reply-text', '/hook'])
      assert.ok(!world.lines.join('\n').includes(hidden), hidden)
  })
})

describe('trouble of our own', () => {
  it('is a failure like others: a store that fails for a while loses nothing', async () => {
    await using world = await openWorld()
    await using receiver = await startReceiver()
    const { webhook } = await world.add(receiver.url)
    const { store } = world
    const { saveProgress } = store
    Object.assign(store, { saveProgress: async () => Promise.reject(new Error('disk full')) })
    const seqs = await world.happen(2)
    await until(async () => (await world.webhooks.view(webhook.id)).progress.lastFailure !== null)
    Object.assign(store, { saveProgress })
    assert.equal((await world.webhooks.view(webhook.id)).progress.lastFailure?.reason, 'relay-trouble')
    await world.clock.advance(minute)
    await world.happen(1)
    await until(() => new Set(receiver.taken).size === 3)
    assert.deepEqual(seqsOf(receiver).slice(0, 2), seqs)
  })
})
