import assert from 'node:assert/strict'
import type { WarmUp } from '../../src/mail/warm-up.ts'
import { capOf, type DayCounts, pausedByHand, placesFor, resumed, review } from '../../src/policy/warm-up.ts'

const rules = { minimumUse: 0.5, sample: 20, deferredShare: 0.2, bouncedShare: 0.05, complainedShare: 0.003 }
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}`
const sent = (delivered: number, more: Partial<DayCounts> = {}): DayCounts => ({
  delivered,
  deferred: 0,
  bounced: 0,
  complained: 0,
  ...more,
})

function warmUp(more: Partial<WarmUp> = {}): WarmUp {
  return {
    kind: 'domain',
    name: 'ours.example',
    account: 'acme',
    plan: 'own',
    caps: [50, 100, 200],
    startsOn: day(15),
    createdAt: 0,
    state: 'running',
    step: 0,
    day: day(15),
    taken: 50,
    pause: null,
    trustedOn: null,
    ...more,
  }
}

const typesOf = ({ changes }: ReturnType<typeof review>) => changes.map(({ type }) => type)

describe('a warm-up', () => {
  it('begins on its day: a domain is free before, an address is not used', () => {
    const domain = warmUp({ day: null, taken: 0 })
    assert.equal(placesFor(domain, 1000), 1000)
    assert.equal(placesFor({ ...domain, kind: 'source' }, 1000), 0)
    assert.deepEqual(typesOf(review(domain, sent(0), day(14), rules)), [])
    const begun = review(domain, sent(0), day(15), rules)
    assert.deepEqual(typesOf(begun), ['started'])
    assert.equal(placesFor(begun.warmUp, 1000), 50)
  })

  it('goes on to the next cap after a good day that was used', () => {
    const next = review(warmUp(), sent(49, { bounced: 1 }), day(16), rules)
    assert.deepEqual(typesOf(next), ['advanced'])
    assert.deepEqual([capOf(next.warmUp), next.warmUp.taken], [100, 0])
  })

  it('stays where it is after a day that was hardly used, however many pass', () => {
    const next = review(warmUp({ taken: 24 }), sent(24), day(20), rules)
    assert.deepEqual(typesOf(next), [])
    assert.deepEqual([capOf(next.warmUp), next.warmUp.day, next.warmUp.taken], [50, day(20), 0])
  })

  it('comes back from a day far ahead on which a wrong clock had put it', () => {
    const ahead = warmUp({ day: '2031-05-05', taken: 50 })
    const { warmUp: back, changes } = review(ahead, sent(50), day(16), rules)
    assert.deepEqual([back.day, placesFor(back, 1000), changes], [day(16), 0, []])
    assert.equal(review(back, sent(50), day(17), rules).warmUp.step, 1)
    const tomorrow = warmUp({ day: day(17) })
    assert.equal(review(tomorrow, sent(50), day(16), rules).warmUp, tomorrow, 'another thread is a moment ahead')
  })

  it('ends after the last cap, and limits nothing then', () => {
    const last = review(warmUp({ step: 2, taken: 200 }), sent(200), day(16), rules)
    assert.deepEqual(typesOf(last), ['finished'])
    assert.equal(capOf(last.warmUp), null)
    assert.equal(review(last.warmUp, sent(0), day(17), rules).warmUp, last.warmUp)
  })

  const troubles: readonly (readonly [string, DayCounts])[] = [
    ['deferred', sent(30, { deferred: 10 })],
    ['bounced', sent(30, { bounced: 2 })],
    ['complained', sent(300, { complained: 1 })],
  ]
  for (const [kind, counts] of troubles)
    it(`pauses when too much is ${kind}, and takes nothing more on that day`, () => {
      const paused = review(warmUp({ step: 1, taken: 40 }), counts, day(15), rules)
      assert.deepEqual(typesOf(paused), ['paused'])
      assert.equal(paused.warmUp.pause?.trouble?.kind, kind)
      assert.equal(placesFor(paused.warmUp, 10), 0)
      assert.deepEqual(review(paused.warmUp, counts, day(15), rules).changes, [], 'told once')
    })

  it('does not judge a handful of answers', () => {
    assert.deepEqual(typesOf(review(warmUp({ taken: 10 }), sent(5, { bounced: 5 }), day(15), rules)), [])
  })

  it('goes on one cap lower after trouble, and resumes by itself after a good day', () => {
    const paused = review(warmUp({ step: 1, taken: 60 }), sent(50, { bounced: 10 }), day(15), rules).warmUp
    const next = review(paused, sent(50, { bounced: 10 }), day(16), rules)
    assert.deepEqual([typesOf(next), capOf(next.warmUp), next.warmUp.state], [[], 50, 'paused'])
    const good = review({ ...next.warmUp, taken: 50 }, sent(50), day(17), rules)
    assert.deepEqual([typesOf(good), capOf(good.warmUp), good.warmUp.state], [['resumed'], 100, 'running'])
  })

  it('stays paused while days are bad or unused', () => {
    const paused = warmUp({
      step: 1,
      state: 'paused',
      day: day(16),
      taken: 50,
      pause: { since: day(15), trouble: { kind: 'bounced', share: 0.2, of: 50 } },
    })
    const again = review(paused, sent(40, { bounced: 10 }), day(17), rules)
    assert.deepEqual([typesOf(again), again.warmUp.pause?.since], [['paused'], day(16)])
    const unused = review({ ...paused, taken: 3 }, sent(3), day(17), rules)
    assert.deepEqual([typesOf(unused), unused.warmUp.state], [[], 'paused'])
  })

  it('resumed by hand takes the rest of the day, and does not go on because of it', () => {
    const bad = sent(50, { bounced: 10 })
    const paused = review(warmUp({ step: 1, taken: 60 }), bad, day(15), rules).warmUp
    const going = resumed(paused)
    assert.equal(placesFor(going, 100), 40)
    assert.deepEqual(typesOf(review(going, bad, day(15), rules)), [])
    const next = review({ ...going, taken: 100 }, bad, day(16), rules)
    assert.deepEqual([typesOf(next), capOf(next.warmUp)], [[], 100])
  })

  it('paused by hand waits for a hand', () => {
    const paused = pausedByHand(warmUp({ step: 1 }), day(15))
    const next = review({ ...paused, taken: 50 }, sent(50), day(16), rules)
    assert.deepEqual([typesOf(next), next.warmUp.state, capOf(next.warmUp)], [[], 'paused', 50])
  })
})
