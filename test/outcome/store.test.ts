import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import type { Recipient } from '../../src/mail/envelope.ts'
import { cancelEntries, startExpiry } from '../../src/outcome/expiry.ts'
import { Meter } from '../../src/outcome/meter.ts'
import { createOriginalReader } from '../../src/outcome/original.ts'
import { createSettler } from '../../src/outcome/settle.ts'
import { openSpool } from '../../src/store/spool.ts'
import type { LeasedEntry } from '../../src/store/store.ts'
import { sqliteFactory } from '../store/factory.ts'
import { newMessage } from '../store/fixtures.ts'
import { makeAttempt } from './make.ts'

const hour = 3_600_000
const leaseMs = 2 * hour

describe('outcomes in a real store', () => {
  it('end each recipient once, and bring the report into the queue with the original in it', async () => {
    await using relay = await open()
    const [first, second, third] = await relay.take([
      { address: 'a@x.example' },
      { address: 'b@x.example' },
      { address: 'c@x.example' },
    ])
    await Promise.all([
      relay.settler.settle([makeAttempt([first!], '250 2.0.0 ok')]),
      relay.settler.settle([makeAttempt([second!], '550 5.1.1 no such user')]),
      relay.settler.settle([makeAttempt([third!], '450 4.2.0 later')]),
    ])
    const { counts } = (await relay.store.message(first!.message.id))!
    assert.deepEqual(counts, { queued: 1, delivered: 1, bounced: 1, cancelled: 0 })

    const [report] = await relay.claim()
    assert.deepEqual([report!.message.origin, report!.message.envelope.reversePath], ['dsn', null])
    assert.equal(report!.entry.recipient.address, 'a@ours.example')
    const text = await relay.content(report!)
    assert.match(text, /^Final-Recipient: rfc822;b@x\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/m)
    assert.match(text, /^Subject: hello\r\n/m)
    assert.equal(Buffer.byteLength(text), report!.message.size)
  })

  it('are told again without harm: no second report, no second event', async () => {
    await using relay = await open()
    const [leased] = await relay.take([{ address: 'b@x.example' }])
    const attempt = makeAttempt([leased!], '550 5.1.1 no such user')
    await relay.settler.settle([attempt])
    await relay.settler.settle([attempt])
    assert.equal((await relay.claim()).length, 1)
    assert.equal((await relay.store.events({ type: 'message.bounced' }, 10)).length, 1)
  })

  it('of a bounced report are the end of it', async () => {
    await using relay = await open()
    const [leased] = await relay.take([{ address: 'b@x.example' }])
    await relay.settler.settle([makeAttempt([leased!], '550 5.1.1 no such user')])
    await relay.settler.settle([makeAttempt(await relay.claim(), '550 5.1.1 no such sender')])
    assert.equal((await relay.store.totals()).queued, 0)
    assert.deepEqual(await relay.claim(), [])
  })

  it('of what waits too long: one delay notice, then the end with a report', async () => {
    await using relay = await open()
    const message = newMessage({
      now: relay.clock.now(),
      to: ['b@x.example'],
      nextAttemptAt: relay.clock.now() + 1000 * hour,
    })
    await relay.store.accept(message)
    const expiry = startExpiry({ ...relay, log: silentLog, owner: 'node/0', leaseMs, delayNoticeAfterMs: 4 * hour })
    await relay.until(5 * hour, async () => (await relay.store.totals()).queued === 2)
    const [notice] = await relay.claim()
    assert.match(await relay.content(notice!), /^Action: delayed\r\n/m)
    await relay.settler.settle([makeAttempt([notice!], '250 ok')])
    await relay.until(100 * hour, async () => (await relay.store.totals()).bounced === 1)
    const [report, ...more] = await relay.claim()
    assert.deepEqual(more, [])
    assert.match(await relay.content(report!), /^Action: failed\r\nStatus: 4\.4\.7\r\n/m)
    await expiry.stop()
  })

  it('of what an operator cancels need no report', async () => {
    await using relay = await open()
    const later = relay.clock.now() + hour
    const to = Array.from({ length: 450 }, (_, n) => `r${n}@x.example`)
    await relay.store.accept(newMessage({ now: relay.clock.now(), to, nextAttemptAt: later }))
    const count = await cancelEntries({ ...relay, owner: 'node/admin', leaseMs }, { account: 'acme' }, 'wrong list')
    assert.equal(count, 450)
    const { queued, cancelled } = await relay.store.totals()
    assert.deepEqual([queued, cancelled], [0, 450])
  })
})

/** A store on disk with a settler, as the data plane wires them. */
async function open() {
  const opened = await sqliteFactory(true)()
  const { store, clock, dataDir } = opened
  const settler = createSettler({
    store,
    clock,
    meter: new Meter(),
    log: silentLog,
    dsn: {
      hostname: 'relay.example.jp',
      relayDomain: 'relay.example.jp',
      timeZone: 'Asia/Tokyo',
      expireAfterMs: 96 * hour,
      maxRecipients: 100,
      original: createOriginalReader({ store, spool: openSpool(dataDir) }),
    },
    retry: { retryAfter: [2 * hour], jitter: 0 },
  })
  const claim = () =>
    store.claim({
      now: clock.now(),
      lease: { owner: 'node/0', until: clock.now() + leaseMs },
      limit: 10,
      perDomain: 10,
    })
  return {
    store,
    clock,
    settler,
    claim,
    async take(recipients: readonly Recipient[]): Promise<readonly LeasedEntry[]> {
      await store.accept(newMessage({ now: clock.now(), to: recipients.map(({ address }) => address) }))
      return claim()
    },
    async content({ message }: LeasedEntry): Promise<string> {
      const content = await store.content(message.id)
      assert.ok(content?.kind === 'inline')
      return Buffer.from(content.bytes).toString('utf8')
    },
    /** Turns the clock on until that is so, real I/O running in between. */
    async until(mostMs: number, isSo: () => Promise<boolean>) {
      const end = clock.now() + mostMs
      while (!(await isSo())) {
        assert.ok(clock.now() < end, 'it did not become so in time')
        await clock.advance(hour / 2)
      }
    },
    async [Symbol.asyncDispose]() {
      await settler.stop()
      await opened[Symbol.asyncDispose]()
    },
  }
}
