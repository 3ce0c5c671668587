/**
 * What `kitte bench` knows of waiting: the load that keeps its pace, the relay's event loops, heavy messages, fairness.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { caseNamed } from '../../scripts/bench/cases.ts'
import { delays, type Fairness } from '../../scripts/bench/fairness.ts'
import { heavyMessages } from '../../scripts/bench/heavy.ts'
import { summarize } from '../../scripts/bench/heavy-load.ts'
import type { HeavyMethods } from '../../scripts/bench/heavy-thread.ts'
import { latencyText } from '../../scripts/bench/latency-report.ts'
import type { LoadMethods } from '../../scripts/bench/load-thread.ts'
import { readLoopDelays } from '../../scripts/bench/loop-delays.ts'
import type { SubjectResult } from '../../scripts/bench/result.ts'
import { percentilesOf, spreadOf } from '../../scripts/bench/statistics.ts'
import { startThread } from '../../scripts/bench/threads.ts'

function answerTo(line: string): string {
  if (line === 'DATA\r\n') return '354 Go on\r\n'
  return line === 'QUIT\r\n' ? '221 2.0.0 Bye\r\n' : '250 2.0.0 Ok\r\n'
}

/** Answers each line and each content at once, except that a content of this many octets or more is refused. */
async function startRelay(refuseBytes = Number.POSITIVE_INFINITY) {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    let received = 0
    let inContent = false
    let end = ''
    socket.on('data', chunk => {
      if (!inContent) {
        inContent = chunk.toString('latin1') === 'DATA\r\n'
        socket.write(answerTo(chunk.toString('latin1')))
        return
      }
      received += chunk.length
      end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5)
      if (end !== '\r\n.\r\n') return
      socket.write(received >= refuseBytes ? '552-5.3.4 Too\r\n552 5.3.4 large\r\n' : '250 2.0.0 Taken\r\n')
      inContent = false
      received = 0
    })
    socket.write('220 relay.test\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    door: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, starttls: false, auth: null },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the load of the bench', () => {
  const order = {
    sessions: 2,
    messagesPerConnection: Number.POSITIVE_INFINITY,
    bytes: 1000,
    from: 'a@x.test',
    recipients: ['b@y.test'],
    label: 'run',
  }

  it('has its messages due at their pace, and counts transactions from there', async () => {
    await using relay = await startRelay()
    await using thread = await startThread<LoadMethods>('load-thread.ts')
    const result = await thread.remote.run({ ...order, door: relay.door, messages: 10, perSecond: 200 })
    const { dueAt, latenciesMs, transactionsMs } = result
    const steps = dueAt.slice(1).map((at, number) => Math.round(at - dueAt[number]!))
    assert.deepEqual(steps, Array(9).fill(5))
    assert.equal(latenciesMs.length, 10)
    for (const [number, ms] of transactionsMs.entries())
      assert.ok(ms > latenciesMs[number]! && latenciesMs[number]! > 0)
  })

  it('ends when it is told to, with what was begun', async () => {
    await using relay = await startRelay()
    await using thread = await startThread<LoadMethods>('load-thread.ts')
    const run = thread.remote.run({ ...order, door: relay.door, messages: 1e9, perSecond: 100 })
    await thread.remote.stop()
    const { latenciesMs, dueAt } = await run
    assert.equal(latenciesMs.length, dueAt.length)
    assert.ok(dueAt.length < 1000)
  })
})

describe('the delay of the relay’s event loops', () => {
  it('is read from its metrics, in milliseconds', () => {
    const name = 'kitte_event_loop_delay_seconds'
    const text = [
      `# HELP ${name} How late`,
      `${name}{thread="main",quantile="0.5"} 0`,
      `${name}{thread="main",quantile="0.99"} 0.002`,
      `${name}{thread="main",quantile="1"} 0.25`,
      `${name}{thread="data-plane-0",quantile="1"} 0.5`,
      'kitte_sessions 3',
    ].join('\n')
    assert.deepEqual(readLoopDelays(text), {
      main: { p50: 0, p99: 2, max: 250 },
      'data-plane-0': { p50: 0, p99: 0, max: 500 },
    })
  })
})

