import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { arrivalsAt, keysOfMail, Load, type LoadedMail } from '../support/load.ts'
import { type ProcessRelay, type ProcessWorld, startProcessWorld } from '../support/process-relay.ts'
import { seededRandom } from '../support/random.ts'
import { waitFor } from '../support/real/program.ts'
import type { Sink, SinkMessage } from '../support/sink.ts'

/** Attempts under way at once: with one recipient each, so many mails can be in doubt after a kill. */
const maxAttempts = 40
const kills = 20

interface Speed {
  readonly connections: number
  /** Of accepted mail that has not arrived: enough that retries and restarts find work, little enough to end soon. */
  readonly backlog: number
  /** A receiver takes up to so long for its last reply. */
  readonly dotDelayMs: number
  /** Life of a process under load, at most. */
  readonly lifeMs: number
}

const moderate: Speed = { connections: 8, backlog: 400, dotDelayMs: 30, lifeMs: 400 }
/** As fast as two cores go. */
const full: Speed = { connections: 30, backlog: 1500, dotDelayMs: 0, lifeMs: 700 }

const settings = {
  delivery: { maxAttempts },
  queue: { retryAfter: ['1s'], retryJitter: 0, lease: '5s' },
  // Some contents stand in files.
  store: { inlineContentBytes: 8192 },
}

function startWorld({ dotDelayMs }: Speed, random: () => number): Promise<ProcessWorld> {
  return startProcessWorld({ settings, sink: { dotDelayMs: () => random() * dotDelayMs } })
}

/** Most to one recipient; some to two sites, some deferred once, some refused. */
function mailFor(number: number, random: () => number): { readonly to: readonly string[]; readonly size: number } {
  const size = number % 15 === 0 ? 20_000 : 500 + Math.floor(random() * 5000)
  if (number % 10 === 1) return { to: [`n${number}@sink.example`, `n${number}@other.example`], size }
  if (number % 20 === 2) return { to: [`once-451-4.7.1+${number}@sink.example`], size }
  if (number % 30 === 3) return { to: [`550-5.1.1+${number}@sink.example`], size }
  return { to: [`n${number}@sink.example`], size }
}

function startLoad({ relay, sink, login }: ProcessWorld, { connections, backlog }: Speed, random: () => number): Load {
  const load: Load = new Load({
    ...login,
    port: relay.port,
    connections,
    mail: number => mailFor(number, random),
    hold: () => load.accepted - sink.messages.length > backlog,
  })
  return load
}

/** What each process left behind: how many sessions the sink had seen when it was gone. */
type Lives = readonly number[]

function lifeOf({ session }: SinkMessage, lives: Lives): number {
  const life = lives.findIndex(sessions => session <= sessions)
  return life === -1 ? lives.length : life
}

function assertAllArrived(load: Load, sink: Sink): void {
  const arrivals = arrivalsAt(sink)
  const missing = load
    .of('accepted')
    .flatMap(keysOfMail)
    .filter(key => !arrivals.has(key))
  assert.deepEqual(missing, [], 'accepted and lost')
  const refused = load
    .of('refused')
    .flatMap(keysOfMail)
    .filter(key => arrivals.has(key))
  assert.deepEqual(refused, [], 'refused and sent all the same')
}

function assertWhole(mails: readonly LoadedMail[], sink: Sink): void {
  const bodies = new Map(mails.flatMap(mail => keysOfMail(mail).map(key => [key, mail.body])))
  for (const [key, copies] of arrivalsAt(sink)) {
    for (const { content, reversePath } of copies) {
      if (reversePath !== null) assert.ok(content.toString('latin1').endsWith(`\r\n\r\n${bodies.get(key)}`), key)
    }
  }
}

/** Key → copies, of what came more than once. */
function duplicatesAt(sink: Sink): [string, SinkMessage[]][] {
  return [...arrivalsAt(sink)].filter(([, copies]) => copies.length > 1)
}

interface Attempt {
  readonly action: string
  readonly inDoubt: boolean
}
interface Told {
  readonly entries: readonly { readonly recipient: string; readonly attempts: readonly Attempt[] }[]
}

/** Kitte's id stands in the Received field of what was handed in, and in the Message-ID of a report. */
function idOf({ content, reversePath }: SinkMessage): string {
  const text = content.toString('latin1')
  const field =
    reversePath === null ? /^Message-ID: <(\w+)@relay\.kitte\.test>/m : /^Received:(?:.*\r\n\s)*?.* id (\w+)/m
  return field.exec(text)?.[1] ?? assert.fail(text)
}

