/**
 * Accounts take turns: one's flood must not hold up another's mail to the same site. Real store; one connection.
 */
import assert from 'node:assert/strict'
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
