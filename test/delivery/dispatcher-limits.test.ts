/**
 * Limits, closed sites, crashes and a store that can't be written: real store and settling, time turned by hand.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import type { SenderDomain } from '../../src/mail/sender-domain.ts'
import { startJanitor } from '../../src/queue/janitor.ts'
import { type LeasedEntry, type Store, StoreUnavailable } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { answerAll, type Sending, scriptedTransport, silentHost } from '../support/scripted-transport.ts'
import { startWorker, type Worker } from '../support/worker.ts'

const zone = {
  'one.example': { MX: [[10, 'mx.one.example']] },
  'mx.one.example': { A: ['127.0.0.1'] },
  'two.example': { MX: [[10, 'mx.two.example']] },
  'mx.two.example': { A: ['127.0.0.2'] },
} as const
const minute = 60_000
const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }

describe('a site that answers 421', () => {
  it('gets nothing more until it opens, then one message, then the rest', async () => {
    const clock = manualClock()
    let busy = true
    const transport = scriptedTransport({
      send: ({ envelope }) => (busy ? answerAll(envelope, '421 4.3.2 later', 'mail') : null),
    })
    await using worker = await startWorker({ zone, clock, transport })
    await worker.submit({ to: ['first@one.example'] })
    await worker.until(() => worker.dispatcher.sites()[0]?.closedUntil === clock.now() + minute, 'closing')
    await worker.settled(1)
    for (let n = 0; n < 5; n++) await worker.submit({ to: [`r${n}@one.example`] })
    await clock.advance(minute - 1)
    assert.equal(transport.sendings.length, 1)
    busy = false
    await clock.advance(1)
    await worker.until(async () => (await delivered(worker)) === 5)
    assert.equal(transport.mostBusy <= 5, true)
    assert.deepEqual(worker.dispatcher.sites(), [])
  })

  it('is tried at once when an operator orders a retry', async () => {
    const clock = manualClock()
    let busy = true
    const transport = scriptedTransport({
      send: ({ envelope }) => (busy ? answerAll(envelope, '421 4.3.2 later', 'mail') : null),
    })
    await using worker = await startWorker({ zone, clock, transport })
    await worker.submit({ to: ['r@one.example'] })
    await worker.until(() => worker.dispatcher.sites()[0]?.closedUntil === clock.now() + minute, 'closing')
    await worker.settled(1)
    assert.equal(await worker.store.retryNow({ domain: 'one.example' }, clock.now()), 1)
    await clock.advance(1000)
    await worker.settled(2)
    assert.equal(worker.dispatcher.sites()[0]!.closedUntil! > clock.now() + minute, true, 'it is closed for longer')
    busy = false
    assert.equal(await worker.store.retryNow({ domain: 'one.example' }, clock.now()), 1)
    await clock.advance(1000)
    await worker.until(async () => (await delivered(worker)) === 1)
    assert.equal(transport.sendings.length, 3)
  })

  it('stays closed twice as long each time it goes on', async () => {
    const clock = manualClock()
    const transport = scriptedTransport({ send: ({ envelope }) => answerAll(envelope, '421 4.3.2 later', 'mail') })
    const settings = { KITTE_QUEUE_RETRY_AFTER: '[1s]', KITTE_QUEUE_SITE_CLOSED_MAXIMUM: '3m' }
    await using worker = await startWorker({ zone, clock, transport, settings })
    await worker.submit({ to: ['r@one.example'] })
    const closedFor: number[] = []
    for (let n = 0; n < 4; n++) {
      await worker.until(() => worker.dispatcher.sites().some(site => site.closedUntil !== null), 'closing')
      await worker.settled(n + 1)
      const until = worker.dispatcher.sites()[0]!.closedUntil!
      closedFor.push((until - clock.now()) / minute)
      await clock.advance(until - clock.now())
      await worker.until(() => transport.sendings.length === n + 2, 'the next attempt')
    }
    assert.deepEqual(closedFor, [1, 2, 3, 3])
  })
})

describe('a site with a limit of connections', () => {
  it('never has more at once', async () => {
    const gates: (() => void)[] = []
    const transport = scriptedTransport({
      send: () => new Promise(resolve => gates.push(() => resolve(null))),
    })
    const sites = [{ ...rule, suffix: 'one.example', connections: 3 }]
    await using worker = await startWorker({ zone, transport, sites })
    await Promise.all(Array.from({ length: 20 }, (_, n) => worker.submit({ to: [`r${n}@one.example`] })))
    while ((await delivered(worker)) < 20) {
      await worker.until(() => transport.busy === Math.min(3, 20 - transport.sendings.length + transport.busy))
      const before = await delivered(worker)
      gates.shift()!()
      await worker.until(async () => (await delivered(worker)) > before)
    }
    assert.equal(transport.mostBusy, 3)
    assert.equal(transport.opened.length, 3)
  })
})

describe('a site with a rate', () => {
  it('gets what stayed outside as soon as an operator holds what was waiting', async () => {
    const clock = manualClock()
    const transport = scriptedTransport()
    const sites = [{ ...rule, suffix: 'one.example', perMinute: 6 }, rule]
    const settings = { KITTE_QUEUE_LEASE: '2m' }
    await using worker = await startWorker({ zone, clock, transport, sites, settings })
    const messages: string[] = []
    for (let n = 0; n < 10; n++) messages.push(await worker.submit({ to: [`r${n}@one.example`] }))
    await worker.settled(1)
    for (const message of messages.slice(1, 7)) await worker.store.hold({ message }, 'wait', clock.now())
    await clock.advance(30_000)
    await worker.settled(3)
    assert.deepEqual(
      transport.sendings.slice(0, 3).map(({ envelope }) => envelope.recipients[0]!.address),
      ['r0@one.example', 'r7@one.example', 'r8@one.example'],
    )
  })

  it('gets its messages evenly while another gets all at once', async () => {
    const clock = manualClock()
    const transport = scriptedTransport()
    const sites = [{ ...rule, suffix: 'one.example', perMinute: 60 }, rule]
    await using worker = await startWorker({ zone, clock, transport, sites })
    for (let n = 0; n < 10; n++) await worker.submit({ to: [`r${n}@one.example`] })
    for (let n = 0; n < 10; n++) await worker.submit({ to: [`r${n}@two.example`] })
    await worker.until(() => sentTo(transport.sendings, 'two.example') === 10)
    for (let second = 0; second < 10; second++) {
      await worker.until(() => sentTo(transport.sendings, 'one.example') > second)
      await clock.advance(999)
      assert.equal(sentTo(transport.sendings, 'one.example'), second + 1)
      await clock.advance(1)
    }
    await worker.settled(20)
  })
})

describe('more mail than a site can take for long', () => {
  it('waits in the queue, not in memory, and is sent without a gap', async () => {
    const clock = manualClock()
    const transport = scriptedTransport()
    const sites = [{ ...rule, suffix: 'one.example', perMinute: 60 }, rule]
    await using worker = await startWorker({ zone, clock, transport, sites, settings: { KITTE_QUEUE_LEASE: '20s' } })
    await worker.submit({ to: ['first@one.example'] })
    await worker.settled(1)
    for (let n = 0; n < 40; n++) await worker.submit({ to: [`r${n}@one.example`] })
    for (let second = 1; second <= 40; second++) {
      await clock.advance(1000)
      await worker.until(async () => (await delivered(worker)) === second + 1, `mail ${second + 1}`)
      const { leased } = await worker.store.countQueue({})
      assert.ok(leased <= 11, `${leased} in memory`)
    }
  })
})

describe('a sender domain limited to 60 a minute that is given 300 mails at once', () => {
  it('is delivered one a second, another domain at once', async () => {
    const clock = manualClock()
    const transport = scriptedTransport()
    await using worker = await startWorker({ zone, clock, transport })
    const limits = [{ key: 'domain:slow.example', limits: { perMinute: 60 } }]
    await createDomain(worker, 'slow.example')
    await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        worker.submit({ from: 'a@slow.example', to: [`r${n}@one.example`], limits }),
      ),
    )
    await worker.submit({ from: 'a@ours.example', to: ['other@one.example'] })
    await worker.until(() => transport.sendings.length === 2, 'the first of each')
    for (let second = 1; second < 300; second++) {
      await clock.advance(1000)
      await worker.until(() => transport.sendings.length >= second + 2, `mail ${second + 1}`)
      assert.equal(transport.sendings.length, second + 2)
    }
    await worker.until(async () => (await worker.store.totals()).delivered === 301)
  })
})

describe('a dead site', () => {
  it('holds up nobody else', async () => {
    const clock = manualClock()
    const transport = scriptedTransport({
      open: async spec => {
        if (spec.address !== '127.0.0.1') return null
        await clock.sleep(30_000)
        return silentHost()
      },
    })
    const settings = { KITTE_DELIVERY_MAX_ATTEMPTS: '10' }
    await using worker = await startWorker({ zone, clock, transport, settings })
    for (let n = 0; n < 60; n++) await worker.submit({ to: [`r${n}@one.example`] })
    await worker.until(() => transport.opened.length > 0)
    for (let n = 0; n < 30; n++) await worker.submit({ to: [`r${n}@two.example`] })
    await worker.until(() => sentTo(transport.sendings, 'two.example') === 30)
    assert.equal(transport.opened.filter(spec => spec.address === '127.0.0.1').length <= 5, true)
    await clock.advance(30_000)
    await worker.until(() => worker.dispatcher.sites().some(site => site.closedUntil !== null))
    const queue = () => worker.store.countQueue({})
    await worker.until(async () => (await queue()).leased === 0, 'everything given back')
    assert.equal((await queue()).total, 60)
  })
})

describe('a worker that dies', () => {
  /** Holds a message in an attempt that never ends, and does nothing more: neither renew nor claim. */
  async function dyingWorker(clock: ManualClock): Promise<Worker> {
    const transport = scriptedTransport({ send: () => new Promise(() => {}) })
    const around = (store: Store): Store => ({
      ...store,
      renew: () => Promise.resolve(),
      claim: () => Promise.resolve([]),
    })
    const worker = await startWorker({ zone, clock, transport, around })
    await worker.submit({ to: ['r@one.example'] })
    await worker.until(() => transport.busy === 1)
    return worker
  }

  /** Its attempt does not end in its own time, so the stop goes through all of its waits. */
  async function bury(worker: Worker, clock: ManualClock): Promise<void> {
    const stopped = worker.dispatcher.stop()
    for (let n = 0; n < 30; n++) await clock.advance(1000)
    await stopped
  }

  it('gets its entries back in doubt when it starts again', async () => {
    const clock = manualClock()
    await using first = await dyingWorker(clock)
    const transport = scriptedTransport()
    const claimed: LeasedEntry[] = []
    const around = (store: Store): Store => ({
      ...store,
      async claim(request) {
        const entries = await store.claim(request)
        claimed.push(...entries)
        return entries
      },
    })
    await using second = await startWorker({ zone, clock, transport, store: first.store, around })
    await second.settled(1)
    assert.equal((await second.outcomes())[0]!.action, 'delivered')
    assert.deepEqual(
      claimed.map(({ entry }) => entry.inDoubt),
      [true],
    )
    await bury(first, clock)
  })

  it('is replaced by another once its leases have run out', async () => {
    const clock = manualClock()
    await using first = await dyingWorker(clock)
    const transport = scriptedTransport()
    const { store } = first
    await using second = await startWorker({ zone, clock, transport, store, owner: 'node-1/1' })
    const janitor = startJanitor({
      store,
      clock,
      log: silentLog,
      leaseMs: 2 * minute,
      keepHistoryMs: 30 * 24 * 60 * minute,
      onReclaimed() {},
    })
    await clock.advance(2 * minute)
    assert.equal(transport.sendings.length, 0)
    await clock.advance(2 * minute)
    await second.until(() => transport.sendings.length === 1)
    await second.settled(1)
    await janitor.stop()
    await bury(first, clock)
  })
})

