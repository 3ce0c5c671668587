import assert from 'node:assert/strict'
import type { Fields, Log } from '../../src/base/log.ts'
import type { Instant } from '../../src/mail/ids.ts'
import { Meter } from '../../src/outcome/meter.ts'
import { createSettler } from '../../src/outcome/settle.ts'
import { verdictOfCancel } from '../../src/outcome/verdict.ts'
import { type LeasedEntry, type SettleBatch, StoreUnavailable } from '../../src/store/store.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'
import { makeAttempt, makeLeased, makeMessage, start } from './make.ts'

describe('settling outcomes', () => {
  it('writes what ends in one turn of the loop in one transaction', async () => {
    const { settler, batches } = open()
    const entries = entriesOf(50)
    await Promise.all(entries.map(leased => settler.settle([makeAttempt([leased], '250 2.0.0 ok')])))
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [50],
    )
    assert.deepEqual(
      batches[0]!.outcomes.map(({ entry, action }) => [entry, action]),
      entries.map(({ entry }) => [entry.id, 'delivered']),
    )
  })

  it('gathers what ends while a batch is written into the next', async () => {
    const { settler, batches, hold } = open()
    const release = hold()
    const [first, ...others] = entriesOf(20)
    const done = [settler.settle([makeAttempt([first!], '250 ok')])]
    await turns()
    for (const leased of others) done.push(settler.settle([makeAttempt([leased], '250 ok')]))
    await turns()
    assert.equal(batches.length, 1)
    release()
    await Promise.all(done)
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [1, 19],
    )
  })

  it('keeps one transaction to 500 outcomes, and one call whole', async () => {
    const { settler, batches } = open()
    const attempts = [300, 300, 600].map((count, n) => makeAttempt(entriesOf(count, `m${n}`), '250 ok'))
    await Promise.all(attempts.map(attempt => settler.settle([attempt])))
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [300, 300, 600],
    )
  })

  it('tells the log, and resolves, only after the commit', async () => {
    const { settler, lines, hold } = open()
    const release = hold()
    let resolved = false
    const done = settler.settle([makeAttempt(entriesOf(1), '250 ok')]).then(() => {
      resolved = true
    })
    await turns()
    assert.deepEqual([resolved, lines.length], [false, 0])
    release()
    await done
    assert.deepEqual(
      lines.map(line => line.event),
      ['delivered'],
    )
  })

  it('writes one event per outcome, with the outcome itself', async () => {
    const { settler, batches } = open()
    await settler.settle([makeAttempt(entriesOf(1), '450 4.2.0 greylisted')])
    const [event] = batches[0]!.events
    assert.deepEqual(
      [event!.type, event!.account, event!.recipient, event!.domain],
      ['message.deferred', 'account-1', 'r0@example.com', 'example.co.jp'],
    )
    assert.equal(event!.data, batches[0]!.outcomes[0])
  })

  it('sets the next attempt of a deferral by the retry schedule, never past the expiry', async () => {
    const { settler, batches, due } = open()
    const [fresh] = entriesOf(1)
    const message = makeMessage({ id: 'm-old' })
    const old = makeLeased(message, undefined, { attempts: 3, expiresAt: start + 60_000 })
    await settler.settle([makeAttempt([fresh!, old], '450 4.2.0 greylisted')])
    const next = batches[0]!.outcomes.map(outcome => outcome.action === 'deferred' && outcome.nextAttemptAt)
    assert.deepEqual(next, [start + 120_000, start + 60_000])
    assert.deepEqual(due, [start + 60_000])
  })

  it('bounces a deferral past its expiry as 4.4.7 with the last reply, and reports it', async () => {
    const { settler, batches, lines } = open()
    const leased = makeLeased(makeMessage(), undefined, { attempts: 9, expiresAt: start })
    await settler.settle([makeAttempt([leased], '450 4.2.2 mailbox full')])
    const [outcome] = batches[0]!.outcomes
    assert.deepEqual(
      [outcome!.action, outcome!.class, outcome!.actor, outcome!.attempt],
      ['bounced', 'expired', 'recipient', 10],
    )
    assert.match(lines[0]!.reply as string, /^451 4\.4\.7 expired after 10 attempts in 0 h; last reply: 450 4\.2\.2 m/)
    assert.equal(batches[0]!.reports.length, 1)
  })

  it('says of every end of an entry in doubt that it may have come twice', async () => {
    const { settler, batches } = open()
    const doubtful = (id: string, n: number) =>
      makeLeased(makeMessage({ id }), { address: `r${n}@example.com` }, { id: `${id}.0`, inDoubt: true })
    const replies = ['250 2.0.0 ok', '451 4.2.0 later', '550 5.1.1 unknown']
    const attempts = replies.map((reply, n) => makeAttempt([doubtful(`m${n}`, n)], reply))
    await settler.settle([...attempts, makeAttempt(entriesOf(1), '250 2.0.0 ok')])
    await settler.finish([verdictOfCancel(doubtful('m9', 9), 'enough', start)])
    assert.deepEqual(
      batches.flatMap(({ outcomes }) => outcomes.map(({ action, inDoubt }) => [action, inDoubt])),
      [
        ['delivered', true],
        ['deferred', true],
        ['bounced', true],
        ['delivered', false],
        ['cancelled', true],
      ],
    )
  })

  it('puts the reports owed into the same transaction, and tells that they are due', async () => {
    const { settler, batches, lines, due } = open()
    await settler.settle([makeAttempt(entriesOf(3), '550 5.1.1 no such user')])
    assert.deepEqual([batches.length, batches[0]!.outcomes.length, batches[0]!.reports.length], [1, 3, 1])
    assert.deepEqual(
      lines.map(line => line.event),
      ['bounced', 'bounced', 'bounced', 'reported'],
    )
    assert.deepEqual(lines.at(-1)!.original, 'm')
    assert.deepEqual(due, [start])
  })

  it('says which outcomes a report goes with, and tells neither when they came too late', async () => {
    const late = entriesOf(2)
    const { settler, batches, lines, due } = open({ late: ['m.0', 'm.1'] })
    await settler.settle([makeAttempt([...late, ...entriesOf(1, 'n')], '550 5.1.1 no such user')])
    assert.deepEqual(
      batches[0]!.reports.map(({ about }) => about),
      [['m.0', 'm.1'], ['n.0']],
    )
    assert.deepEqual(
      lines.map(({ level, event, entries }) => event ?? [level, entries]),
      [['warn', ['m.0', 'm.1']], 'bounced', 'reported'],
    )
    assert.deepEqual(due, [start])
  })

  it('settles a mixed transaction recipient by recipient', async () => {
    const { settler, batches } = open()
    const [first, second, third] = entriesOf(3)
    const { facts, route } = makeAttempt([], '250 ok')
    const results = [
      ...makeAttempt([first!], '250 2.0.0 ok').results,
      ...makeAttempt([second!], '550 5.1.1 no such user').results,
      { leased: third!, lookup: { kind: 'dns-trouble', detail: 'SERVFAIL' } } as const,
    ]
    await settler.settle([{ facts, route, results }])
    assert.deepEqual(
      batches[0]!.outcomes.map(({ action, class: found }) => [action, found]),
      [
        ['delivered', 'none'],
        ['bounced', 'address-unknown'],
        ['deferred', 'dns-trouble'],
      ],
    )
  })

  it('counts an end that is told twice once', async () => {
    const { settler, batches } = open()
    const attempt = makeAttempt(entriesOf(1), '250 ok')
    await Promise.all([settler.settle([attempt]), settler.settle([attempt])])
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [1],
    )
  })

  it('writes nothing for nothing', async () => {
    const { settler, batches } = open()
    await settler.settle([])
    await settler.notifyDelay([])
    assert.deepEqual(batches, [])
  })

  it('owes no report for what an operator cancelled', async () => {
    const { settler, batches, lines } = open()
    await settler.finish(entriesOf(2).map(leased => verdictOfCancel(leased, 'wrong list', start)))
    assert.deepEqual([batches[0]!.outcomes.length, batches[0]!.reports.length], [2, 0])
    assert.deepEqual([lines[0]!.event, lines[0]!.reply], ['cancelled', '554 5.0.0 wrong list'])
  })
})

