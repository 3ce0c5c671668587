/**
 * Accounts take turns: one's flood must not hold up another's mail to the same site. Real store; one connection.
 */
import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { manualClock } from '../support/manual-clock.ts'
import { scriptedTransport } from '../support/scripted-transport.ts'
import { startWorker, type Worker } from '../support/worker.ts'

const zone = {
  'one.example': { MX: [[10, 'mx.one.example']] },
  'mx.one.example': { A: ['127.0.0.1'] },
} as const
const rule = { suffix: '', connections: 1, messagesPerConnection: 1000, perMinute: null }

/** A transport that ends one sending at each call of `next`. */
function stepping() {
  const open: (() => void)[] = []
  const transport = scriptedTransport({
    send: () =>
      new Promise(resolve => {
        open.push(() => resolve(null))
      }),
  })
  const senders = () => transport.sendings.map(({ envelope }) => envelope.recipients[0]!.address.split('@')[0]!)
  return { transport, senders, next: () => open.shift()!(), isOpen: () => open.length > 0 }
}

async function flood(worker: Worker, account: string, count: number, fresh = true): Promise<void> {
  for (let n = 0; n < count; n++) await worker.submit({ account, to: [`${account}@one.example`], fresh })
}

describe('two accounts with mail for one site', () => {
  it('take turns, however much one of them has in memory', async () => {
    const { transport, senders, next, isOpen } = stepping()
    await using worker = await startWorker({ zone, transport, sites: [rule] })
    await flood(worker, 'many', 30)
    await flood(worker, 'few', 3)
    for (let sent = 1; sent <= 8; sent++) {
      await worker.until(() => isOpen() && transport.sendings.length === sent, `sending ${sent}`)
      next()
    }
    await worker.until(isOpen)
    assert.deepEqual(senders().slice(0, 8), ['many', 'many', 'few', 'many', 'few', 'many', 'few', 'many'])
    while (transport.sendings.length < 33 || isOpen()) {
      await worker.until(isOpen)
      next()
      await worker.until(() => isOpen() || transport.busy === 0)
    }
  })

  it('take turns when the flood is more than memory holds', async () => {
    const { transport, senders, next, isOpen } = stepping()
    const settings = { KITTE_DELIVERY_MAX_ATTEMPTS: '10' }
    await using worker = await startWorker({ zone, transport, sites: [rule], settings })
    await flood(worker, 'many', 200)
    assert.ok((await worker.store.countQueue({})).leased < 100, 'the rest of the flood waits in the queue')
    await worker.submit({ account: 'few', to: ['few@one.example'] })
    await worker.until(isOpen)
    next()
    await worker.until(() => isOpen() && transport.sendings.length === 2)
    next()
    await worker.until(() => isOpen() && transport.sendings.length === 3)
    assert.deepEqual(senders().slice(0, 3).toSorted(), ['few', 'many', 'many'])
    const draining = setImmediate.bind(null, function drain() {
      if (isOpen()) next()
      if (transport.sendings.length < 201) setImmediate(drain)
    })
    draining()
    await worker.settled(201)
  })

  it('take turns when all of it has to be claimed from the queue', async () => {
    const { transport, senders, next, isOpen } = stepping()
    const settings = { KITTE_DELIVERY_MAX_ATTEMPTS: '10' }
    await using worker = await startWorker({ zone, transport, sites: [rule], settings })
    await flood(worker, 'many', 200, false)
    await flood(worker, 'few', 3, false)
    for (let sent = 1; sent <= 203; sent++) {
      await worker.until(() => isOpen() && transport.sendings.length === sent, `sending ${sent}`)
      next()
    }
    await worker.settled(203)
    assert.ok(senders().lastIndexOf('few') < 60, `the last of few was sending ${senders().lastIndexOf('few')}`)
  })
})

describe('a provider with a slow limit and thousands of customers, each with an MX host of its own', () => {
  const customers = 400
  const hosts = Array.from({ length: customers }, (_, n) => `c${n}.slow.example`)
  const zone = {
    'one.example': { MX: [[10, 'mx.one.example']] },
    'mx.one.example': { A: ['127.0.0.1'] },
    ...Object.fromEntries(hosts.map((host, n) => [`d${n}.example`, { MX: [[10, host]] }])),
    ...Object.fromEntries(hosts.map(host => [host, { A: ['127.0.0.2'] }])),
  } as Zone
  const slow = { ...rule, suffix: 'slow.example', name: 'slow', shared: true }
  const settings = { KITTE_DELIVERY_MAX_ATTEMPTS: '40' }

  /** A transport that ends one sending to the provider at each call of `next`, all others at once. */
  function provider() {
    const open: (() => void)[] = []
    let isSlow = true
    const transport = scriptedTransport({
      send: ({ spec }) =>
        isSlow && spec.address !== '127.0.0.1' ? new Promise(resolve => open.push(() => resolve(null))) : null,
    })
    const hurry = () => {
      isSlow = false
      for (const end of open.splice(0)) end()
    }
    const sentTo = (address: string) => transport.sendings.filter(({ spec }) => spec.address === address).length
    return { transport, sentTo, hurry, next: () => open.shift()!(), isOpen: () => open.length > 0 }
  }

  it('leaves memory to others, also to mail that has to be claimed', async () => {
    const { transport, sentTo, hurry, isOpen } = provider()
    await using worker = await startWorker({ zone, transport, sites: [slow, rule], settings })
    for (let n = 0; n < customers; n++) await worker.submit({ account: 'many', to: [`r@d${n}.example`] })
    await worker.until(isOpen)
    await flood(worker, 'few', 60, false)
    await worker.until(() => sentTo('127.0.0.1') === 60, 'the mail of others')
    assert.equal(sentTo('127.0.0.2'), 1)
    hurry()
  })

  it('gets all of its mail without a pause', async () => {
    const clock = manualClock()
    const { transport, sentTo, next, isOpen } = provider()
    await using worker = await startWorker({ zone, transport, clock, sites: [slow, rule], settings })
    for (let n = 0; n < customers; n++) await worker.submit({ account: 'many', to: [`r@d${n}.example`] })
    const startedAt = clock.now()
    for (let sent = 1; sent <= customers; sent++) {
      await worker.until(async () => {
        if (!isOpen()) await clock.advance(10)
        return isOpen()
      }, `sending ${sent}`)
      next()
    }
    await worker.until(() => sentTo('127.0.0.2') === customers)
    assert.ok(clock.now() - startedAt < 60_000, 'no lane stays closed for its whole time')
  })

  it("takes an account's few mails, and what is urgent in the flood, before the rest of it", async () => {
    const { transport, next, hurry, isOpen } = provider()
    await using worker = await startWorker({ zone, transport, sites: [slow, rule], settings })
    const all = Array.from({ length: customers }, (_, n) => `r@d${n}.example`)
    for (let n = 0; n < customers; n += 100) await worker.submit({ account: 'many', to: all.slice(n, n + 100) })
    await worker.submit({ account: 'many', priority: 'transactional', to: ['urgent@d1.example'] })
    await worker.submit({ account: 'few', to: ['few@d2.example'] })
    for (let sent = 1; sent < 6; sent++) {
      await worker.until(isOpen, `sending ${sent}`)
      next()
    }
    await worker.until(isOpen)
    const sent = transport.sendings.map(({ envelope }) => envelope.recipients[0]!.address)
    assert.ok(sent.includes('urgent@d1.example') && sent.includes('few@d2.example'), `${sent}`)
    hurry()
    await worker.settled(customers + 2)
  })
})
