import assert from 'node:assert/strict'
import { cachedResolver } from '../../src/dns/cached-resolver.ts'
import { DnsTrouble, type Resolver } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { manualClock } from '../support/manual-clock.ts'

function cached(zone: Zone, change: { entries?: number; maxAgeMs?: number } = {}) {
  const clock = manualClock()
  const zoned = zoneResolver(zone)
  const asked: string[] = []
  const counting: Resolver = {
    ...zoned,
    a(name) {
      asked.push(name)
      return zoned.a(name)
    },
  }
  const resolver = cachedResolver(counting, { entries: 100, maxAgeMs: 3_600_000, clock, ...change })
  return { resolver, zoned, clock, asked }
}

describe('the DNS cache', () => {
  it('keeps an answer for its TTL', async () => {
    const { resolver, clock, asked } = cached({ 'a.example': { A: ['192.0.2.1'], ttl: 60 } })
    await resolver.a('a.example')
    await clock.advance(59_999)
    await resolver.a('A.EXAMPLE')
    assert.equal(asked.length, 1)
    await clock.advance(1)
    await resolver.a('a.example')
    assert.equal(asked.length, 2)
  })

  it('keeps no answer longer than the bound', async () => {
    const { resolver, clock, asked } = cached({ 'a.example': { A: ['192.0.2.1'], ttl: 86_400 } }, { maxAgeMs: 10_000 })
    await resolver.a('a.example')
    await clock.advance(10_000)
    await resolver.a('a.example')
    assert.equal(asked.length, 2)
  })

  it('keeps absence for a minute at most', async () => {
    const { resolver, zoned, clock } = cached({})
    assert.equal((await resolver.a('a.example')).status, 'nxdomain')
    zoned.set('a.example', { A: ['192.0.2.1'] })
    await clock.advance(59_000)
    assert.equal((await resolver.a('a.example')).status, 'nxdomain')
    await clock.advance(1000)
    assert.equal((await resolver.a('a.example')).status, 'found')
  })

  it('keeps trouble for seconds', async () => {
    const { resolver, zoned, clock, asked } = cached({})
    zoned.fail('a.example')
    await assert.rejects(resolver.a('a.example'), DnsTrouble)
    await assert.rejects(resolver.a('a.example'), DnsTrouble)
    assert.equal(asked.length, 1)
    zoned.set('a.example', { A: ['192.0.2.1'] })
    await clock.advance(3000)
    assert.equal((await resolver.a('a.example')).status, 'found')
  })

  it('asks once for all who wait', async () => {
    const { resolver, asked } = cached({ 'a.example': { A: ['192.0.2.1'] } })
    await Promise.all([resolver.a('a.example'), resolver.a('a.example'), resolver.a('a.example')])
    assert.equal(asked.length, 1)
  })

  it('keeps the types of a name apart', async () => {
    const { resolver } = cached({ 'a.example': { A: ['192.0.2.1'], TXT: ['x'] } })
    assert.deepEqual((await resolver.a('a.example')).records, ['192.0.2.1'])
    assert.deepEqual((await resolver.txt('a.example')).records, ['x'])
    assert.equal((await resolver.mx('a.example')).status, 'nodata')
  })

  it('forgets the least used beyond its size', async () => {
    const zone = {
      'a.example': { A: ['192.0.2.1'] },
      'b.example': { A: ['192.0.2.2'] },
      'c.example': { A: ['192.0.2.3'] },
    }
    const { resolver, asked } = cached(zone, { entries: 2 })
    for (const name of ['a.example', 'b.example', 'a.example', 'c.example', 'a.example', 'b.example'])
      await resolver.a(name)
    assert.deepEqual(asked, ['a.example', 'b.example', 'c.example', 'b.example'])
  })
})