describe('a stop', () => {
  it('lets running attempts end and gives the rest back', async () => {
    let finish = () => {}
    const transport = scriptedTransport({
      send: () =>
        new Promise(resolve => {
          finish = () => resolve(null)
        }),
    })
    await using worker = await startWorker({ zone, transport, sites: [{ ...rule, connections: 1 }] })
    for (let n = 0; n < 4; n++) await worker.submit({ to: [`r${n}@one.example`] })
    await worker.until(() => transport.busy === 1)
    const stopped = worker.dispatcher.stop()
    await worker.until(async () => (await worker.store.countQueue({})).leased === 1, 'the rest given back')
    assert.equal(worker.dispatcher.fresh.ask(1, null).lease, undefined)
    worker.dispatcher.fresh.giveBack(1)
    finish()
    await stopped
    assert.deepEqual(await worker.actions(), { 'r0@one.example': 'delivered' })
    const { total, due } = await worker.store.countQueue({})
    assert.deepEqual({ total, due }, { total: 3, due: 3 })
    assert.equal(transport.sendings.length, 1)
  })
})

describe('a store that can not be written', () => {
  it('pauses deliveries, and they go on by themselves', async () => {
    const clock = manualClock()
    let writable = true
    const transport = scriptedTransport()
    const around = (store: Store): Store => ({
      ...store,
      health: async () => ({ ...(await store.health()), writable }),
      settle: batch => (writable ? store.settle(batch) : Promise.reject(new StoreUnavailable('disk full'))),
    })
    await using worker = await startWorker({ zone, clock, transport, around })
    await worker.submit({ to: ['before@one.example'] })
    await worker.settled(1)
    writable = false
    await clock.advance(2000)
    for (let n = 0; n < 5; n++) await worker.submit({ to: [`r${n}@one.example`] })
    for (let n = 0; n < 10; n++) await clock.advance(1000)
    assert.equal(transport.sendings.length, 1)
    writable = true
    await clock.advance(1000)
    await worker.settled(6)
    assert.equal(transport.sendings.length, 6)
  })

  it('has nothing sent twice when it fails between sending and settling', async () => {
    const clock = manualClock()
    let writable = true
    const transport = scriptedTransport({
      send: () => {
        writable = false
        return null
      },
    })
    const around = (store: Store): Store => ({
      ...store,
      settle: batch => (writable ? store.settle(batch) : Promise.reject(new StoreUnavailable('disk full'))),
    })
    await using worker = await startWorker({ zone, clock, transport, around })
    await worker.submit({ to: ['r@one.example'] })
    await worker.until(() => worker.settler.unsettled === 1)
    for (let n = 0; n < 60; n++) await clock.advance(10_000)
    assert.equal(transport.sendings.length, 1)
    writable = true
    await clock.advance(1000)
    await worker.settled(1)
    assert.deepEqual(await worker.actions(), { 'r@one.example': 'delivered' })
    assert.equal((await worker.store.countQueue({})).total, 0)
  })
})

