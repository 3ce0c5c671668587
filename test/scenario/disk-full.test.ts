import assert from 'node:assert/strict'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { arrivalsAt, keysOfMail, Load } from '../support/load.ts'
import { type ProcessRelay, parsed, startProcessWorld } from '../support/process-relay.ts'
import { needRoot, skipAloud, waitFor } from '../support/real/program.ts'
import type { Sink } from '../support/sink.ts'
import { smallDisk } from '../support/small-disk.ts'

const mebibyte = 1024 * 1024

/** Takes all the room there is and, until it is told to stop, all that anybody gives back. */
class Filler implements AsyncDisposable {
  readonly #file: string
  readonly #full = Promise.withResolvers<void>()
  readonly #ended: Promise<void>
  #stopping = false

  constructor(folder: string) {
    this.#file = join(folder, 'filler')
    this.#ended = this.#fill()
  }

  full(): Promise<void> {
    return this.#full.promise
  }

  async #fill(): Promise<void> {
    while (!this.#stopping) {
      for (const size of [mebibyte, 4096]) while (await this.#append(size));
      this.#full.resolve()
      await pause(5)
    }
  }

  #append(size: number): Promise<boolean> {
    return appendFile(this.#file, Buffer.alloc(size)).then(
      () => !this.#stopping,
      () => false,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    await this.#ended
    await rm(this.#file, { force: true })
  }
}

async function readiness(relay: ProcessRelay): Promise<{ readonly ready: boolean; readonly why: string }> {
  const { status, text } = await relay.ask('/readyz')
  const { ready, reasons } = JSON.parse(text) as { ready: boolean; reasons: { en: string }[] }
  assert.equal(status, ready ? 200 : 503)
  return { ready, why: reasons.map(({ en }) => en).join('; ') }
}

describe('a disk that somebody else fills under load', () => {
  it('costs 452s and a pause, but no mail and no second copy', async function () {
    needRoot(this)
    const disk = smallDisk(48) ?? skipAloud(this, 'may not mount a tmpfs')
    try {
      await run(disk.path)
    } finally {
      disk[Symbol.dispose]()
    }
  })
})

const leaseMs = 4000
const mailsBefore = 300

const settings = {
  // Read here, because its files stand on the disk that is full.
  log: { stdout: true },
  // Leases end and are looked after while the disk is full.
  queue: { retryAfter: ['1s'], retryJitter: 0, lease: `${leaseMs}ms` },
  // Few outcomes share a transaction, so that they need room soon.
  delivery: { maxAttempts: 8 },
  store: { minFreeBytes: 4 * mebibyte, inlineContentBytes: 16_384 },
}

async function run(folder: string): Promise<void> {
  let dotDelayMs = 100
  await using world = await startProcessWorld({
    dataDir: join(folder, 'data'),
    settings,
    sink: { dotDelayMs: () => dotDelayMs },
  })
  const { relay, sink, login } = world
  let hold = () => load.accepted >= mailsBefore
  await using load: Load = new Load({
    ...login,
    port: relay.port,
    connections: 6,
    mail: number => ({ to: [`n${number}@sink.example`], size: number % 10 === 0 ? 40_000 : 2000 }),
    hold: () => hold(),
  })
  await waitFor('mail for a slow receiver', () => load.accepted >= mailsBefore)
  // The database's log begins anew: no room is left over in it.
  await relay.end('SIGTERM')
  await relay.start()
  {
    await using filler = new Filler(folder)
    await filler.full()
    hold = () => false
    dotDelayMs = 0
    await paused(relay, load, sink)
    hold = () => load.accepted - sink.messages.length > 100
  }
  await waitFor('the relay to be ready again', async () => (await readiness(relay)).ready)
  const accepted = load.accepted
  await waitFor('new mail', () => load.accepted > accepted + 20)
  await load.stop()
  await relay.drained()

  const arrivals = arrivalsAt(sink)
  const copies = load
    .of('accepted')
    .flatMap(keysOfMail)
    .map(key => arrivals.get(key)?.length ?? 0)
  const times = Object.groupBy(copies, count => `${count} times`)
  console.log(`      ${load.accepted} accepted, ${load.of('refused').length} refused, ${sink.messages.length} arrived`)
  assert.deepEqual(Object.keys(times), ['1 times'], 'everything that was accepted arrived once')
  assert.equal(sink.messages.length, load.accepted, 'nothing else arrived')
  assert.deepEqual(load.of('unknown'), [])
  const replies = new Set(load.of('refused').map(({ reply }) => reply))
  assert.deepEqual([...replies], ['452 4.3.1 The server can not store mail at the moment; try again later'])
  assertToldOnce(relay)
}

/** Nothing is sent while outcomes can't be written, for longer than a lease. */
async function paused(relay: ProcessRelay, load: Load, sink: Sink): Promise<void> {
  await waitFor('a pause', async () => /writing failed/.test((await readiness(relay)).why))
  const { ready, why } = await readiness(relay)
  assert.deepEqual([ready, /the store does not take mail: writing failed: SQLITE_FULL/.test(why)], [false, true], why)
  // Between two looks nothing came: a MAIL that was on its way when the pause began has been answered, too.
  let before = -1
  await waitFor('the end of what was under way', () => {
    const now = sink.commands.length
    const isStill = sink.transactions === 0 && now === before
    before = now
    return isStill
  })
  const [sent, refused, accepted] = [sink.messages.length, load.of('refused').length, load.accepted]
  const until = performance.now() + 1.75 * leaseMs
  await waitFor('leases that end', () => performance.now() > until)
  assert.equal(sink.messages.length, sent, 'sent although outcomes can not be written')
  assert.equal(load.accepted, accepted, 'accepted although nothing can be stored')
  assert.ok(load.of('refused').length > refused + 100, 'the load went on')
  const { counts } = await relay.api<{ counts: { total: number } }>('GET', '/v1/queue?limit=1')
  assert.ok(counts.total > 0, 'nothing was left to be sent')
}

/** Each state once, whatever clients and timers ask meanwhile. */
function assertToldOnce(relay: ProcessRelay): void {
  const lines = parsed(relay.output).filter(({ level, event }) => level !== 'info' || /^delivery-/.test(String(event)))
  const texts = lines.map(({ text }) => String(text).replace(/\d+/g, 'N'))
  const counts = Object.entries(Object.groupBy(texts, text => text)).map(
    ([text, same]) => [text, same!.length] as const,
  )
  // Two notice a pause: who can't write an outcome, and who asks before a new attempt.
  const often = counts.filter(([, count]) => count > 2)
  assert.deepEqual(often, [], 'the log repeats itself')
  assert.ok(counts.some(([text]) => text === 'the store stops writing'))
  assert.ok(texts.length <= 12, texts.join('\n'))
}
