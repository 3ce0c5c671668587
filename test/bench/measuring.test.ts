/**
 * What the figures of `kitte bench` rest on: sums over processes, ratios per round, and what counts as failed.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Check, problemsOf } from '../../scripts/bench/check.ts'
import { nowMs } from '../../scripts/bench/now.ts'
import { spreadText } from '../../scripts/bench/report.ts'
import type { SinkMethods } from '../../scripts/bench/sink-thread.ts'
import { percentilesOf, quantile, quotients, spreadOf } from '../../scripts/bench/statistics.ts'
import { startThread } from '../../scripts/bench/threads.ts'
import { cpuSeconds, pssBytes, treeOf } from '../../scripts/bench/usage.ts'
import { waitFor } from '../support/real/program.ts'

describe('a spread', () => {
  it('is median, least and most, in any order', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
    assert.equal(quantile([1, 2], 0.5), 1.5)
    assert.ok(Number.isNaN(quantile([], 0.5)))
  })

  it('of ratios compares round with round', () => {
    assert.deepEqual(quotients([10, 20, 60], [10, 10, 20]), { median: 2, min: 1, max: 3 })
  })
})

describe('percentiles', () => {
  it('show the worst ones', () => {
    const upTo100 = Array.from({ length: 101 }, (_, value) => 100 - value)
    assert.deepEqual(percentilesOf(upTo100), { p50: 50, p95: 95, p99: 99, max: 100 })
  })
})

describe('a rate that can not be told', () => {
  it('is called unknown, in ratios too', () => {
    const unknown = quotients([1, 2], [Number.NaN, Number.NaN])
    assert.equal(spreadText(unknown, 2), 'unknown')
    assert.equal(spreadText(spreadOf([1, 2, 3]), 1), '2.0 (1.0–3.0)')
  })
})

describe('the use of a process', () => {
  it('is CPU and memory of it and all below it', () => {
    assert.ok(treeOf([process.pid]).includes(process.pid))
    const before = cpuSeconds([process.pid])
    while (cpuSeconds([process.pid]) - before < 0.02);
    assert.ok(pssBytes([process.pid]) > 10_000_000)
    assert.equal(cpuSeconds([]), 0)
  })
})

describe('the check of what arrived', () => {
  const good: Check = {
    perSecond: 1,
    copies: { expected: 10, arrived: 10, different: 10 },
    dkim: { verifier: 'dkimpy', looked: 2, passed: 2 },
    latencyMs: percentilesOf([1]),
    transactionMs: percentilesOf([2]),
    loopDelayMs: null,
    heavy: null,
    othersShare: 0,
  }

  it('tells losses, doubles and bad signatures', () => {
    assert.deepEqual(problemsOf(good), [])
    assert.deepEqual(problemsOf({ ...good, copies: { expected: 10, arrived: 10, different: 9 } }), [
      '1 of 10 copies were lost',
      '1 copies arrived more than once',
    ])
    assert.deepEqual(problemsOf({ ...good, dkim: { ...good.dkim, passed: 1 } }), ['1 of 2 do not verify'])
    assert.deepEqual(problemsOf({ ...good, dkim: { ...good.dkim, looked: 0, passed: 0 } }), [
      'no signature was looked at',
    ])
  })
})

describe('the sink of the bench', () => {
  it('counts copies by message and recipient, pipelined and in pieces', async () => {
    await using thread = await startThread<SinkMethods>('sink-thread.ts')
    const socket = connect(await thread.remote.listen(['127.0.0.1'], 0), '127.0.0.1')
    await once(socket, 'connect')
    const message = (number: string) =>
      `MAIL FROM:<a@b>\r\nRCPT TO:<one@x>\r\nRCPT TO:<two@x>\r\nDATA\r\nX-Bench-Number: ${number}\r\n\r\n..dot\r\n.\r\n`
    const dialogue = `EHLO x\r\n${message('1')}${message('2')}${message('2')}`
    for (const piece of dialogue.match(/[\s\S]{1,7}/g)!) socket.write(piece)
    await waitFor('all of it', async () => (await thread.remote.state()).deliveries === 6)
    assert.equal((await thread.remote.state()).distinct, 4)
    const [sample] = await thread.remote.samples()
    assert.equal(Buffer.from(sample!).toString(), 'X-Bench-Number: 1\r\n\r\n.dot\r\n')
    socket.destroy()
  })

  it('joins a large content once, wherever its pieces end, and tells when a message came', async () => {
    await using thread = await startThread<SinkMethods>('sink-thread.ts')
    const socket = connect(await thread.remote.listen(['127.0.0.1'], 0), '127.0.0.1')
    await once(socket, 'connect')
    const envelope = 'MAIL FROM:<a@b>\r\nRCPT TO:<one@x>\r\nDATA\r\n'
    const before = nowMs()
    socket.write(`EHLO x\r\n${envelope}X-Bench-Number: run-7\r\n\r\n${'x'.repeat(1_000_000)}\r`)
    for (const piece of ['\n', '.', '\r', `\n${envelope}`, 'X-Bench-Number: other-8\r\n\r\n.\r\n']) {
      await new Promise(resolve => socket.write(piece, resolve))
    }
    await waitFor('both', async () => (await thread.remote.state()).deliveries === 2)
    const arrivals = await thread.remote.arrivals('run')
    assert.deepEqual([...arrivals.keys()], [7])
    assert.ok(arrivals.get(7)! >= before && arrivals.get(7)! <= nowMs())
    socket.destroy()
  })
})