/** The delivery that stands is marked, in the events and, as far as a kill left it there, in the log. */
async function assertMarked(relay: ProcessRelay, duplicates: readonly [string, SinkMessage[]][]): Promise<void> {
  const logged = Map.groupBy(
    relay.logged().filter(({ event }) => event === 'delivered'),
    ({ message, recipient }) => `${message} ${recipient}`,
  )
  for (const [key, copies] of duplicates) {
    const { recipients } = copies[0]!
    const id = idOf(copies[0]!)
    const { entries } = await relay.api<Told>('GET', `/v1/messages/${id}`)
    const attempts = entries.find(({ recipient }) => recipients.includes(recipient))!.attempts
    assert.deepEqual(
      attempts.filter(({ action }) => action === 'delivered').map(({ inDoubt }) => inDoubt),
      [true],
      key,
    )
    for (const line of logged.get(`${id} ${recipients[0]}`) ?? []) assert.equal(line.inDoubt, true, key)
  }
}

describe('a relay that ends under load', function () {
  this.timeout(480_000)
  const seed = Number(process.env.KITTE_TEST_SEED ?? 20260115)

  for (const [pace, speed] of Object.entries({ 'a moderate pace': moderate, 'full speed': full }))
    it(`by SIGKILL ${kills} times at ${pace} loses nothing, and sends twice only what was under way (KITTE_TEST_SEED=${seed})`, () =>
      killAgainAndAgain(speed))

  async function killAgainAndAgain(speed: Speed): Promise<void> {
    const random = seededRandom(seed)
    await using world = await startWorld(speed, random)
    const { relay, sink } = world
    await using load = startLoad(world, speed, random)
    const lives: number[] = []
    const open: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      // In the middle of its work, now and then while it starts.
      const working = kill % 7 !== 6
      const before = load.accepted
      if (working) await waitFor('load', () => load.accepted > before + 5)
      await pause(random() * speed.lifeMs)
      if (working) await waitFor('mail under way', () => sink.transactions > 0)
      open.push(sink.transactions)
      await relay.end('SIGKILL')
      lives.push(sink.connections)
      relay.launch()
    }
    await relay.running()
    await load.stop()
    await relay.drained()

    const duplicates = duplicatesAt(sink)
    const unknown = load.of('unknown').length
    console.log(
      `      ${load.accepted} accepted, ${unknown} replies lost, ${sink.messages.length} arrived, ${duplicates.length} twice;` +
        ` open at the sink at each kill: ${open.join(' ')}`,
    )
    assert.ok(open.filter(count => count > 0).length >= kills / 2, 'too few kills met anything under way')
    assertAllArrived(load, sink)
    assertWhole(load.mails, sink)
    const inDoubt = new Array<number>(kills + 1).fill(0)
    for (const [key, copies] of duplicates) {
      const came = copies.map(copy => lifeOf(copy, lives))
      assert.equal(new Set(came).size, came.length, `${key} came twice from one process: ${came}`)
      for (const life of came.slice(0, -1)) inDoubt[life]!++
    }
    assert.ok(Math.max(...inDoubt) <= maxAttempts, `more twice than were under way: ${inDoubt}`)
    await relay.end('SIGTERM')
    await relay.start()
    await assertMarked(relay, duplicates)
  }

  it('by SIGTERM loses nothing and sends nothing twice', async () => {
    const random = seededRandom(seed)
    await using world = await startWorld(moderate, random)
    const { relay, sink } = world
    await using load = startLoad(world, moderate, random)
    for (let stop = 0; stop < 3; stop++) {
      const before = load.accepted
      await waitFor('load', () => load.accepted > before + 100)
      await pause(random() * 200)
      await relay.end('SIGTERM')
      relay.launch()
    }
    await relay.running()
    await load.stop()
    await relay.drained()
    console.log(`      ${load.accepted} accepted, ${sink.messages.length} arrived`)
    assert.deepEqual(load.of('unknown'), [], 'a client was left without a reply to its mail')
    assertAllArrived(load, sink)
    assert.deepEqual(
      duplicatesAt(sink).map(([key]) => key),
      [],
    )
  })
})
