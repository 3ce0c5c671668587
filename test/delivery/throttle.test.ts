/**
 * One site's limits, and how sites take turns.
 */
import assert from 'node:assert/strict'
import type { HeldMessage } from '../../src/delivery/held-message.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteLimits } from '../../src/delivery/site-limits.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import { type Group, Site } from '../../src/delivery/throttle.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }

function routeTo(name: string): Route {
  return { kind: 'mx', key: name, site: name, hosts: [], own: null }
}

function groupFor(route: Route, recipients = 1): Group {
  const leased = Array.from({ length: recipients }, () => makeLeased(makeMessage()))
  return { held: { message: leased[0]!.message } as HeldMessage, leased, route }
}

function siteWith(change: Partial<typeof rule | { perMinute: number }> = {}, clock = manualClock()): Site {
  const limits = new SiteLimits({ key: 'mx.example', rule: { ...rule, ...change }, shared: null, clock })
  return new Site(routeTo('mx.example'), limits, clock)
}

function start(site: Site): Group {
  const group = site.take()!
  site.begin(group)
  return group
}

describe('a site', () => {
  it('hands out its groups in order and counts their entries', () => {
    const site = siteWith()
    const groups = Array.from({ length: 100 }, (_, n) => groupFor(routeTo('mx.example'), n + 1))
    for (const group of groups) site.push(group)
    assert.equal(site.waiting, 5050)
    for (const group of groups.slice(0, 60)) assert.equal(start(site), group)
    assert.deepEqual(site.drain(), groups.slice(60))
    assert.deepEqual([site.waiting, site.running], [0, 60])
  })

  it('gives every recipient a slot of its rate', async () => {
    const clock = manualClock()
    const site = siteWith({ perMinute: 60 }, clock)
    site.push(groupFor(routeTo('mx.example'), 10))
    assert.equal(site.limits.paceMs, 0)
    start(site)
    assert.equal(site.limits.paceMs, 10_000)
    await clock.advance(12_000)
    assert.equal(site.limits.paceMs, 0)
  })

  it('does not save up slots while nothing is sent', async () => {
    const clock = manualClock()
    const site = siteWith({ perMinute: 60 }, clock)
    await clock.advance(10 * minute)
    site.push(groupFor(routeTo('mx.example')))
    start(site)
    assert.equal(site.limits.paceMs, 1000)
  })

  it('lets as many wait as its rate can send in time', () => {
    assert.equal(siteWith().bound(500, minute), 500)
    assert.equal(siteWith({ perMinute: 60 }).bound(500, minute), 60)
    assert.equal(siteWith({ perMinute: 1 }).bound(500, 1000), 1)
  })

  it('closes for longer each time until it succeeds, and is tried with one connection in between', async () => {
    const clock = manualClock()
    const site = siteWith({}, clock)
    const closing = { firstMs: minute, maximumMs: 3 * minute }
    for (const expected of [1, 2, 3, 3]) {
      assert.equal(site.close(closing), true)
      assert.equal(site.close(closing), false, 'closed already')
      assert.equal(site.succeed(), false, 'an attempt of before says nothing')
      assert.equal((site.closedUntil! - clock.now()) / minute, expected)
      await clock.advance(expected * minute)
      assert.deepEqual([site.closedUntil, site.connections], [null, 1])
    }
    assert.equal(site.succeed(), true)
    assert.deepEqual([site.connections, site.succeed()], [20, false])
    site.close(closing)
    assert.equal(site.closedUntil! - clock.now(), minute)
  })

  it('knows its parked lanes after a retry, for the retry opened only some of them', () => {
    const clock = manualClock()
    const site = siteWith({}, clock)
    const until = clock.now() + minute
    assert.deepEqual(site.park(['a.example', 'b.example'], until), ['a.example', 'b.example'])
    site.probe()
    assert.deepEqual(site.parkedAmong(new Set(['a.example'])), [])
    assert.deepEqual(site.park(['a.example'], until), ['a.example'], 'it may be open')
    assert.equal(site.hasParked, true)
    assert.deepEqual(site.unpark(), ['a.example', 'b.example'])
  })

  it('is closed, and its lanes are parked, for as long as was meant, whatever becomes of the clock', async () => {
    const clock = manualClock()
    const site = siteWith({}, clock)
    site.close({ firstMs: minute, maximumMs: minute })
    site.park(['a.example'], site.closedUntil!)
    for (const hours of [-3, 5]) {
      clock.set(hours * 60 * minute)
      assert.deepEqual([site.closedUntil! - clock.now(), site.hasParked], [minute, true])
    }
    await clock.advance(minute)
    assert.deepEqual([site.closedUntil, site.unpark()], [null, []])
  })

  it('parks a lane once while that is in force', async () => {
    const clock = manualClock()
    const site = siteWith({}, clock)
    assert.deepEqual(site.park(['a.example', 'b.example', 'a.example'], clock.now() + minute), [
      'a.example',
      'b.example',
    ])
    assert.deepEqual(site.park(['a.example'], clock.now() + minute), [])
    await clock.advance(minute)
    assert.deepEqual(site.park(['a.example'], clock.now() + minute), ['a.example'])
    assert.deepEqual(site.unpark(), ['a.example'])
    assert.equal(site.hasParked, false)
  })

  it('remembers silent addresses for a while', async () => {
    const clock = manualClock()
    const site = siteWith({}, clock)
    site.noteSilent('192.0.2.1', minute)
    assert.deepEqual([site.isSilent('192.0.2.1'), site.isSilent('192.0.2.2')], [true, false])
    await clock.advance(minute)
    assert.equal(site.isSilent('192.0.2.1'), false)
  })
})

