/**
 * Pools and warm-ups between routing and the wire: real store and dispatch, a transport that tells what it was asked.
 */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { openCalendar } from '../../src/base/calendar.ts'
import type { WarmUp } from '../../src/mail/warm-up.ts'
import type { Store } from '../../src/store/store.ts'
import { account as accountOf, credential, senderDomain } from '../store/fixtures.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { answerAll, scriptedTransport } from '../support/scripted-transport.ts'
import { account, startWorker, type Worker } from '../support/worker.ts'

const zone = {
  'one.example': { MX: [[10, 'mx.one.example']] },
  'mx.one.example': { A: ['127.0.0.1'], AAAA: ['::1'] },
  'six.example': { MX: [[10, 'mx.six.example']] },
  'mx.six.example': { AAAA: ['::1'] },
} as const
const hour = 3_600_000
/** 12:00 in Tokyo. */
const noon = Date.UTC(2026, 0, 15, 3)
const pools = [
  { name: 'bulk', sources: [2, 3].map(n => ({ ip: `127.0.0.${n}`, ehlo: `out${n}.relay.example` })) },
  { name: 'mail', sources: [{ ip: '127.0.0.9', ehlo: 'mail.relay.example' }] },
]
const settings = { KITTE_POOLS: JSON.stringify(pools) }

function warmUp(kind: WarmUp['kind'], name: string, caps: readonly number[]): WarmUp {
  const stand = { state: 'running', step: 0, day: null, taken: 0, pause: null, trustedOn: null } as const
  return { kind, name, account: null, plan: 'own', caps, startsOn: '2026-01-15', createdAt: 0, ...stand }
}

async function registered(worker: Worker, pool: string | null): Promise<void> {
  await worker.store.createAccount({ ...accountOf(account), pool })
}

const many = (count: number, domain = 'one.example') => Array.from({ length: count }, (_, n) => `r${n}@${domain}`)

const noSuchAddress = {
  failure: { phase: 'connect', kind: 'unreachable', detail: 'EADDRNOTAVAIL', inDoubt: false },
  tlsFailed: false,
} as const

/** Claims have a little time between them. */
function passing(worker: Worker, clock: ManualClock, condition: () => Promise<boolean>): Promise<void> {
  return worker.until(async () => {
    await clock.advance(20)
    return condition()
  })
}

async function delivered(worker: Worker): Promise<number> {
  return (await worker.store.totals()).delivered
}

async function waiting(worker: Worker) {
  const rows = await worker.store.listQueue({ state: 'waiting' }, { limit: 1000 })
  return rows.map(({ entry }) => [entry.waitsFor, entry.nextAttemptAt] as const)
}