describe('settling while the store can not be written', () => {
  it('keeps the outcomes, says how many, and writes them once the store works again', async () => {
    const { settler, clock, batches, lines, fail } = open()
    fail(3)
    const done = settler.settle([makeAttempt(entriesOf(5), '250 ok')])
    await turns()
    assert.equal(settler.unsettled, 5)
    const later = settler.settle([makeAttempt(entriesOf(2, 'n'), '250 ok')])
    assert.equal(settler.unsettled, 7)
    await clock.advance(3000)
    await Promise.all([done, later])
    assert.equal(settler.unsettled, 0)
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [5, 2],
    )
    const told = lines.map(line => line.event)
    assert.deepEqual(told, ['delivery-paused', 'delivery-resumed', ...Array(7).fill('delivered')])
  })

  it('is not unsettled while the store only takes its time', async () => {
    const { settler, hold } = open()
    const release = hold()
    const done = settler.settle([makeAttempt(entriesOf(5), '250 ok')])
    await turns()
    assert.equal(settler.unsettled, 0)
    release()
    await done
  })

  it('tries the same batch again, reports with the same ids', async () => {
    const { settler, clock, tried, fail } = open()
    fail(2)
    const done = settler.settle([makeAttempt(entriesOf(1), '550 5.1.1 no such user')])
    await turns()
    await clock.advance(2000)
    await done
    assert.equal(tried.length, 3)
    assert.equal(new Set(tried.map(({ reports }) => reports[0]!.report.message.id)).size, 1)
  })

  it('knows the error by its code, whatever class it lost on its way between threads', async () => {
    const { settler, clock, batches, fail } = open()
    fail(1, Object.assign(new Error('disk full'), { code: 'store-unavailable' }))
    const done = settler.settle([makeAttempt(entriesOf(1), '250 ok')])
    await turns()
    await clock.advance(1000)
    await done
    assert.equal(batches.length, 1)
  })

  it('gives up only when it is stopped, telling its callers and the log', async () => {
    const { settler, lines, fail, clock } = open()
    fail(Number.POSITIVE_INFINITY)
    const done = assert.rejects(settler.settle([makeAttempt(entriesOf(2), '250 ok')]), StoreUnavailable)
    await turns()
    await settler.stop()
    await done
    const last = lines.at(-1)!
    assert.deepEqual([last.level, last.entries], ['error', ['m.0', 'm.1']])
    assert.equal(clock.waiting, 0)
  })

  it('writes what is under way before it stops', async () => {
    const { settler, batches } = open()
    const done = settler.settle([makeAttempt(entriesOf(2), '250 ok')])
    await settler.stop()
    await done
    assert.equal(batches.length, 1)
  })

  it('lets an outcome that is refused for another reason fail alone', async () => {
    const { settler, batches, lines } = open({ poison: 'm.3' })
    const done = entriesOf(5).map(leased => settler.settle([makeAttempt([leased], '250 ok')]))
    const ends = await Promise.allSettled(done)
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(
      batches.map(({ outcomes }) => outcomes.length),
      [1, 1, 1, 1],
    )
    assert.deepEqual(
      lines.filter(line => line.level === 'error').map(line => line.entries),
      [['m.3']],
    )
  })
})

