import assert from 'node:assert/strict'
import { DnsTrouble, type Resolver, type TlsaRecord } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { findHostDane, secureMx, tlsaText } from '../../src/tls/dane.ts'
import { DomainPolicies } from '../../src/tls/domain-policies.ts'

const tlsa = (usage: number, selector: number, matchingType: number, octets: number): TlsaRecord => ({
  ...{ usage, selector, matchingType, data: Buffer.alloc(octets, 1) },
})
const sound = tlsa(3, 1, 1, 32)
const secure = true
const zone: Zone = {
  'a.example': { MX: [[10, 'mx.a.example']], secure },
  'mx.a.example': { A: ['192.0.2.1'], secure },
  '_25._tcp.mx.a.example': { TLSA: [sound], secure },
}

function partsOf(entries: Zone, validating = true) {
  const asked: string[] = []
  const inner = zoneResolver(entries)
  const tlsaLookup = (name: string) => {
    asked.push(name)
    return inner.tlsa(name)
  }
  return { resolver: { ...inner, tlsa: tlsaLookup, validating }, port: 25, ipv6: true, asked, fail: inner.fail }
}

async function daneOf(entries: Zone, host = 'mx.a.example') {
  const parts = partsOf(entries)
  const mx = await secureMx('a.example', parts)
  assert.ok(!(mx instanceof DnsTrouble))
  return mx === null ? null : findHostDane(host, mx, parts)
}

const noSts = { policy: null, trouble: null }

describe('the TLSA records of a host', () => {
  it('are found where everything that leads to them is vouched for', async () => {
    assert.deepEqual(await daneOf(zone), {
      ...{ kind: 'usable', base: 'mx.a.example', names: ['mx.a.example', 'a.example'] },
      ...{ records: [sound], strings: [tlsaText(sound)] },
    })
  })

  for (const name of ['a.example', 'mx.a.example', '_25._tcp.mx.a.example'])
    it(`do not count while nobody vouches for ${name}`, async () => {
      assert.equal(await daneOf({ ...zone, [name]: { ...zone[name], secure: false } }), null)
    })

  it('are not asked for at all through a resolver that is not trusted', async () => {
    const parts = partsOf(zone, false)
    const policies = new DomainPolicies({ dane: parts, sts: null, rules: [] })
    assert.equal(await policies.of('a.example', ['mx.a.example'], noSts), null)
    assert.deepEqual(parts.asked, [])
  })

  it('are not asked for where nobody vouches for the MX', async () => {
    const parts = partsOf({ ...zone, 'a.example': { MX: [[10, 'mx.a.example']] } })
    const policies = new DomainPolicies({ dane: parts, sts: null, rules: [] })
    assert.equal(await policies.of('a.example', ['mx.a.example'], noSts), null)
    assert.deepEqual(parts.asked, [])
  })

  it('make the host useless for now when they can not be looked up', async () => {
    const parts = partsOf(zone)
    parts.fail('_25._tcp.mx.a.example')
    const mx = await secureMx('a.example', parts)
    assert.ok(mx !== null && !(mx instanceof DnsTrouble))
    const found = await findHostDane('mx.a.example', mx, parts)
    assert.deepEqual([found?.kind, found?.base], ['failed', 'mx.a.example'])
  })

  // Their hosts were found by an answer whose TTL was over a moment later.
  for (const name of ['a.example', 'mx.a.example'])
    it(`can not be switched off by whoever breaks the second lookup of ${name}`, async () => {
      const parts = partsOf(zone)
      parts.fail(name)
      const policies = new DomainPolicies({ dane: parts, sts: null, rules: [] })
      const asked = await policies.of('a.example', ['mx.a.example'], noSts)
      assert.equal(asked?.dane.get('mx.a.example')?.kind, 'failed')
    })

  it('can not be switched off by whoever breaks the lookup of an alias', async () => {
    const parts = { ...partsOf(zone), ipv6: false }
    const resolver: Resolver = {
      ...parts.resolver,
      a: async () => ({ status: 'found', records: ['192.0.2.1'], ttl: 0, secure: false, end: 'mx.insecure.example' }),
      cname: name => Promise.reject(new DnsTrouble(name, 'SERVFAIL')),
    }
    const policies = new DomainPolicies({ dane: { ...parts, resolver }, sts: null, rules: [] })
    const asked = await policies.of('a.example', ['mx.a.example'], noSts)
    assert.equal(asked?.dane.get('mx.a.example')?.kind, 'failed')
  })

  it('do not count for a host that the MX does not name', async () => {
    assert.equal(await daneOf({ ...zone, 'a.example': { MX: [[10, 'other.a.example']], secure } }), null)
  })

  it('belong to the domain itself where it has no MX', async () => {
    const alone: Zone = { 'a.example': { A: ['192.0.2.1'], secure }, '_25._tcp.a.example': { TLSA: [sound], secure } }
    assert.equal((await daneOf(alone, 'a.example'))?.base, 'a.example')
  })

  for (const [title, found, kind] of [
    ['only usages that are not for SMTP', [tlsa(0, 0, 1, 32), tlsa(1, 1, 1, 32)], 'unusable'],
    ['an unknown selector', [tlsa(3, 2, 1, 32)], 'unusable'],
    ['an unknown matching type', [tlsa(3, 1, 3, 32)], 'unusable'],
    ['a digest of the wrong length', [tlsa(3, 1, 1, 31), tlsa(3, 1, 2, 32)], 'unusable'],
    ['nothing in it', [tlsa(2, 0, 0, 0)], 'unusable'],
    ['one that is sound among others', [tlsa(1, 1, 1, 32), sound], 'usable'],
  ] as const)
    it(`with ${title} are ${kind}`, async () => {
      assert.equal((await daneOf({ ...zone, '_25._tcp.mx.a.example': { TLSA: found, secure } }))?.kind, kind)
    })

  it('count by their strongest digest', async () => {
    const both = [tlsa(3, 1, 1, 32), tlsa(3, 1, 2, 64), tlsa(3, 0, 1, 32), tlsa(2, 1, 1, 32)]
    const found = await daneOf({ ...zone, '_25._tcp.mx.a.example': { TLSA: both, secure } })
    assert.deepEqual(found?.kind === 'usable' ? found.records.map(tlsaText) : found, both.slice(1).map(tlsaText))
  })

  it('may stand at the end of an alias or at its beginning', async () => {
    const alias: Zone = {
      'a.example': { MX: [[10, 'alias.a.example']], secure },
      'alias.a.example': { CNAME: 'mx.a.example', secure },
      'mx.a.example': { A: ['192.0.2.1'], secure },
    }
    const atEnd = await daneOf({ ...alias, '_25._tcp.mx.a.example': { TLSA: [sound], secure } }, 'alias.a.example')
    assert.deepEqual(atEnd?.kind === 'usable' && [atEnd.base, atEnd.names], [
      'mx.a.example',
      ['mx.a.example', 'alias.a.example', 'a.example'],
    ])
    const atBeginning = { ...alias, '_25._tcp.alias.a.example': { TLSA: [sound], secure } }
    assert.equal((await daneOf(atBeginning, 'alias.a.example'))?.base, 'alias.a.example')
  })
})
