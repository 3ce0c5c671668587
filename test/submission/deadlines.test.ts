import assert from 'node:assert/strict'
import { Deadlines } from '../../src/submission/deadlines.ts'
import type { Dialogue } from '../support/dialogue.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { type Msa, startMsa } from './msa.ts'

const limits = { commandTimeout: 300_000, dataTimeout: 900_000, dataMinimumRate: 1000, sessionTimeout: 3_600_000 }

describe('the deadline of a command', () => {
  it('runs from the last reply, whatever bytes come', () => {
    const deadlines = new Deadlines(limits, 0)
    assert.equal(deadlines.overdue(299_999, false), null)
    assert.equal(deadlines.overdue(300_000, false), 'command')
    deadlines.awaitCommand(250_000)
    assert.equal(deadlines.overdue(549_999, false), null)
    assert.equal(deadlines.overdue(550_000, false), 'command')
  })

  it('stands still while we owe the reply', () => {
    const deadlines = new Deadlines(limits, 0)
    deadlines.busy()
    assert.equal(deadlines.overdue(10_000_000, false), null)
  })
})

describe('the deadline of a session', () => {
  it('waits for the end of a transaction, but not for long', () => {
    const deadlines = new Deadlines(limits, 0)
    deadlines.awaitCommand(3_599_000)
    assert.equal(deadlines.overdue(3_600_000, false), 'session')
    assert.equal(deadlines.overdue(3_600_000, true), null)
    deadlines.awaitCommand(3_899_000)
    assert.equal(deadlines.overdue(3_900_000, true), 'session')
  })
})

describe('the deadline of a message', () => {
  const receiving = (bytes: number) => {
    const deadlines = new Deadlines(limits, 0)
    deadlines.awaitContent(1000)
    deadlines.received(bytes)
    return deadlines
  }

  it('asks for a rate once 10 s have passed', () => {
    assert.equal(receiving(1).overdue(10_999, true), null)
    assert.equal(receiving(9_999).overdue(11_000, true), 'rate')
    assert.equal(receiving(10_000).overdue(11_000, true), null)
  })

  it('is absolute for the fast', () => {
    assert.equal(receiving(1e9).overdue(900_999, true), null)
    assert.equal(receiving(1e9).overdue(901_000, true), 'data')
  })

  it('does not count the time in which we took nothing', () => {
    const deadlines = receiving(10_000)
    deadlines.hold(2000)
    assert.equal(deadlines.overdue(1_000_000, true), null)
    deadlines.resume(1_000_000)
    assert.equal(deadlines.overdue(1_008_999, true), null)
    assert.equal(deadlines.overdue(1_009_001, true), 'rate')
  })

  it('is not lifted by the reply to DATA', () => {
    const deadlines = receiving(1)
    deadlines.awaitCommand(5000)
    assert.equal(deadlines.overdue(11_000, true), 'rate')
  })
})

describe('a session over its time', () => {
  let clock: ManualClock
  let msa: Msa
  beforeEach(async () => {
    clock = manualClock()
    msa = await startMsa({ clock })
  })
  afterEach(() => msa[Symbol.asyncDispose]())

  /** Sends one byte every 0.9 s until the server speaks. */
  async function drip(client: Dialogue, byte: string, reply: RegExp, longestMs: number): Promise<number> {
    let heard = false
    const answer = client.expect(reply).finally(() => (heard = true))
    let elapsed = 0
    for (; !heard && elapsed < longestMs; elapsed += 900) {
      client.send(byte)
      await clock.advance(900)
    }
    await answer
    return elapsed
  }

  it('is closed although it sends a byte every 0.9 s instead of a command', async () => {
    await using client = await msa.loggedIn()
    const elapsed = await drip(client, 'N', /^421 4\.4\.2 .*no complete command/, 320_000)
    assert.ok(elapsed >= 300_000)
    await client.closed()
  })

  it('is closed although it sends a byte every 0.9 s of a message, and nothing is stored', async () => {
    await using client = await msa.loggedIn()
    await client.say('MAIL FROM:<a@ours.example>', /^250 /)
    await client.say('RCPT TO:<b@there.example>', /^250 /)
    await client.say('DATA', /^354 /)
    const elapsed = await drip(client, 'x', /^421 4\.4\.2 .*less than 1000 bytes a second/, 30_000)
    assert.ok(elapsed >= 10_000 && elapsed < 15_000)
    await client.closed()
    assert.equal((await msa.store.totals()).accepted, 0)
    assert.match(String(msa.events('connection-lost').at(-1)?.fields.reason), /less than 1000 bytes/)
  })

  it('is closed after its hour', async () => {
    await using client = await msa.loggedIn()
    for (let minutes = 0; minutes < 60; minutes += 4) {
      await client.say('NOOP', /^250 /)
      await clock.advance(4 * 60_000)
    }
    await client.expect(/^421 4\.4\.2 .*the session has lasted too long/)
  })

  it('leaves no timer behind', async () => {
    await using client = await msa.loggedIn()
    await msa.submission.stop()
    await client.expect(/^421 4\.3\.2 /)
    assert.ok(clock.waiting <= 2, `${clock.waiting} timers wait`)
  })
})
