/**
 * What a site's answers do to its limits.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { LimitsMemory } from '../../src/delivery/limits-memory.ts'
import { type Evidence, type Learned, SiteLimits } from '../../src/delivery/site-limits.ts'
import { endsOnlyConnection, signalOf } from '../../src/delivery/site-signals.ts'
import { SlowedSenders } from '../../src/delivery/slowed-senders.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { classify } from '../../src/outcome/classify.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null as number | null }

function limitsOf(clock: ManualClock, change: Partial<typeof rule> = {}, learned?: Learned): SiteLimits {
  return new SiteLimits({ key: 'mx.example', rule: { ...rule, ...change }, shared: null, clock, learned })
}

function said(clock: ManualClock, reply = '421 4.7.0 slow down'): Evidence {
  return { reply, class: 'rate', at: clock.now() }
}

describe('the limits of a site', () => {
  it('that gets too much are half of its connections, and less than it took within a minute', () => {
    const clock = manualClock()
    const limits = limitsOf(clock)
    for (let n = 0; n < 10; n++) limits.start(1)
    limits.accepted(60)
    assert.equal(limits.slowDown(said(clock)), true)
    assert.deepEqual([limits.connections, limits.perMinute], [5, 42])
    assert.deepEqual(limits.state.adapted, { ...said(clock), until: clock.now() + 24 * 60 * minute })
  })

  it('are lowered once for all that was under way', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock)
    limits.accepted(60)
    limits.slowDown(said(clock))
    limits.accepted(1)
    assert.equal(limits.slowDown(said(clock)), false, 'within the minute')
    await clock.advance(2 * minute)
    assert.equal(limits.slowDown(said(clock)), true)
    await clock.advance(2 * minute)
    assert.equal(limits.slowDown(said(clock)), false, 'it was sent nothing since')
    assert.equal(limits.perMinute, 29)
  })

  it('never exceed the rule', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock, { perMinute: 50, connections: 2 })
    for (let n = 0; n < 2; n++) limits.start(1)
    limits.accepted(500)
    limits.slowDown(said(clock))
    assert.deepEqual([limits.perMinute, limits.connections], [35, 1])
    for (let n = 0; n < 20; n++) {
      limits.accepted(50)
      await clock.advance(minute)
    }
    assert.deepEqual([limits.perMinute, limits.connections], [50, 2])
  })

  it('come back only as far as they are used', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock)
    limits.accepted(60)
    limits.slowDown(said(clock))
    for (let n = 0; n < 30; n++) {
      await clock.advance(minute)
      limits.accepted(5)
    }
    assert.equal(limits.perMinute, 53, 'one step, for the minute before the cut')
    await clock.advance(minute)
    assert.equal(limits.accepted(40), true)
    assert.equal(limits.perMinute, 67)
  })

  it('are those of the rule again a day after the last refusal', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock)
    limits.accepted(60)
    limits.slowDown(said(clock))
    await clock.advance(24 * 60 * minute)
    limits.accepted(1)
    assert.deepEqual([limits.perMinute, limits.learned], [null, null])
  })

  it('begin with few connections, and are all of the rule once enough was taken', () => {
    const clock = manualClock()
    const limits = new SiteLimits({ key: 'mx.example', rule, shared: null, clock, first: 2 })
    assert.deepEqual([limits.connections, limits.state.slowStart, limits.learned], [2, true, null])
    for (let taken = 0; taken < 36; taken++) {
      while (limits.free > 0) limits.start(1)
      limits.accepted(1)
      limits.finish()
    }
    assert.deepEqual([limits.connections, limits.state.slowStart, limits.isKnown], [20, false, true])
  })

  it('begin anew where a site was away, but not for all who share them', () => {
    const limits = (shared: string | null) => {
      const one = new SiteLimits({ key: 'mx.example', rule, shared, clock: manualClock(), first: 2 })
      for (let n = 0; n < 3; n++) one.start(1)
      for (let n = 0; n < 4; n++) one.accepted(1)
      one.wentDown()
      return one.connections
    }
    assert.deepEqual([limits(null), limits('microsoft')], [2, 4])
  })

  it('forget that a site took fewer connections when it then took none: so it went down', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock)
    for (let n = 0; n < 20; n++) limits.start(1)
    limits.fewerConnections(7, said(clock))
    limits.wentDown()
    assert.deepEqual([limits.connections, limits.learned], [20, null])
    limits.fewerConnections(7, said(clock))
    await clock.advance(2 * minute)
    limits.wentDown()
    assert.equal(limits.connections, 7)
  })

  it('learn after how many messages it hangs up when it did so three times in a row', () => {
    const limits = limitsOf(manualClock())
    const learned = [10, 10, 7, 10, 10, 10, 10].map(messages => limits.hungUpAfter(messages))
    assert.deepEqual(learned, [false, false, false, false, false, true, false])
    assert.equal(limits.messagesPerConnection, 10)
  })

  it('are halved once a minute while it stalls, down to one connection', async () => {
    const clock = manualClock()
    const limits = limitsOf(clock, { connections: 4 })
    const counts = []
    for (let n = 0; n < 4; n++) {
      for (let more = 0; more < 4; more++) limits.start(1)
      limits.halveConnections(said(clock))
      limits.halveConnections(said(clock))
      counts.push(limits.connections)
      for (let more = 0; more < 4; more++) limits.finish()
      await clock.advance(minute)
    }
    assert.deepEqual(counts, [2, 1, 1, 1])
  })
})

describe('an answer says of its site', () => {
  const to = 'someone@there.example'
  const reply = (line: string, phase: 'banner' | 'mail' | 'rcpt' | 'dot'): RecipientResult => ({
    address: to,
    reply: parseReply(line)!,
    phase,
  })
  const failure = (phase: 'connect' | 'dot' | 'rcpt', kind: 'timeout' | 'refused'): RecipientResult => ({
    address: to,
    failure: { phase, kind, detail: '', inDoubt: phase === 'dot' },
  })
  const cases: readonly (readonly [what: string, result: RecipientResult, expected: ReturnType<typeof signalOf>])[] = [
    ['Gmail, too much', reply('421 4.7.28 Gmail has detected an unusual rate of mail', 'dot'), 'too-fast'],
    ['Microsoft, busy', reply('451 4.7.500 Server busy. Please try again later', 'mail'), 'too-fast'],
    ['Yahoo, TSS04', reply('421 4.7.0 [TSS04] Messages temporarily deferred', 'mail'), 'too-fast'],
    ['too many messages at RCPT', reply('450 4.7.1 too many messages, slow down', 'rcpt'), 'too-fast'],
    [
      'Microsoft, connections',
      reply('451 4.7.652 The mail server has exceeded the maximum number of connections', 'mail'),
      'too-many-connections',
    ],
    ['one connection too many', reply('421 too many connections from your address', 'banner'), 'too-many-connections'],
    ['no reason at the door', reply('421 4.3.2 Service not available', 'banner'), 'too-many-connections'],
    ['no reason later', reply('421 4.3.2 Service not available', 'rcpt'), 'trouble'],
    ['greylisting', reply('450 4.7.1 Greylisted, try again in 300 seconds', 'rcpt'), null],
    ['a full mailbox', reply('452 4.2.2 Mailbox full', 'rcpt'), null],
    ['a busy mailbox', reply('450 4.2.1 Mailbox busy', 'rcpt'), null],
    [
      'a recipient who gets much',
      reply('450 4.2.1 The user you are trying to contact is receiving mail too quickly', 'rcpt'),
      null,
    ],
    ['too many recipients', reply('452 4.5.3 Too many recipients', 'rcpt'), null],
    ['an unknown address', reply('550 5.1.1 No such user', 'rcpt'), null],
    ['delivered', reply('250 2.0.0 Ok', 'dot'), null],
    ['a silent host', failure('connect', 'timeout'), 'too-many-connections'],
    ['silence after the dot', failure('dot', 'timeout'), 'stalled'],
    ['silence at RCPT', failure('rcpt', 'timeout'), null],
  ]
  for (const [what, result, expected] of cases)
    it(`${expected ?? 'nothing'}: ${what}`, () => {
      assert.equal(signalOf(result, classify({ result, route: 'mx' })), expected)
    })
})

describe('421 at MAIL on a kept connection', () => {
  for (const [line, expected] of [
    ['421 4.3.2 Closing connection', true],
    ['421 4.4.2 Idle for too long', true],
    ['421 4.7.0 Too many messages in this session', true],
    ['421 4.7.0 Too many messages, slow down', false],
    ['421 4.7.28 Gmail has detected an unusual rate of mail', false],
    ['421 4.7.0 [TSS04] Messages temporarily deferred', false],
  ] as const)
    it(`${expected ? 'says nothing of the next connection' : 'is not tried at once on another'}: ${line}`, () => {
      assert.equal(endsOnlyConnection({ reply: parseReply(line)!, phase: 'mail' }), expected)
    })
})

describe('what sites have taught', () => {
  function memoryOf(settings: Map<string, string>, clock: ManualClock, owner = 'node/0', workers = 1) {
    let writes = 0
    const senders = sendersOf(clock)
    const store = {
      setting: async (name: string) => settings.get(name) ?? null,
      setSetting: async (name: string, value: string) => {
        writes++
        settings.set(name, value)
      },
    }
    return {
      memory: new LimitsMemory({ store, clock, log: silentLog, owner, workers, senders }),
      senders,
      writes: () => writes,
    }
  }

  function sendersOf(clock: ManualClock): SlowedSenders {
    return new SlowedSenders({ clock, rest: { firstMs: minute, maximumMs: 4 * minute } })
  }

  function slowed(clock: ManualClock): SiteLimits {
    const limits = limitsOf(clock)
    for (let n = 0; n < 10; n++) limits.start(1)
    limits.accepted(60)
    limits.slowDown(said(clock))
    return limits
  }

  it('is written once a minute at most, and holds after a restart', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    const { memory, writes } = memoryOf(settings, clock)
    const limits = slowed(clock)
    for (let n = 0; n < 5; n++) memory.note(limits)
    assert.equal(writes(), 0)
    await clock.advance(minute)
    assert.equal(writes(), 1)
    memory.note(limits)
    await memory.stop()
    assert.deepEqual([writes(), clock.waiting], [2, 0])

    const { memory: later } = memoryOf(settings, clock)
    await later.load()
    const restored = limitsOf(clock, {}, later.of('mx.example'))
    assert.deepEqual(restored.state, limits.state)
  })

  /** Connections and rate of each of so many workers that start with these settings. */
  async function partsOf(settings: Map<string, string>, clock: ManualClock, workers: number) {
    return Promise.all(
      Array.from({ length: workers }, async (_, number) => {
        const { memory } = memoryOf(settings, clock, `node/${number}`, workers)
        await memory.load()
        const { connections, perMinute } = limitsOf(clock, {}, memory.of('mx.example'))
        return [connections, perMinute]
      }),
    )
  }

  async function note(
    settings: Map<string, string>,
    limits: SiteLimits,
    clock: ManualClock,
    owner: string,
    workers = 1,
  ) {
    const { memory } = memoryOf(settings, clock, owner, workers)
    memory.note(limits)
    await memory.stop()
  }

  it('is divided anew when there are more workers, so that their parts are the whole', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    await note(settings, slowed(clock), clock, 'node/0')
    assert.deepEqual(await partsOf(settings, clock, 2), [
      [3, 21],
      [2, 21],
    ])
  })

  it('is added up when there are fewer, and each goes on with its own when there are as many', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    await note(settings, slowed(clock), clock, 'node/0', 2)
    const other = limitsOf(clock, {}, { ...slowed(clock).learned!, connections: null })
    other.slowDown(said(clock))
    other.fewerConnections(2, said(clock))
    await note(settings, other, clock, 'node/1', 2)
    assert.deepEqual(await partsOf(settings, clock, 2), [
      [5, 42],
      [2, 42],
    ])
    assert.deepEqual(await partsOf(settings, clock, 1), [[7, 84]])
  })

  it('is that of the workers that ran last, though more of them ran before', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    for (const number of [0, 1, 2, 3]) await note(settings, slowed(clock), clock, `node/${number}`, 4)
    await clock.advance(minute)
    await note(settings, slowed(clock), clock, 'node/1', 2)
    assert.deepEqual(await partsOf(settings, clock, 1), [[10, 84]])
  })

  it('has the names of sites that had all their connections, for a day', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    await note(settings, limitsOf(clock), clock, 'node/0')
    const known = async () => {
      const { memory } = memoryOf(settings, clock, 'node/1', 2)
      await memory.load()
      return memory.isKnown('mx.example')
    }
    assert.equal(await known(), true)
    await clock.advance(24 * 60 * minute)
    assert.equal(await known(), false)
  })

  it('has the sender domains that sites want less from, each with what is left of its rest', async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    const site = { name: 'mx.example', limits: limitsOf(clock) }
    const first = memoryOf(settings, clock)
    first.senders.slowDown(site, 'flood.example', said(clock, '421 4.7.28 your DKIM domain'))
    await clock.advance(minute)
    first.senders.slowDown(site, 'flood.example', said(clock, '421 4.7.28 your DKIM domain'))
    first.memory.changed()
    await first.memory.stop()

    await clock.advance(minute / 2)
    const later = memoryOf(settings, clock, 'node/0')
    // One worker more than before: it knows of it from the other.
    const another = memoryOf(settings, clock, 'node/1', 2)
    for (const { memory, senders } of [later, another]) {
      await memory.load()
      assert.deepEqual(senders.at(site), [
        {
          ...{ domain: 'flood.example', perMinute: 3, reply: '421 4.7.28 your DKIM domain' },
          ...{ restsUntil: clock.now() + 1.5 * minute, at: clock.now() - minute / 2 },
        },
      ])
    }
    await clock.advance(1.5 * minute)
    assert.equal(later.senders.admit(site, 'flood.example', 1), null)
    const worse = later.senders.slowDown(site, 'flood.example', said(clock))!
    assert.deepEqual([worse.perMinute, worse.restsUntil], [1, clock.now() + 4 * minute], 'twice as long as before')
    await clock.advance(24 * 60 * minute)
    const forgotten = memoryOf(settings, clock, 'node/0')
    await forgotten.memory.load()
    assert.equal(forgotten.senders.isEmpty, true)
  })

  it("says nothing of a sender's own server: its key comes from a password", async () => {
    const [settings, clock] = [new Map<string, string>(), manualClock()]
    const { memory } = memoryOf(settings, clock)
    const limits = new SiteLimits({ key: 'smtp:mx.example:587 secret', rule, shared: null, clock })
    limits.accepted(60)
    limits.slowDown(said(clock))
    memory.note(limits)
    await memory.stop()
    assert.equal(settings.size, 0)
  })

  it('is learned again when it can not be read', async () => {
    const { memory } = memoryOf(new Map([['site-limits node/0', '{']]), manualClock())
    await memory.load()
    assert.equal(memory.of('mx.example'), undefined)
  })
})
