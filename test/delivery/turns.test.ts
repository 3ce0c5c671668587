import assert from 'node:assert/strict'
import type { Group } from '../../src/delivery/throttle.ts'
import { Turns } from '../../src/delivery/turns.ts'
import type { Priority } from '../../src/mail/priority.ts'
import { jainIndex } from '../support/jain-index.ts'

interface Sender {
  readonly account: string | null
  readonly senderDomain?: string
  readonly priority?: Priority
  readonly entries?: number
}

function groupOf({ account, senderDomain = `${account}.example`, priority, entries = 1 }: Sender): Group {
  const message = { account, senderDomain, ...(priority && { priority }) }
  return { held: { message }, leased: Array.from({ length: entries }) } as unknown as Group
}

function filled(...senders: readonly (readonly [sender: Sender, count: number])[]): Turns {
  const turns = new Turns()
  for (const [sender, count] of senders) for (let n = 0; n < count; n++) turns.push(groupOf(sender))
  return turns
}

function take(turns: Turns, count: number) {
  return Array.from({ length: count }, () => turns.take()!.held.message)
}

describe('groups that wait for a site', () => {
  it('go by account in turn, by sender domain in turn, in the order they came', () => {
    const turns = new Turns()
    for (const [account, senderDomain] of [
      ['a', 'one'],
      ['a', 'one'],
      ['a', 'two'],
      ['b', 'three'],
      ['a', 'one'],
      ['b', 'three'],
    ] as const)
      turns.push(groupOf({ account, senderDomain }))
    const order = take(turns, 6).map(({ account, senderDomain }) => `${account} ${senderDomain}`)
    assert.deepEqual(order, ['a one', 'b three', 'a two', 'b three', 'a one', 'a one'])
    assert.equal(turns.take(), undefined)
  })

  it('let the more urgent of an account go first, whenever they came', () => {
    const turns = filled([{ account: 'a', priority: 'bulk' }, 3], [{ account: 'a' }, 2])
    turns.push(groupOf({ account: 'a', priority: 'transactional' }))
    const order = take(turns, 6).map(({ priority = 'normal' }) => priority)
    assert.deepEqual(order, ['transactional', 'normal', 'normal', 'bulk', 'bulk', 'bulk'])
  })

  it('leave one turn of eight to the less urgent, and of these one of eight to the least', () => {
    const flood = 2000
    const turns = filled(
      [{ account: 'a', priority: 'transactional' }, flood],
      [{ account: 'a' }, flood],
      [{ account: 'a', priority: 'bulk' }, flood],
    )
    const taken = Map.groupBy(take(turns, 640), ({ priority = 'normal' }) => priority)
    assert.deepEqual(
      [...taken].map(([priority, all]) => [priority, all.length]),
      [
        ['transactional', 560],
        ['normal', 70],
        ['bulk', 10],
      ],
    )
  })

  it('gain no turn over other accounts by their priority', () => {
    const turns = filled([{ account: 'a', priority: 'transactional' }, 50], [{ account: 'b', priority: 'bulk' }, 50])
    const taken = take(turns, 20)
    assert.equal(taken.filter(({ account }) => account === 'b').length, 10)
  })

  it('of ten accounts, one of them flooding, are served alike: Jain index of the others at least 0.9', () => {
    const others = Array.from({ length: 9 }, (_, n) => `o${n}`)
    const turns = filled([{ account: 'flood' }, 5000], ...others.map(account => [{ account }, 40] as const))
    const taken = take(turns, 200)
    const counts = others.map(name => taken.filter(({ account }) => account === name).length)
    assert.ok(jainIndex(counts) >= 0.99, `${counts}`)
    assert.deepEqual(counts, Array(9).fill(20))
  })

  it('are counted by account and priority, and all come out at once', () => {
    const turns = filled(
      [{ account: 'a', priority: 'bulk', entries: 10 }, 4],
      [{ account: 'a', priority: 'transactional', entries: 2 }, 3],
      [{ account: null }, 1],
    )
    assert.equal(turns.waiting, 47)
    assert.deepEqual([turns.waitingOf('a'), turns.waitingOf('a', 0), turns.waitingOf(null)], [46, 6, 1])
    turns.take()
    assert.deepEqual([turns.waiting, turns.waitingOf('a', 0)], [45, 4])
    assert.equal(turns.drain().length, 7)
    assert.deepEqual([turns.waiting, turns.take()], [0, undefined])
  })

  it('keep their order through thousands', () => {
    const turns = new Turns()
    const seen: unknown[] = []
    const groups = Array.from({ length: 3000 }, () => groupOf({ account: 'a' }))
    for (const [n, group] of groups.entries()) {
      turns.push(group)
      if (n % 3 === 0) seen.push(turns.take())
    }
    while (turns.waiting > 0) seen.push(turns.take())
    assert.deepEqual(seen, groups)
  })
})