describe('a bug', () => {
  it('defers the mail it hits, with the stack in the log, and the others go on', async () => {
    const errors: unknown[] = []
    const transport = scriptedTransport({
      send: ({ envelope }) => {
        if (envelope.recipients[0]!.address === 'bad@one.example') throw new TypeError('oops')
        return null
      },
    })
    const log = logTo(errors)
    await using worker = await startWorker({ zone, transport, log })
    await worker.submit({ to: ['bad@one.example'] })
    await worker.submit({ to: ['good@one.example'] })
    await worker.settled(2)
    assert.deepEqual(await worker.actions(), { 'bad@one.example': 'deferred', 'good@one.example': 'delivered' })
    const bad = (await worker.outcomes()).find(outcome => outcome.recipient === 'bad@one.example')
    assert.equal(bad!.class, 'relay-trouble')
    assert.equal(bad!.reply.code, 451)
    assert.equal(
      errors.some(error => error instanceof TypeError && String(error.stack).includes('oops')),
      true,
    )
  })
})

describe('much mail for one site', () => {
  it('does not fill the memory, and all of it arrives', async () => {
    const transport = scriptedTransport()
    const settings = { KITTE_DELIVERY_MAX_ATTEMPTS: '2' }
    await using worker = await startWorker({ zone, transport, settings })
    const mails = Array.from({ length: 150 }, (_, n) =>
      worker.submit({ to: [`r${n}@one.example`], fresh: n % 2 === 0 }),
    )
    await Promise.all(mails)
    worker.dispatcher.wake()
    await worker.until(async () => (await worker.store.totals()).delivered === 150)
    assert.equal(transport.sendings.length, 150)
  })
})

async function delivered(worker: Worker): Promise<number> {
  return (await worker.store.totals()).delivered
}

function sentTo(sendings: readonly Sending[], domain: string): number {
  return sendings.filter(({ envelope }) => envelope.recipients[0]!.address.endsWith(`@${domain}`)).length
}

function logTo(errors: unknown[]) {
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: Readonly<Record<string, unknown>>) => void errors.push(fields.err),
    debugs: false,
    child: () => log,
  }
  return log
}

async function createDomain(worker: Worker, name: string): Promise<void> {
  const domain: SenderDomain = {
    name,
    account: 'account-1',
    createdAt: 0,
    limits: { perMinute: 60 },
    archivedAt: null,
    keys: [],
    checks: [],
    nextCheckAt: 0,
    keyFailure: null,
  }
  await worker.store.createAccount({
    id: 'account-1',
    name: 'Account 1',
    createdAt: 0,
    limits: {},
    unaligned: 'send',
    suspendedReason: null,
  })
  await worker.store.createDomain(domain, [])
}
