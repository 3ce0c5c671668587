import assert from 'node:assert/strict'
import { judgeEverywhere, type Sighting, type Sightings } from '../../src/domains/everywhere.ts'
import { type Judgement, notPublished, published, unknown } from '../../src/domains/records/record-kind.ts'
import type { Check } from '../../src/mail/sender-domain.ts'

const right = published(['right'], { lookups: '2' })
const absent = notPublished('absent')
const wrong = notPublished('key-differs', ['wrong'])
const now = 1_000_000

function sighting(server: string, judgement: Judgement | null, ttl = 300, reason = 'timeout'): Sighting {
  const seen = judgement ?? { state: 'dns-error' as const, reason, found: [] }
  const { state, found } = seen
  return { server, address: '', name: 'ours.example', state, reason: seen.reason, found, ttl, judgement }
}

function verdict(change: Partial<Sightings>) {
  const { judgement, visibleAt } = judgeEverywhere({
    purpose: 'spf',
    servers: [],
    resolvers: [sighting('r1', right)],
    resolved: right,
    before: null,
    now,
    timeText: at => `at ${at}`,
    ...change,
  })
  const { state, reason, found, detail } = judgement
  return { said: `${state} ${reason}`, found, detail, wait: visibleAt === null ? null : (visibleAt - now) / 1000 }
}

function checked(change: Partial<Check>): Check {
  const check = { purpose: 'spf', name: 'ours.example', state: 'not-published', reason: 'not-yet-visible' } as const
  return { ...check, found: [], detail: {}, checkedAt: now - 60_000, ...change }
}

describe('a record judged by all who were asked', () => {
  const [ns1, ns2, ns3] = ['ns1', 'ns2', 'ns3']
  const cases: readonly [what: string, servers: Sighting[], said: string, wait: number | null][] = [
    ['is published when all servers have it', [sighting(ns1, right), sighting(ns2, right)], 'published ok', null],
    [
      'is not when one lacks it',
      [sighting(ns1, right), sighting(ns2, absent, 120)],
      'not-published not-everywhere',
      120,
    ],
    [
      'waits for the longest',
      [sighting(ns1, wrong, 60), sighting(ns2, absent, 120), sighting(ns3, right)],
      'not-published not-everywhere',
      120,
    ],
    ['is published when the others are silent', [sighting(ns1, right), sighting(ns2, null)], 'published ok', null],
    [
      'is absent when all who answer lack it',
      [sighting(ns1, absent), sighting(ns2, null)],
      'not-published absent',
      null,
    ],
    [
      'is what is wrong with it rather than absent',
      [sighting(ns1, absent), sighting(ns2, wrong)],
      'not-published key-differs',
      null,
    ],
    [
      'is unknown when nobody can say',
      [sighting(ns1, right), sighting(ns2, unknown('include'))],
      'dns-error dns-error',
      null,
    ],
    [
      'is not published when one of them surely lacks it',
      [sighting(ns1, unknown('include')), sighting(ns2, absent)],
      'not-published absent',
      null,
    ],
    [
      'is what the resolvers say when no server answers',
      [sighting(ns1, null), sighting(ns2, null)],
      'published ok',
      null,
    ],
    ['is what the resolvers say when no server is known', [], 'published ok', null],
  ]
  for (const [what, servers, said, wait] of cases)
    it(what, () => {
      const found = verdict({ servers })
      assert.deepEqual([found.said, found.wait], [said, wait])
    })

  it('tells who has it and who does not, with the record as it stands', () => {
    const servers = [{ ...sighting(ns1, right), address: '192.0.2.1' }, sighting(ns2, absent, 120)]
    const { found, detail } = verdict({ servers })
    assert.deepEqual(found, ['right'])
    assert.deepEqual(detail, { lookups: '2', have: 'ns1 (192.0.2.1)', lack: 'ns2', visibleAt: `at ${now + 120_000}` })
  })

  it('tells which servers are silent', () => {
    const { detail } = verdict({ servers: [sighting(ns1, right), sighting(ns2, null)] })
    assert.deepEqual(detail, { lookups: '2', silent: 'ns2', notes: 'note-silent-servers' })
  })

  describe('that all servers have, but a resolver does not', () => {
    const servers = [sighting(ns1, right)]
    const resolvers = [sighting('r1', right), sighting('r2', wrong, 600), sighting('r3', absent, 90)]

    it('is not yet visible until caches have forgotten', () => {
      const { said, wait, detail, found } = verdict({ servers, resolvers })
      assert.deepEqual([said, wait, found], ['not-published not-yet-visible', 600, ['right']])
      assert.equal(detail.resolvers, 'r2, r3')
    })

    it('counts at once when it is a DKIM key, whose name nobody has asked for', () => {
      const { said, wait, detail } = verdict({ purpose: 'dkim', servers, resolvers })
      assert.deepEqual([said, wait, detail.notes], ['published ok', 600, 'note-visible-later'])
    })

    it('goes on to count when it counted before', () => {
      const { said, wait } = verdict({ servers, resolvers, before: checked({ state: 'published', reason: 'ok' }) })
      assert.deepEqual([said, wait], ['published ok', 600])
    })

    it('waits no longer than was said at first', () => {
      const { said, wait } = verdict({ servers, resolvers, before: checked({ visibleAt: now + 10_000 }) })
      assert.deepEqual([said, wait], ['not-published not-yet-visible', 10])
    })

    it('counts when the wait is over: that resolver has an answer of its own', () => {
      const { said, wait, detail } = verdict({ servers, resolvers, before: checked({ visibleAt: now }) })
      assert.deepEqual([said, wait, detail.notes], ['published ok', null, 'note-resolver-differs'])
      const later = checked({ state: 'published', reason: 'ok', detail: { notes: detail.notes! } })
      assert.equal(verdict({ servers, resolvers, before: later }).detail.notes, 'note-resolver-differs')
    })

    it('waits anew when it was missing in between', () => {
      const before = checked({ reason: 'absent', visibleAt: now })
      assert.deepEqual(verdict({ servers, resolvers, before }).said, 'not-published not-yet-visible')
    })

    it('waits a week at most, and for an absence three hours', () => {
      const year = 31_536_000
      assert.equal(verdict({ servers, resolvers: [sighting('r1', wrong, year)] }).wait, 604_800)
      assert.equal(verdict({ servers, resolvers: [sighting('r1', absent, year)] }).wait, 10_800)
    })

    it('is unknown when every resolver fails, as with signatures that do not verify; one may', () => {
      const failing = [sighting('r1', null), sighting('r2', null)]
      assert.equal(verdict({ servers, resolvers: failing, resolved: unknown('SERVFAIL') }).said, 'dns-error dns-error')
      const one = [sighting('r1', null), sighting('r2', right)]
      assert.equal(verdict({ servers, resolvers: one }).said, 'published ok')
    })
  })
})
