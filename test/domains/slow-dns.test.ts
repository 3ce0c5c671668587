import assert from 'node:assert/strict'
import type { Resolver } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { openWorld } from './world.ts'

describe('the check of a domain behind silent name servers', () => {
  it('ends after 20 s, with what could not be asked as a DNS error', async () => {
    const zone = zoneResolver({ 'ours.example': { TXT: ['v=spf1 include:silent.example ~all'] } })
    const asked = Promise.withResolvers<void>()
    const silent: Resolver = {
      ...zone,
      txt(name) {
        if (name !== 'silent.example') return zone.txt(name)
        asked.resolve()
        return new Promise(() => {})
      },
    }
    await using world = await openWorld({}, { resolver: silent })
    const registering = world.domains.register({ name: 'ours.example', account: 'a1' })
    await asked.promise
    await world.clock.advance(20_000)
    const { spf, records } = await registering
    assert.equal(spf, 'dns-error')
    assert.match(records[0]!.message.en, /silent\.example failed: .* more than 20 s/)
  })
})
