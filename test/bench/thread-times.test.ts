import assert from 'node:assert/strict'
import { kindOf, perMessage, threadKinds, threadSeconds } from '../../scripts/bench/thread-times.ts'

describe('the CPU time of threads', () => {
  it('is told apart by what Node and libuv call them', () => {
    assert.deepEqual(['libuv-worker', 'WorkerThread', 'V8Worker', 'MainThread', 'host/0'].map(kindOf), [
      'signing',
      'writer',
      'V8',
      'main',
      'data plane',
    ])
  })

  it('is that of this process, and grows with its work', () => {
    const before = threadSeconds(process.pid)
    const until = process.threadCpuUsage().user + 100_000
    while (process.threadCpuUsage().user < until) Math.sqrt(until)
    const spent = perMessage(before, threadSeconds(process.pid), 1)
    assert.ok(spent.main >= 50_000, JSON.stringify(spent))
    assert.deepEqual(Object.keys(spent), [...threadKinds])
  })
})
