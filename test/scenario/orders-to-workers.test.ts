/**
 * Orders to a relay with two workers: they reach both at once. What is being sent when an order is answered is told; nothing
 * else of it leaves, not after a kill either, and the counts add up at every step.
 */
import assert from 'node:assert/strict'
import { samplesOf, sumOf } from '../support/exposition.ts'
import { Load } from '../support/load.ts'
import { type ProcessWorld, startProcessWorld } from '../support/process-relay.ts'
import { waitFor } from '../support/real/program.ts'

/** One for each worker. */
const connections = 2
const count = 24
const all = { all: true }
const settings = {
  delivery: { workers: 2 },
  queue: { retryAfter: ['1h'], retryJitter: 0 },
  sites: [{ suffix: '', connections, messagesPerConnection: 100, perMinute: null }],
}

interface Ordered {
  readonly changed: number
  readonly inFlight: number
}
interface Counts {
  readonly total: number
  readonly leased: number
  readonly held: number
}

describe('an order to a relay with two workers', () => {
  let world: ProcessWorld
  let marker = 0

  before(async () => {
    world = await startProcessWorld({ settings, sink: {} })
  })
  afterEach(checkCounts)
  after(() => world?.[Symbol.asyncDispose]())

  const order = (verb: string, body: object) => world.relay.api<Ordered>('POST', `/v1/queue/${verb}`, body)
  const counts = async () => (await world.relay.api<{ counts: Counts }>('GET', '/v1/queue')).counts
  const arrived = () => world.sink.messages.filter(({ recipients }) => /^n\d/.test(recipients[0]!)).length

  /** Its recipients in lines of the log, which are written a moment after what they tell. */
  async function told(label: string, fits: (line: Record<string, unknown>) => boolean) {
    const lines = () =>
      world.relay.logged().filter(line => fits(line) && String(line.recipient).endsWith(`-${label}@sink.example`))
    await waitFor(`${count} lines on ${label}`, () => lines().length === count)
    return lines()
  }

  /** The kernel throws dice for each connection: with so many at once both workers get some but once in eight million times. */
  async function submit(label: string): Promise<void> {
    const { relay, login } = world
    const mail = (number: number) => ({ to: [`n${number}-${label}@sink.example`], size: 500 })
    const hold = () => load.mails.length === 0 && load.connected < count
    await using load: Load = new Load({ ...login, port: relay.port, connections: count, mail, count, hold })
    await load.done()
    assert.equal(load.of('accepted').length, count)
  }

  /** The site takes a mail of each connection and says nothing more. */
  async function submitToSilence(label: string): Promise<void> {
    const { sink } = world
    sink.setFault({ phase: 'dot', kind: 'silence' })
    const contents = () => sink.commands.filter(line => line === '.').length
    const before = contents()
    await submit(label)
    await sink.when(() => contents() === before + connections, 'a mail on each connection')
  }

  function endSilence(): void {
    world.sink.setFault(null)
    world.sink.dropConnections()
  }

  /** Mail for another site goes through all the same, so whatever could have left has had its time. */
  async function othersGoThrough(): Promise<void> {
    const { relay, login, sink } = world
    const label = `m${marker++}`
    const mail = (number: number) => ({ to: [`${label}-${number}@other.example`], size: 500 })
    await using load = new Load({ ...login, port: relay.port, connections: 8, mail, count: 8 })
    await load.done()
    const those = () => sink.messages.filter(({ recipients }) => recipients[0]!.startsWith(`${label}-`)).length
    await sink.when(() => those() === 8, 'mail for others')
    // Written down too: a kill would leave them in doubt.
    await waitFor('their outcomes', async () => (await counts()).total === (await counts()).held)
  }

  async function checkCounts(): Promise<void> {
    const samples = samplesOf((await world.relay.ask('/metrics')).text)
    const [accepted, delivered, bounced, cancelled] = ['accepted', 'delivered', 'bounced', 'cancelled'].map(action =>
      sumOf(samples, `kitte_recipients_${action}_total`),
    ) as [number, number, number, number]
    assert.equal(accepted, delivered + bounced + cancelled + sumOf(samples, 'kitte_recipients_queued'))
  }

  it('holds what waits in the memory of both, and keeps it over a kill', async () => {
    const { relay } = world
    await submitToSilence('held')
    assert.deepEqual(pick(await order('hold', all)), { changed: count, inFlight: connections })
    assert.equal((await counts()).leased, connections, 'the others were given back')
    endSilence()
    await waitFor('the end of the attempts', async () => (await counts()).held === count)
    await othersGoThrough()
    await relay.end('SIGKILL')
    await relay.start()
    await othersGoThrough()
    const { total, held } = await counts()
    assert.deepEqual([total, held, arrived()], [count, count, 0])
  })

  it('releases and retries it all, at both', async () => {
    assert.deepEqual(pick(await order('release', all)), { changed: count, inFlight: 0 })
    await order('retry', all)
    await world.relay.drained()
    assert.equal(arrived(), count)
  })

  it('cancels what waits, and what is being sent once that has failed', async () => {
    await submitToSilence('cancelled')
    assert.deepEqual(pick(await order('cancel', all)), { changed: count - connections, inFlight: connections })
    endSilence()
    await world.relay.drained()
    await othersGoThrough()
    assert.equal(arrived(), count, 'those of before')
    await told('cancelled', ({ event }) => event === 'cancelled')
  })

  it('suspends a slice until its time is over, a kill in between included', async () => {
    const { relay } = world
    const filter = { domain: 'sink.example' }
    const suspend = (more: object) =>
      relay.api<{ suspension: { id: string } }>('POST', '/v1/suspensions', { filter, reason: 'outage', ...more })
    const endless = (await suspend({})).suspension.id
    await submit('suspended')
    await waitFor('all held', async () => (await counts()).held === count)
    // Only then the time begins, and the other one takes over what is held: however slow the machine is.
    const until = Date.now() + 2000
    await suspend({ until: new Date(until).toISOString() })
    await relay.api('DELETE', `/v1/suspensions/${endless}`)
    await relay.end('SIGKILL')
    await relay.start()
    await relay.drained()
    const times = await told('suspended', ({ event }) => event === 'delivered')
    assert.ok(times.every(({ time }) => new Date(time as string | number).getTime() >= until))
  })

  it('leads mail around, and suppresses what was imported, at both', async () => {
    const { relay, sink } = world
    const hosts = [`mx.other.example:${sink.port}`]
    await relay.api('POST', '/v1/routes', { domain: 'sink.example', hosts, note: 'outage' })
    await submit('around')
    await relay.drained()
    await told('around', ({ event, site }) => event === 'delivered' && site === `via ${hosts[0]}`)
    const before = sink.messages.length
    const suppressions = Array.from({ length: count }, (_, n) => ({
      ...{ address: `n${n}-gone@sink.example`, reason: 'manual' },
    }))
    await relay.api('POST', '/v1/suppressions/import', { account: null, suppressions })
    await submit('gone')
    await relay.drained()
    await told('gone', line => line.class === 'suppressed')
    assert.equal(sink.messages.slice(before).filter(({ recipients }) => /-gone@/.test(recipients[0]!)).length, 0)
  })
})

function pick({ changed, inFlight }: Ordered): Ordered {
  return { changed, inFlight }
}
