/**
 * Where mail waits in memory, found for who asks.
 */
import assert from 'node:assert/strict'
import type { HeldMessage } from '../../src/delivery/held-message.ts'
import type { Route } from '../../src/delivery/route.ts'
import { SiteRing } from '../../src/delivery/site-ring.ts'
import { whereabouts } from '../../src/delivery/whereabouts.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { manualClock } from '../support/manual-clock.ts'

const numbers = { connections: 1, messagesPerConnection: 100, perMinute: null }
const nobody = { at: () => [], named: () => null }

function routeTo(site: string): Route {
  return { kind: 'mx', key: `${site} from 192.0.2.1`, site, hosts: [], own: null }
}

describe('where mail waits', () => {
  it('is told of entries and lanes that were asked for, also where many sites share limits', () => {
    const clock = manualClock()
    const rules = [
      { suffix: 'provider.example', name: 'provider', shared: true, ...numbers },
      { suffix: '', ...numbers },
    ]
    const ring = new SiteRing({ clock, rules, maxAttempts: 0, open: () => true, run: () => {} })
    const entries = ['c1.provider.example', 'c2.provider.example', 'mx.own.example'].map((name, n) => {
      const leased = makeLeased({ ...makeMessage(), id: `m${n}` })
      const held = { message: leased.message } as unknown as HeldMessage
      ring.push(ring.site(routeTo(name)), { held, leased: [leased], route: routeTo(name) })
      return leased.entry.id
    })
    const full = ring.site(routeTo('mx.full.example'))
    full.park(['a.example', 'b.example'], clock.now() + 60_000)
    ring.site(routeTo('mx.idle.example'))

    const find = (sought: Partial<Parameters<typeof whereabouts>[1]>) =>
      whereabouts(
        { sites: ring.sites(), senders: nobody },
        { entries: [], domains: [], sites: [], slowed: [], ...sought },
      )
    const found = find({ entries: [entries[1]!, entries[2]!, 'other.0'], domains: ['b.example', 'other.example'] })
    assert.deepEqual(
      new Map(found.entries),
      new Map([
        [entries[1], 'c2.provider.example'],
        [entries[2], 'mx.own.example'],
      ]),
    )
    assert.deepEqual(found.lanes, [['b.example', 'mx.full.example']])
    assert.deepEqual(
      new Set(found.sites.map(({ site }) => site)),
      new Set(['c2.provider.example', 'mx.own.example', 'mx.full.example']),
    )
    assert.deepEqual(
      find({ sites: ['mx.idle.example'] }).sites.map(({ site }) => site),
      ['mx.idle.example'],
    )
    full.unpark()
    assert.deepEqual(find({ domains: ['b.example'] }).lanes, [])
  })
})
