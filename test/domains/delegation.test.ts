/**
 * Where a sender domain's DNS is edited: its zone and name servers, as they are seen at a verification.
 */
import assert from 'node:assert/strict'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { findDelegation } from '../../src/domains/delegation.ts'
import { openWorld } from './world.ts'

const hosts = ['ns2.xserver.jp', 'ns1.xserver.jp']
const sorted = hosts.toSorted()

describe('the delegation of a domain', () => {
  it('is that of the nearest zone above it, up to the registered domain', async () => {
    const resolver = zoneResolver({
      'shop.co.jp': { NS: hosts },
      'own.shop.co.jp': { NS: ['ns.example.jp'] },
      'co.jp': { NS: ['a.dns.jp'] },
    })
    const at = (name: string) => findDelegation(resolver, name)
    assert.deepEqual(await at('shop.co.jp'), { zone: 'shop.co.jp', nameServers: sorted })
    assert.deepEqual(await at('a.b.shop.co.jp'), { zone: 'shop.co.jp', nameServers: sorted })
    assert.deepEqual(await at('mail.own.shop.co.jp'), { zone: 'own.shop.co.jp', nameServers: ['ns.example.jp'] })
    assert.equal(await at('other.co.jp'), null, 'never the registry')
  })

  it('is seen at a verification and told with the provider', async () => {
    await using world = await openWorld({ 'ours.example': { NS: hosts } })
    const view = await world.domains.register({ name: 'mail.ours.example', account: 'a1' })
    assert.deepEqual([view.zone, view.nameServers, view.provider?.id], ['ours.example', sorted, 'xserver'])
    world.resolver.set('ours.example', { NS: ['damien.ns.cloudflare.com'] })
    assert.equal((await world.domains.verify('mail.ours.example')).provider?.id, 'cloudflare')
  })

  it('is null until somebody could say, and stays while nobody can', async () => {
    await using world = await openWorld()
    world.resolver.fail('ours.example')
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    assert.deepEqual([view.zone, view.nameServers, view.provider], [null, [], null])
    world.resolver.set('ours.example', { NS: ['ns.example.jp'] })
    const seen = await world.domains.verify('ours.example')
    assert.deepEqual([seen.zone, seen.nameServers, seen.provider], ['ours.example', ['ns.example.jp'], null])
    world.resolver.fail('ours.example')
    assert.equal((await world.domains.verify('ours.example')).zone, 'ours.example')
  })
})
