/**
 * What one worker's site tells the others.
 */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log.ts'
import { type Lesson, Lessons } from '../../src/delivery/lessons.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import { SlowedSenders } from '../../src/delivery/slowed-senders.ts'
import type { Group } from '../../src/delivery/throttle.ts'
import type { RecipientResult } from '../../src/mail/attempt-result.ts'
import { parseReply } from '../../src/mail/reply.ts'
import type { SettledAttempt } from '../../src/outcome/settled-attempt.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

const minute = 60_000
const rule = { suffix: '', connections: 10, messagesPerConnection: 100, perMinute: null }
const route: Route = { kind: 'mx', key: 'mx.example', site: 'mx.example', hosts: [], own: null }
const group = { held: { message: makeMessage() }, leased: [makeLeased(makeMessage())], route } as unknown as Group

/** A worker that has so many attempts under way, and what it tells. */
function workerWith(clock: ManualClock, running: number) {
  const told: Lesson[] = []
  const closed: (Group | null)[] = []
  const remembered: string[] = []
  const slowed: string[] = []
  const ring = new SiteRing({ clock, rules: [rule], maxAttempts: 100, open: () => true, run: () => {} })
  const site = ring.site(route)
  const { limits } = site
  for (let n = 0; n < running; n++) ring.push(site, { ...group, held: { message: makeMessage() } } as unknown as Group)
  ring.turn()
  const lessons = new Lessons({
    closing: { firstMs: minute, maximumMs: 30 * minute },
    clock,
    log: silentLog,
    onLearned: () => {},
    onClosed: (_site, of) => closed.push(of),
    senders: new SlowedSenders({ clock, rest: { firstMs: minute, maximumMs: 30 * minute } }),
    onSlowed: (_site, domain) => slowed.push(domain),
    tell: lesson => told.push(structuredClone(lesson)),
    siteOf: key => ring.known(key),
    limitsOf: key => ring.limits(key),
    remember: key => remembered.push(key),
  })
  const answer = (line: string, phase: 'banner' | 'mail' | 'dot') => lessons.learn(site, group, [settled(line, phase)])
  return { site, limits, lessons, answer, told, closed, remembered, slowed }
}

function settled(line: string, phase: 'banner' | 'mail' | 'dot'): SettledAttempt {
  const result: RecipientResult = { address: 'b@example.com', reply: parseReply(line)!, phase }
  const facts = { remoteMta: 'mx.example', remoteIp: '192.0.2.1', site: 'mx.example' } as SettledAttempt['facts']
  return { facts, route: 'mx', results: [{ leased: group.leased[0]!, result }] }
}

function tellAll(to: ReturnType<typeof workerWith>, from: ReturnType<typeof workerWith>): void {
  for (const lesson of from.told.splice(0)) to.lessons.hear(lesson)
}

describe('what one worker was told', () => {
  it('makes another give way by what it sends itself, and close with it', () => {
    const clock = manualClock()
    const [one, other] = [workerWith(clock, 4), workerWith(clock, 2)]
    for (let n = 0; n < 40; n++) one.answer('250 2.0.0 Ok', 'dot')
    for (let n = 0; n < 20; n++) other.answer('250 2.0.0 Ok', 'dot')
    one.answer('421 4.7.0 Too many messages, slow down', 'mail')
    assert.deepEqual(
      one.told.map(({ told }) => told),
      ['lowered', 'closed'],
    )
    tellAll(other, one)
    assert.deepEqual([one.limits.perMinute, other.limits.perMinute], [28, 14])
    assert.deepEqual([other.closed, other.told], [[null], []])
    assert.ok(other.site.closedUntil! > one.site.closedUntil!, 'one of them tries first')
  })

  it('of one sender domain makes that one rest everywhere, and nothing else', () => {
    const clock = manualClock()
    const [one, other] = [workerWith(clock, 4), workerWith(clock, 2)]
    one.answer('421 4.7.28 unusual rate of mail originating from your DKIM domain [example.co.jp 36]', 'dot')
    one.answer('421 4.7.28 unusual rate of mail originating from your DKIM domain [example.co.jp 36]', 'dot')
    assert.deepEqual(
      one.told.map(({ told }) => told),
      ['sender-slowed'],
    )
    tellAll(other, one)
    for (const { site, limits, slowed, closed } of [one, other]) {
      assert.deepEqual([slowed, closed, site.closedUntil], [['example.co.jp'], [], null])
      assert.deepEqual([limits.perMinute, limits.connections], [null, 10])
    }
    one.answer('421 4.7.28 unusual rate of mail originating from your IP address', 'dot')
    assert.deepEqual(
      one.told.map(({ told }) => told),
      ['lowered', 'closed'],
    )
  })

  it('is taken over by one that sends nothing there', () => {
    const clock = manualClock()
    const [one, other] = [workerWith(clock, 4), workerWith(clock, 0)]
    for (let n = 0; n < 40; n++) one.answer('250 2.0.0 Ok', 'dot')
    one.answer('421 4.7.0 Too many messages, slow down', 'mail')
    tellAll(other, one)
    assert.deepEqual([other.limits.perMinute, other.limits.connections], [28, 2])
  })

  it('is kept for a site that another has never met', () => {
    const clock = manualClock()
    const { lessons, remembered, limits } = workerWith(clock, 0)
    limits.accepted(30)
    limits.slowDown({ reply: '421 4.7.0 slow down', class: 'rate', at: clock.now() })
    lessons.hear({ told: 'lowered', limits: 'mx.far.example', learned: limits.learned!, evidence: limits.evidence! })
    lessons.hear({ told: 'opened', site: 'mx.far.example' })
    assert.deepEqual(remembered, ['mx.far.example'])
  })

  it('opens the site for the others when one of them succeeds', async () => {
    const clock = manualClock()
    const [one, other] = [workerWith(clock, 0), workerWith(clock, 0)]
    one.answer('421 4.3.2 Service not available', 'banner')
    tellAll(other, one)
    assert.notEqual(other.site.closedUntil, null)
    await clock.advance(minute)
    one.answer('250 2.0.0 Ok', 'dot')
    tellAll(other, one)
    assert.deepEqual([other.site.closedUntil, other.site.connections], [null, 10])
  })

  it('leaves room for a worker that was turned away, and the site open where others are connected', () => {
    const clock = manualClock()
    const [one, other] = [workerWith(clock, 1), workerWith(clock, 6)]
    one.answer('421 4.3.2 Too many connections', 'banner')
    tellAll(other, one)
    assert.notEqual(one.site.closedUntil, null)
    assert.deepEqual([other.site.closedUntil, other.limits.connections, other.closed], [null, 3, []])
  })

  it('says nothing of a rate while a closed site is tried: that is what it said before', async () => {
    const clock = manualClock()
    const { answer, limits, told } = workerWith(clock, 1)
    for (let n = 0; n < 40; n++) answer('250 2.0.0 Ok', 'dot')
    answer('421 4.7.0 Too many messages, slow down', 'mail')
    answer('250 2.0.0 Ok', 'dot')
    await clock.advance(minute)
    answer('421 4.7.0 Too many messages, slow down', 'mail')
    assert.equal(limits.perMinute, 28)
    assert.deepEqual(
      told.map(lesson => lesson.told),
      ['lowered', 'closed', 'closed'],
    )
  })
})
