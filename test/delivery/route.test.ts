/**
 * From recipients to routes: shared lookups, shared sites, stragglers.
 */
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import { createSeal } from '../../src/base/seal.ts'
import type { Decision } from '../../src/delivery/decision.ts'
import { Destinations } from '../../src/delivery/destinations.ts'
import { findRoutes } from '../../src/delivery/route.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { makeLeased, makeMessage } from '../outcome/make.ts'
import { type ManualClock, manualClock } from '../support/manual-clock.ts'

/** Public addresses, never connected to here: those for documentation are refused like private ones. */
const zone: Zone = {
  'one.example': { MX: [[10, 'mx.provider.example']] },
  'two.example': { MX: [[5, 'mx.provider.example']] },
  'own.example': { A: ['1.2.3.9', '10.0.0.1'] },
  'inside.example': { MX: [[10, 'mx.inside.example']] },
  'mx.inside.example': { A: ['10.0.0.1', '127.0.0.1'] },
  'many.example': { MX: Array.from({ length: 8 }, (_, n) => [10, `mx${n}.many.example`] as const) },
  ...Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`mx${n}.many.example`, { A: [`1.2.3.${n + 20}`] }])),
  'mx.provider.example': { A: ['1.2.3.1'] },
}
const lookup = { ipv6: true, maxHosts: 5, maxAddressesPerHost: 4, allowPrivateAddresses: false }
const byMx: Decision = {
  mode: 'sender-only',
  reason: '',
  dkim: 'relay',
  reversePath: 'verp',
  records: { spf: false, dkim: false },
  domain: null,
  own: null,
}

/** Counts MX questions; those of `slow` names wait until they are let go. */
function counting(resolver: Resolver, slow: ReadonlyMap<string, Promise<void>> = new Map()) {
  const asked: string[] = []
  const mx: Resolver['mx'] = async name => {
    asked.push(name)
    await slow.get(name)
    return resolver.mx(name)
  }
  return { asked, resolver: { ...resolver, mx } }
}

function partsFor(resolver: Resolver, clock: ManualClock) {
  const seal = createSeal(Buffer.alloc(32, 1))
  const config = loadConfig([], {})
  return { resolver, clock, lookup, seal, config, destinations: new Destinations(resolver, lookup, clock) }
}

function leasedFor(...domains: string[]) {
  const message = makeMessage()
  return domains.map((domain, n) => makeLeased(message, { address: `r${n}@${domain}` }, { id: `${message.id}.${n}` }))
}

async function routesOf(domains: string[], parts: ReturnType<typeof partsFor>, decision = byMx): Promise<string[][]> {
  const batches: string[][] = []
  for await (const batch of findRoutes(leasedFor(...domains), decision, parts))
    batches.push(
      batch.map(routed => {
        const where = 'failure' in routed ? routed.failure.kind : routed.route.site
        return `${where}: ${routed.leased.map(({ entry }) => entry.recipient.address).join(' ')}`
      }),
    )
  return batches
}

describe('routes', () => {
  it('bring recipients together whose domains share their MX hosts', async () => {
    const parts = partsFor(zoneResolver(zone), manualClock())
    assert.deepEqual(await routesOf(['one.example', 'own.example', 'two.example', 'gone.example'], parts), [
      [
        'mx.provider.example: r0@one.example r2@two.example',
        'own.example: r1@own.example',
        'no-domain: r3@gone.example',
      ],
    ])
  })

  it('never lead to private addresses', async () => {
    const parts = partsFor(zoneResolver(zone), manualClock())
    assert.deepEqual(await routesOf(['inside.example'], parts), [['private-address: r0@inside.example']])
    const smtp = { host: 'mx.inside.example', port: 587, tls: 'required', username: 'u', sealedPassword: '' } as const
    const own: Decision = { ...byMx, mode: 'own-smtp', own: { smtp, sender: 'a@ours.example' } }
    assert.deepEqual(await routesOf(['one.example'], parts, own), [['private-address: r0@one.example']])
  })

  it('name a site by all its hosts, also those that are not tried', async () => {
    const parts = partsFor(zoneResolver(zone), manualClock())
    const destination = await parts.destinations.find('many.example')
    assert.ok('site' in destination)
    assert.equal(destination.hosts.length, 5)
    assert.equal(destination.site.split(',').length, 8)
  })

  it('name it by what is a host name, and ask for these names once', async () => {
    const { resolver, asked } = counting(
      zoneResolver({
        ...zone,
        'odd.example': {
          MX: [
            [5, 'evil\x1b]0;'],
            [10, 'mx.provider.example'],
          ],
        },
      }),
    )
    const destination = await partsFor(resolver, manualClock()).destinations.find('odd.example')
    assert.ok('site' in destination)
    assert.equal(destination.site, 'mx.provider.example')
    assert.equal(asked.filter(name => name === 'odd.example').length, 1)
  })

  it('do not keep others waiting for one broken domain', async () => {
    const clock = manualClock()
    let answer = () => {}
    const slow = new Map([['slow.example', new Promise<void>(resolve => (answer = resolve))]])
    const { resolver } = counting(zoneResolver({ ...zone, 'slow.example': zone['one.example']! }), slow)
    const parts = partsFor(resolver, clock)
    const routes = findRoutes(leasedFor('one.example', 'slow.example'), byMx, parts)
    const first = routes.next()
    await clock.advance(500)
    const { value } = await first
    assert.deepEqual(
      (value ?? []).map((routed: { leased: readonly unknown[] }) => routed.leased.length),
      [1],
    )
    answer()
    const second = await routes.next()
    assert.equal(second.done, false)
    assert.equal((await routes.next()).done, true)
  })
})

describe('destinations', () => {
  it('are looked up once for everyone who asks within half a minute', async () => {
    const clock = manualClock()
    const { asked, resolver } = counting(zoneResolver(zone))
    const { destinations } = partsFor(resolver, clock)
    await Promise.all([destinations.find('one.example'), destinations.find('one.example')])
    const once = asked.length
    await clock.advance(29_999)
    await destinations.find('one.example')
    assert.equal(asked.length, once)
    await clock.advance(1)
    await destinations.find('one.example')
    assert.equal(asked.length, 2 * once)
  })

  it('that failed are asked for again after five seconds', async () => {
    const clock = manualClock()
    const resolver = zoneResolver(zone)
    const { destinations } = partsFor(resolver, clock)
    resolver.fail('one.example')
    assert.ok('failure' in (await destinations.find('one.example')))
    resolver.set('one.example', zone['one.example']!)
    assert.ok('failure' in (await destinations.find('one.example')))
    await clock.advance(5000)
    assert.ok('site' in (await destinations.find('one.example')))
    assert.equal(destinations.siteOf('one.example'), 'mx.provider.example')
  })

  it('that end in a bug are not remembered', async () => {
    const resolver = zoneResolver(zone)
    let bug = true
    const buggy: Resolver = {
      ...resolver,
      mx: name => (bug ? Promise.reject(new TypeError('oops')) : resolver.mx(name)),
    }
    const { destinations } = partsFor(buggy, manualClock())
    await assert.rejects(destinations.find('one.example'), TypeError)
    bug = false
    assert.ok('site' in (await destinations.find('one.example')))
  })
})