describe('a pool of source addresses', () => {
  it('is left from by all of its addresses, each with its own EHLO name', async () => {
    const transport = scriptedTransport({})
    await using worker = await startWorker({ zone, transport, settings })
    await registered(worker, 'bulk')
    for (const to of many(40)) await worker.submit({ to: [to] })
    await worker.settled(40)
    const ways = new Set(transport.sendings.map(({ spec }) => `${spec.sourceIp} ${spec.ehlo}`))
    assert.deepEqual([...ways].sort(), ['127.0.0.2 out2.relay.example', '127.0.0.3 out3.relay.example'])
    const [outcome] = await worker.outcomes()
    assert.match(outcome?.facts?.sourceIp ?? '', /^127\.0\.0\.[23]$/)
  })

  it('is that of the credential, else of the domain, else of the account', async () => {
    const transport = scriptedTransport({})
    await using worker = await startWorker({ zone, transport, settings })
    const left = async () => {
      const before = transport.sendings.length
      await worker.submit({ to: ['r@one.example'], from: 'a@ours.example', credential: 'cred' })
      await worker.until(() => transport.sendings.length > before)
      return transport.sendings.at(-1)?.spec.sourceIp ?? null
    }
    await registered(worker, null)
    await worker.store.createCredential(credential('cred', account))
    await worker.store.createDomain(senderDomain('ours.example', account), [])
    assert.equal(await left(), null)
    await worker.store.updateAccount(account, { pool: 'bulk' })
    assert.match((await left()) ?? '', /^127\.0\.0\.[23]$/)
    await worker.store.updateDomain('ours.example', { pool: 'mail' }, [])
    assert.equal(await left(), '127.0.0.9')
    await worker.store.updateCredential('cred', { pool: 'bulk' })
    assert.match((await left()) ?? '', /^127\.0\.0\.[23]$/)
    await worker.store.updateCredential('cred', { pool: 'gone' })
    assert.equal(await left(), null, 'the default takes the place of a pool that is not there')
  })

  it('goes on from its other address when a site turns one away, and others keep their lanes', async () => {
    const clock = manualClock(noon)
    const transport = scriptedTransport({
      send: ({ envelope, spec }) =>
        spec.sourceIp === '127.0.0.2' ? answerAll(envelope, '421 4.7.0 blocked', 'mail') : null,
    })
    await using worker = await startWorker({ zone, clock, transport, settings })
    await registered(worker, 'bulk')
    for (const to of many(20)) await worker.submit({ to: [to] })
    await worker.settled(20)
    const [blocked, taken] = [await delivered(worker), transport.sendings.length]
    assert.ok(blocked < 20 && taken >= 20, 'some met the address that is blocked')
    for (const to of many(20)) await worker.submit({ to: [to] })
    await worker.until(async () => (await delivered(worker)) >= blocked + 20, 'all new mail from the other address')
    await clock.advance(hour / 2)
    await worker.until(async () => (await worker.store.totals()).queued === 0, 'what had been turned away')
  })

  it('leaves an address alone that this machine does not have', async () => {
    const clock = manualClock(noon)
    const transport = scriptedTransport({
      open: ({ sourceIp }) => (sourceIp === '127.0.0.2' ? noSuchAddress : null),
    })
    await using worker = await startWorker({ zone, clock, transport, settings })
    await registered(worker, 'bulk')
    for (const to of many(20)) await worker.submit({ to: [to] })
    await passing(worker, clock, async () => (await delivered(worker)) === 20)
    assert.equal((await worker.outcomes()).length, 20, 'nothing counts as an attempt that had no address to begin at')
    assert.deepEqual([...new Set(transport.sendings.map(({ spec }) => spec.sourceIp))], ['127.0.0.3'])
  })

  it('waits, and says why, while this machine has none of its addresses', async () => {
    const clock = manualClock(noon)
    let isThere = false
    const transport = scriptedTransport({ open: () => (isThere ? null : noSuchAddress) })
    await using worker = await startWorker({ zone, clock, transport, settings })
    await registered(worker, 'bulk')
    await worker.submit({ to: many(3) })
    await passing(
      worker,
      clock,
      async () => (await waiting(worker)).filter(([reason]) => reason !== undefined).length === 3,
    )
    const rows = await waiting(worker)
    assert.deepEqual(rows, Array(3).fill(['source address bulk', rows[0]![1]]))
    assert.ok(rows[0]![1] <= clock.now() + hour / 60)
    assert.deepEqual(await worker.outcomes(), [], 'nobody was asked')
    isThere = true
    await clock.advance(hour / 60)
    await passing(worker, clock, async () => (await delivered(worker)) === 3)
  })

  it('is no reason to think ill of a site when the plain source address is gone', async () => {
    const clock = manualClock(noon)
    const lost = { KITTE_DELIVERY_SOURCE_IPV4: '127.0.0.7', KITTE_DELIVERY_IPV6: 'false' }
    const transport = scriptedTransport({ open: ({ sourceIp }) => (sourceIp === '127.0.0.7' ? noSuchAddress : null) })
    await using worker = await startWorker({ zone, clock, transport, settings: lost })
    await worker.submit({ to: many(1) })
    await worker.until(async () => (await waiting(worker))[0]?.[0] !== undefined)
    assert.deepEqual(await waiting(worker), [['source address default', noon + hour / 60]])
    assert.deepEqual([await worker.outcomes(), worker.dispatcher.sites()], [[], []])
  })

  it('waits, and says why, where none of its addresses can reach a site', async () => {
    const clock = manualClock(noon)
    await using worker = await startWorker({ zone, clock, transport: scriptedTransport({}), settings })
    await registered(worker, 'mail')
    await worker.submit({ to: many(1, 'six.example') })
    await worker.until(async () => (await waiting(worker)).length === 1)
    assert.deepEqual(await waiting(worker), [['source pool mail', noon + hour / 4]])
  })
})

describe('a sender domain that is being warmed up', () => {
  it('sends its cap, and the rest waits for the next day with the reason', async () => {
    const clock = manualClock(noon)
    const transport = scriptedTransport({})
    await using worker = await startWorker({ zone, clock, transport })
    await worker.store.createWarmUp(warmUp('domain', 'ours.example', [3, 6]))
    await worker.submit({ to: many(2) })
    await worker.submit({ to: many(4) })
    await worker.submit({ from: 'a@other.example', to: many(5) })
    await worker.until(async () => (await delivered(worker)) === 8)
    await worker.until(async () => (await waiting(worker)).length === 3)
    const midnight = openCalendar('Asia/Tokyo').startOf('2026-01-16')
    assert.deepEqual(await waiting(worker), Array(3).fill(['warm-up domain ours.example', midnight]))
    await clock.advance(midnight - clock.now() - 1000)
    assert.equal(await delivered(worker), 8)
    await clock.advance(2000)
    await worker.until(async () => (await delivered(worker)) === 11)
  })

  it('has its places back when mail was not tried', async () => {
    const clock = manualClock(noon)
    let busy = true
    const transport = scriptedTransport({
      send: ({ envelope }) => (busy ? answerAll(envelope, '421 4.3.2 later', 'mail') : null),
    })
    const rule = { suffix: '', connections: 1, messagesPerConnection: 100, perMinute: null }
    await using worker = await startWorker({ zone, clock, transport, sites: [rule] })
    await worker.store.createWarmUp(warmUp('domain', 'ours.example', [10]))
    for (const to of many(6)) await worker.submit({ to: [to] })
    await worker.settled(1)
    const taken = async () => (await worker.store.warmUp({ kind: 'domain', name: 'ours.example' }))?.taken
    await worker.until(async () => (await worker.store.countQueue({})).leased === 0)
    assert.equal(await taken(), 1, 'the one that was tried')
    busy = false
    await clock.advance(hour)
    await worker.until(async () => (await delivered(worker)) === 6)
    assert.equal(await taken(), 7)
  })
})

