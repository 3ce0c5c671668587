import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { WaitingLine } from '../../src/domains/waiting-line.ts'
import { manualClock } from '../support/manual-clock.ts'

/** A line whose work ends when the test says so. */
function open(places: number) {
  const under = new Map<string, PromiseWithResolvers<void>>()
  const order: string[] = []
  const work = (name: string) => {
    order.push(name)
    const ends = Promise.withResolvers<void>()
    under.set(name, ends)
    return ends.promise.finally(() => under.delete(name))
  }
  const clock = manualClock()
  const line = new WaitingLine({ name: 'a test', places, work, clock, log: silentLog })
  const end = async (name: string, error?: Error) => {
    if (error) under.get(name)!.reject(error)
    else under.get(name)!.resolve()
    await clock.advance(1)
  }
  return { line, under, order, end, clock }
}

describe('a line of domains', () => {
  it('takes each once, in order, so many at a time', async () => {
    const { line, under, order, end } = open(2)
    assert.equal(line.add(['a', 'b', 'c', 'd', 'c']), 4)
    assert.equal(line.add(['d']), 0)
    assert.deepEqual([...under.keys()], ['a', 'b'])
    const { queued, running, done } = line.progress()
    assert.deepEqual([queued, running, done], [2, 2, 0])
    await end('b')
    assert.deepEqual([...under.keys()], ['a', 'c'])
    for (const name of ['a', 'c', 'd']) await end(name)
    assert.deepEqual(order, ['a', 'b', 'c', 'd'])
  })

  it('counts what is done and what failed, and begins anew when it was empty', async () => {
    const { line, end, clock } = open(1)
    assert.deepEqual([line.progress().startedAt, line.progress().endedAt], [null, null])
    const startedAt = clock.now()
    line.add(['a', 'b'])
    await end('a', new Error('broken'))
    assert.equal(line.progress().endedAt, null)
    await end('b')
    const { done, failed, startedAt: began, endedAt } = line.progress()
    assert.deepEqual([done, failed, began, endedAt !== null], [2, 1, startedAt, true])
    line.add(['c'])
    assert.deepEqual([line.progress().done, line.progress().failed, line.progress().endedAt], [0, 0, null])
    await end('c')
  })

  it('gives one that came again while it ran another turn', async () => {
    const { line, order, end } = open(3)
    line.add(['a'])
    assert.equal(line.add(['a']), 1)
    assert.deepEqual(order, ['a'])
    await end('a')
    assert.deepEqual(order, ['a', 'a'])
    await end('a')
  })

  it('ends what runs, gives up what waits, and takes nothing more when it stops', async () => {
    const { line, order, end } = open(1)
    line.add(['a', 'b'])
    let isStopped = false
    const stopped = line.stop().then(() => {
      isStopped = true
    })
    await Promise.resolve()
    assert.equal(isStopped, false)
    await end('a')
    await stopped
    assert.equal(line.add(['c']), 0)
    assert.deepEqual(order, ['a'])
  })
})
