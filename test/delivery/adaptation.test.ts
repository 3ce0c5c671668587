/**
 * Sites that take less than they could get: delivery finds out how much, and stays there. Real store, real settling; the
 * sites are scripts, and time is turned by hand.
 */
import assert from 'node:assert/strict'
import type { Connection, Transport } from '../../src/delivery/transport.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { answerAll, type Sending, scriptedTransport } from '../support/scripted-transport.ts'
import { startSink } from '../support/sink.ts'
import { startWorker, type Worker, type WorkerOptions } from '../support/worker.ts'

const zone = {
  'strict.example': { MX: [[10, 'mx.strict.example']] },
  'mx.strict.example': { A: ['127.0.0.1'] },
} as const
const second = 1000
const minute = 60 * second

/** A site that takes so many messages in each minute of the clock, and answers the rest with this. */
function takesPerMinute(clock: ManualClock, most: number, reply: string, phase: 'mail' | 'rcpt' = 'mail') {
  const accepted = new Map<number, number>()
  const refused = new Map<number, number>()
  const add = (counts: Map<number, number>, key: number) => counts.set(key, (counts.get(key) ?? 0) + 1)
  const transport = scriptedTransport({
    send: ({ envelope }: Sending) => {
      const now = Math.floor(clock.monotonic() / minute)
      const isTaken = (accepted.get(now) ?? 0) < most
      add(isTaken ? accepted : refused, now)
      return isTaken ? null : answerAll(envelope, reply, phase)
    },
  })
  const of = (counts: Map<number, number>, from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => counts.get(from + n) ?? 0)
  const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0)
  return {
    transport,
    accepted: (from: number, to: number) => sum(of(accepted, from, to)),
    refused: (from: number, to: number) => sum(of(refused, from, to)),
  }
}

/** Lets so many minutes pass, a few seconds at a time, and everything that was begun come to its end. */
async function pass(worker: Worker, clock: ManualClock, minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes * minute; passed += 5 * second) {
    await clock.advance(5 * second)
    await worker.until(() => worker.dispatcher.sites().every(({ running }) => running === 0), 'the end of attempts')
  }
}

async function startWith(
  clock: ManualClock,
  transport: Transport,
  messages: number,
  more: Partial<WorkerOptions> = {},
): Promise<Worker> {
  const settings = { KITTE_QUEUE_RETRY_AFTER: '[2m]' }
  const worker = await startWorker({ zone, clock, transport, settings, ...more })
  const mail = Array.from({ length: messages }, (_, n) => ({ to: [`r${n}@strict.example`], fresh: false }))
  await Promise.all(mail.map(one => worker.submit(one)))
  worker.dispatcher.wake()
  return worker
}

describe('a site that takes 30 messages a minute', () => {
  for (const [what, reply, phase] of [
    ['says 421 and that it is too much', '421 4.7.0 Too many messages, slow down', 'mail'],
    ['says 421 and no reason', '421 4.3.2 Try again later', 'mail'],
    ['says 450 to each recipient', '450 4.7.1 Message rate limit exceeded', 'rcpt'],
  ] as const)
    it(`and then ${what} ends at a rate it accepts`, async () => {
      const clock = manualClock()
      const site = takesPerMinute(clock, 30, reply, phase)
      await using worker = await startWith(clock, site.transport, 600)
      await pass(worker, clock, 15)
      const told = `${site.accepted(0, 15)} accepted, ${site.refused(0, 15)} refused`
      assert.ok(site.refused(0, 15) <= 40, told)
      assert.ok(site.refused(5, 15) <= 4, `${site.refused(5, 15)} refused once it was known`)
      assert.ok(site.accepted(5, 15) >= 200, `${site.accepted(5, 15)} of 300 accepted once it was known`)
      const [{ limits }] = worker.dispatcher.sites() as [ReturnType<typeof worker.dispatcher.sites>[number]]
      assert.ok(limits.perMinute !== null && limits.perMinute <= 40, `${limits.perMinute} a minute`)
      assert.equal(limits.adapted?.reply, reply)
    })

  it('is sent no more than that after a restart', async () => {
    const clock = manualClock()
    const site = takesPerMinute(clock, 30, '421 4.7.0 Too many messages, slow down')
    await using worker = await startWith(clock, site.transport, 200)
    await pass(worker, clock, 3)
    const before = worker.dispatcher.sites()[0]!.limits
    assert.notEqual(before.perMinute, null)
    await worker.dispatcher.stop()
    await using again = await startWorker({ zone, clock, transport: site.transport, store: worker.store })
    again.dispatcher.wake()
    await again.until(() => again.dispatcher.sites().length > 0, 'the site')
    assert.deepEqual(again.dispatcher.sites()[0]!.limits, before)
  })
})