describe('a source address that is being warmed up', () => {
  it('takes its cap, then the others of its pool take over', async () => {
    const clock = manualClock(noon)
    const transport = scriptedTransport({})
    await using worker = await startWorker({ zone, clock, transport, settings })
    await registered(worker, 'bulk')
    await worker.store.createWarmUp(warmUp('source', '127.0.0.2', [5]))
    for (const to of many(40)) await worker.submit({ to: [to] })
    await worker.settled(40)
    const from = (ip: string) => transport.sendings.filter(({ spec }) => spec.sourceIp === ip).length
    assert.deepEqual([from('127.0.0.2'), from('127.0.0.3')], [5, 35])
  })

  it('makes mail wait when its pool has no other, until somebody resumes or ends it', async () => {
    const clock = manualClock(noon)
    await using worker = await startWorker({ zone, clock, transport: scriptedTransport({}), settings })
    await registered(worker, 'mail')
    await worker.store.createWarmUp(warmUp('source', '127.0.0.9', [2]))
    await worker.submit({ to: many(5) })
    await worker.until(async () => (await delivered(worker)) === 2)
    await worker.until(async () => (await waiting(worker)).length === 3)
    assert.equal((await waiting(worker))[0]?.[0], 'warm-up pool mail')
    await worker.store.deleteWarmUp({ kind: 'source', name: '127.0.0.9' })
    assert.equal(await worker.store.wakeWaiting('warm-up pool mail'), 3)
    await clock.advance(1000)
    await worker.until(async () => (await delivered(worker)) === 5)
  })

  it('keeps nothing in memory for a site that closes while the store is asked for places', async () => {
    const clock = manualClock(noon)
    const events = new EventEmitter()
    let asked = 0
    const transport = scriptedTransport({
      send: async ({ envelope }) => {
        await once(events, 'answer')
        return answerAll(envelope, '421 4.3.2 later', 'mail')
      },
    })
    const around = (store: Store): Store => ({
      ...store,
      async takePlaces(...question) {
        const places = await store.takePlaces(...question)
        if (++asked === 2) await once(events, 'places')
        return places
      },
    })
    await using worker = await startWorker({ zone, clock, transport, settings, around })
    await registered(worker, 'mail')
    await worker.store.createWarmUp(warmUp('source', '127.0.0.9', [10]))
    await worker.submit({ to: many(1) })
    await worker.until(() => transport.busy === 1)
    await worker.submit({ to: many(1) })
    await worker.until(() => asked === 2)
    events.emit('answer')
    await worker.until(() => worker.dispatcher.sites().some(({ closedUntil }) => closedUntil !== null))
    events.emit('places')
    await worker.until(async () => (await worker.store.countQueue({})).leased === 0, 'what waits to be given back')
    const taken = async () => (await worker.store.warmUp({ kind: 'source', name: '127.0.0.9' }))?.taken
    await worker.until(async () => (await taken()) === 1, 'the place of what was not tried')
  })

  it('may be the plain source address of the configuration', async () => {
    const clock = manualClock(noon)
    const transport = scriptedTransport({})
    await using worker = await startWorker({
      zone,
      clock,
      transport,
      settings: { KITTE_DELIVERY_SOURCE_IPV4: '127.0.0.4' },
    })
    await worker.store.createWarmUp(warmUp('source', '127.0.0.4', [1]))
    for (const to of many(40)) await worker.submit({ to: [to] })
    await worker.settled(40)
    const sources = transport.sendings.map(({ spec }) => `${spec.sourceIp ?? 'chosen'} to ${spec.address}`)
    assert.deepEqual([...new Set(sources)].sort(), ['127.0.0.4 to 127.0.0.1', 'chosen to ::1'])
    assert.equal(sources.filter(text => text.startsWith('127.0.0.4')).length, 1)
  })
})