describe('the heavy messages', () => {
  const all = heavyMessages.map(make => make())

  it('are what they say', () => {
    const sizes = Object.fromEntries(all.map(({ kind, fields, body }) => [kind, fields.length + body.length]))
    assert.ok(sizes['30 MB of text']! >= 30_000_000 && sizes['30 MB of text']! < 30_001_000)
    assert.ok(sizes['10,000 fields, 1 MB']! > 1_000_000)
    const named = (kind: string) => all.find(heavy => heavy.kind === kind)!
    assert.equal(named('10,000 fields, 1 MB').fields.match(/^[^ ]+:/gm)!.length, 10_000)
    assert.equal(named('one field of 80,000 lines').fields.split('\r\n').length - 1, 80_000)
    assert.equal(named('100,000 lines with a dot').body.split('\r\n').length - 1, 100_000)
  })

  it('are well-formed on the wire: whole lines, dots stuffed, only headers in the header', () => {
    for (const { kind, fields, body } of all) {
      assert.ok(fields === '' || /^[A-Z][^ ]*: /.test(fields), kind)
      assert.ok(fields === '' || fields.endsWith('\r\n'), kind)
      assert.ok(!fields.includes('\r\n\r\n'), kind)
      assert.ok(body.endsWith('\r\n'), kind)
      assert.ok(!body.startsWith('.\r\n') && !body.includes('\r\n.\r\n'), kind)
    }
  })

  it('are handed in one by one, and what is refused is an answer', async () => {
    await using relay = await startRelay(1_000_000)
    await using thread = await startThread<HeavyMethods>('heavy-thread.ts')
    await thread.remote.prepare()
    const order = {
      door: relay.door,
      from: 'a@x.test',
      to: 'b@y.test',
      label: 'heavy',
      first: 2.1 / 7,
      everyMs: 1,
      most: 2,
    }
    const answers = await thread.remote.run(order)
    assert.deepEqual(
      answers.map(({ kind, answer }) => `${kind}: ${answer}`),
      ['10,000 fields, 1 MB: 552-5.3.4', 'one field of 80,000 lines: 250 2.0.0'],
    )
  })

  it('are summed up by kind', () => {
    const answers = [
      { kind: 'a', answer: '250 2.0.0', ms: 3 },
      { kind: 'b', answer: '552 5.3.4', ms: 1 },
      { kind: 'a', answer: '250 2.0.0', ms: 7 },
      { kind: 'a', answer: 'the relay closed the connection', ms: 2 },
    ]
    assert.deepEqual(summarize(answers), {
      accepted: 2,
      kinds: [
        { kind: 'a', answers: { '250 2.0.0': 2, 'the relay closed the connection': 1 }, slowestMs: 7 },
        { kind: 'b', answers: { '552 5.3.4': 1 }, slowestMs: 1 },
      ],
    })
  })
})

describe('the delay of a delivery', () => {
  it('counts from when its message was due, by number', () => {
    const arrivals = new Map([
      [2, 50],
      [0, 11],
    ])
    assert.deepEqual(delays([10, 20, 30], arrivals), [20, 1])
  })
})

describe('the report of times', () => {
  const check = {
    perSecond: 1,
    copies: { expected: 1, arrived: 1, different: 1 },
    dkim: { verifier: 'dkimpy', looked: 1, passed: 1 },
    latencyMs: percentilesOf([1]),
    transactionMs: percentilesOf([2]),
    loopDelayMs: { main: { p50: 3, p99: 4, max: 5 } },
    heavy: summarize([{ kind: 'a bomb', answer: '552 5.3.4', ms: 7 }]),
    othersShare: 0,
  }
  const times = { acceptedMs: percentilesOf([6]), arrivedMs: percentilesOf([8]) }
  const fairness: Fairness = {
    alone: times,
    flooded: times,
    flood: { acceptedPerSecond: 900, messages: 9 },
    problems: [],
  }
  const spread = spreadOf([1])
  const subject: SubjectResult = {
    ...{ name: 'kitte', isPeer: false, peakPssBytes: 1, rounds: [], problems: [], check, fairness },
    ...{ acceptedPerSecond: spread, perSecond: spread, cpuSecondsPer1000: spread },
  }

  it('has a line for each wait, and none where nothing was measured', () => {
    const text = latencyText([subject])
    for (const line of [
      /^kitte: final dot to 250 +1\.0 +1\.0 +1\.0 +1\.0$/m,
      /^kitte: due to 250 +2\.0/m,
      /^kitte: event loop of main +3\.0 +4\.0 +5\.0$/m,
      /^kitte: beside a flood of 900\/s accepted: due to 250 +6\.0/m,
      /^kitte: a bomb +1 +1 × 552 5\.3\.4 +7$/m,
    ])
      assert.match(text, line)
    const bare = latencyText([{ ...subject, fairness: null, check: { ...check, heavy: null, loopDelayMs: null } }])
    assert.doesNotMatch(bare, /bomb|flood|event loop/)
  })
})

describe('the cases of latency', () => {
  it('find the rate in one round', () => {
    for (const name of ['half-rate', 'half-rate-heavy', 'fair']) assert.equal(caseNamed(name).mostRounds, 1)
  })
})