/** A site that turns away whoever comes while it has so many connections. */
function takesConnections(most: number) {
  const gates: (() => void)[] = []
  const counts = { open: 0, mostOpen: 0, refused: 0 }
  const plain = scriptedTransport({ send: () => new Promise(resolve => gates.push(() => resolve(null))) })
  const transport: Transport = {
    async open(spec, limits) {
      if (counts.open === most) {
        counts.refused++
        return { reply: parseReply('421 4.3.2 Service not available')!, phase: 'banner' }
      }
      counts.mostOpen = Math.max(counts.mostOpen, ++counts.open)
      const opened = await plain.open(spec, limits)
      return 'connection' in opened ? { connection: counted(opened.connection) } : opened
    },
  }
  const counted = (connection: Connection): Connection => {
    let isOpen = true
    const gone = () => {
      if (isOpen) counts.open--
      isOpen = false
    }
    return new Proxy(connection, {
      get: (target, name) => {
        if (name === 'quit' || name === 'destroy') gone()
        return Reflect.get(target, name)
      },
    })
  }
  return { transport, gates, counts }
}

describe('a site that takes three connections', () => {
  it('is given three, stays open, and gets all of its mail', async () => {
    const clock = manualClock()
    const { transport, gates, counts } = takesConnections(3)
    const settings = { KITTE_QUEUE_RETRY_AFTER: '[2m]', KITTE_DELIVERY_FIRST_CONNECTIONS: '20' }
    await using worker = await startWith(clock, transport, 60, { settings })
    const site = () => worker.dispatcher.sites()[0]
    await clock.advance(second)
    await worker.until(() => counts.refused > 0 && site()?.running === 3, 'three connections')
    const atFirst = counts.refused
    let closings = 0
    for (let done = 0; done < 60; ) {
      if (gates.length === 0 && site()?.running) await worker.until(() => gates.length > 0 || !site()?.running)
      if (gates.length === 0) await clock.advance(minute)
      for (const open of gates.splice(0)) {
        open()
        done++
      }
      await worker.until(async () => (await worker.store.totals()).delivered === done, `${done} deliveries`)
      if (site()?.closedUntil) closings++
    }
    assert.deepEqual([closings, counts.mostOpen], [0, 3])
    assert.ok(counts.refused - atFirst <= 2, `${counts.refused - atFirst} more were turned away`)
  })
})

describe('a site that hangs up after 7 messages', () => {
  it('gets 7 on each connection, and that is known', async () => {
    await using sink = await startSink({ maxMessages: 7 })
    await using worker = await startWorker({
      zone: sink.zone('seven.example'),
      port: sink.port,
      sites: [{ suffix: '', connections: 1, messagesPerConnection: 100, perMinute: null }],
    })
    await Promise.all(Array.from({ length: 56 }, (_, n) => worker.submit({ to: [`r${n}@seven.example`] })))
    await worker.settled(56)
    const [site] = worker.dispatcher.sites()
    assert.deepEqual([site?.limits.messagesPerConnection, site?.rule.messagesPerConnection], [7, 100])
    assert.deepEqual(
      sink.messagesPerConnection,
      Array.from({ length: 8 }, () => 7),
    )
  })
})