describe('a report that can not be made', () => {
  it('is told in the log and does not keep its outcome back', async () => {
    const { settler, batches, lines } = open({
      original: async () => {
        throw new Error('a bug')
      },
    })
    await settler.settle([makeAttempt(entriesOf(1), '550 5.1.1 no such user')])
    assert.deepEqual([batches[0]!.outcomes.length, batches[0]!.reports.length], [1, 0])
    assert.ok(lines.some(line => line.level === 'error' && line.message === 'm'))
  })
})

interface Line extends Fields {
  readonly level: string
  readonly text: string
}

/** A settler on a store whose writing can be slowed and broken. */
function open(given: { poison?: string; late?: string[]; original?: () => Promise<Buffer | null> } = {}) {
  const clock: ManualClock = manualClock(start)
  const batches: SettleBatch[] = []
  const tried: SettleBatch[] = []
  const lines: Line[] = []
  const due: Instant[] = []
  let failures = 0
  let failure: Error = new StoreUnavailable('disk full')
  let held: Promise<void> | null = null
  const store = {
    async settle(batch: SettleBatch) {
      tried.push(batch)
      if (failures-- > 0) throw failure
      if (batch.outcomes.some(({ entry }) => entry === given.poison)) throw new TypeError('a bug')
      batches.push(batch)
      await held
      return given.late ?? []
    },
  }
  const settler = createSettler({
    store,
    clock,
    meter: new Meter(),
    log: captureLog(lines),
    dsn: {
      hostname: 'relay.example.jp',
      relayDomain: 'relay.example.jp',
      timeZone: 'Asia/Tokyo',
      expireAfterMs: 86_400_000,
      maxRecipients: 100,
      original: given.original ?? (async () => Buffer.from('Subject: hello\r\n\r\n')),
    },
    retry: { retryAfter: [120_000], jitter: 0 },
  })
  settler.onDue(at => due.push(at))
  return {
    settler,
    clock,
    batches,
    tried,
    lines,
    due,
    fail(times: number, error?: Error) {
      failures = times
      if (error) failure = error
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return () => {
        held = null
        resolve()
      }
    },
  }
}

function captureLog(lines: Line[]): Log {
  const at = (level: string) => (fields: Fields, text: string) => void lines.push({ level, text, ...fields })
  const log: Log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    debugs: false,
    child: () => log,
  }
  return log
}

/** Entries of one message. */
function entriesOf(count: number, id = 'm'): LeasedEntry[] {
  const message = makeMessage({ id })
  return Array.from({ length: count }, (_, n) =>
    makeLeased(message, { address: `r${n}@example.com` }, { id: `${id}.${n}` }),
  )
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
}