describe('sites in a ring', () => {
  function ringOf(
    clock: ManualClock,
    maxAttempts: number,
    rules = [rule] as ConstructorParameters<typeof SiteRing>[0]['rules'],
  ) {
    const started: string[] = []
    const ring = new SiteRing({
      clock,
      rules,
      maxAttempts,
      open: () => true,
      run: site => void started.push(site.name),
    })
    const push = (name: string, count: number) => {
      const route = routeTo(name)
      for (let n = 0; n < count; n++) ring.push(ring.site(route), groupFor(route))
    }
    return { ring, started, push }
  }

  it('start one group each in turn', () => {
    const { ring, started, push } = ringOf(manualClock(), 100)
    push('a.example', 3)
    push('b.example', 2)
    push('c.example', 1)
    ring.turn()
    assert.deepEqual(
      started,
      ['a', 'b', 'c', 'a', 'b', 'a'].map(name => `${name}.example`),
    )
  })

  it('leave as much free for others as they take', () => {
    const { ring, started, push } = ringOf(manualClock(), 12)
    push('slow.example', 50)
    ring.turn()
    assert.equal(started.length, 6)
    push('slower.example', 50)
    ring.turn()
    assert.equal(started.filter(name => name === 'slower.example').length, 3)
    push('good.example', 1)
    ring.turn()
    assert.equal(started.at(-1), 'good.example')
  })

  it('go on when an attempt has sent, and is settled', () => {
    const { ring, started, push } = ringOf(manualClock(), 100, [{ ...rule, connections: 1 }])
    push('a.example', 3)
    ring.turn()
    assert.equal(started.length, 1)
    ring.sent(ring.known('a.example')!)
    assert.equal(started.length, 2)
    ring.ended()
    assert.equal(ring.running, 1)
  })

  it('keep to their rates with one timer for all', async () => {
    const clock = manualClock()
    const { ring, started, push } = ringOf(clock, 100, [{ ...rule, perMinute: 60 }])
    for (const name of ['a.example', 'b.example']) push(name, 3)
    ring.turn()
    assert.equal(started.length, 2)
    assert.equal(clock.waiting, 1)
    await clock.advance(1000)
    assert.equal(started.length, 4)
    await clock.advance(10_000)
    assert.equal(started.length, 6)
    ring.stop()
    assert.equal(clock.waiting, 0)
  })

  const provider = { ...rule, suffix: 'provider.example', name: 'provider', shared: true }

  it('that share limits have them together, and take turns', () => {
    const { ring, started, push } = ringOf(manualClock(), 100, [{ ...provider, connections: 2 }, rule])
    const names = ['a', 'b', 'c'].map(name => `${name}.provider.example`)
    for (const name of names) push(name, 2)
    push('other.example', 1)
    ring.turn()
    assert.deepEqual(started, [names[0], 'other.example', names[1]], 'one turn for the provider')
    for (let n = 0; n < 4; n++) {
      ring.sent(ring.known(started.filter(name => name !== 'other.example')[n]!)!)
      ring.ended()
    }
    assert.deepEqual(
      started
        .filter(name => name !== 'other.example')
        .slice(2)
        .sort(),
      [...names, names[2]].sort(),
    )
  })

  it('that share a rate send no more than it together', async () => {
    const clock = manualClock()
    const { ring, started, push } = ringOf(clock, 100, [{ ...provider, perMinute: 60 }])
    for (const name of ['a', 'b', 'c', 'd']) push(`${name}.provider.example`, 5)
    ring.turn()
    const counts = [started.length]
    for (let second = 1; second <= 20; second++) {
      await clock.advance(1000)
      counts.push(started.length)
    }
    assert.deepEqual(
      counts.slice(0, 20),
      Array.from({ length: 20 }, (_, n) => n + 1),
    )
    assert.equal(counts[20], 20)
    const perSite = ['a', 'b', 'c', 'd'].map(name => started.slice(1, 9).filter(site => site.startsWith(name)).length)
    assert.deepEqual(perSite, [2, 2, 2, 2], 'each in its turn')
  })

  it('that share limits go on when one of them is closed', () => {
    const { ring, started, push } = ringOf(manualClock(), 100, [{ ...provider, connections: 1 }])
    push('a.provider.example', 2)
    push('b.provider.example', 2)
    ring.turn()
    const closed = ring.known('a.provider.example')!
    closed.close({ firstMs: minute, maximumMs: minute })
    ring.drain(closed)
    ring.sent(closed)
    assert.deepEqual(started, ['a.provider.example', 'b.provider.example'])
  })

  it('are forgotten when there are too many without mail', () => {
    const { ring, push } = ringOf(manualClock(), 100)
    push('busy.example', 1)
    for (let n = 0; n < 10_001; n++) ring.site(routeTo(`mx${n}.example`))
    assert.ok([...ring.sites()].length < 7600)
    assert.ok(ring.known('busy.example'))
  })
})
