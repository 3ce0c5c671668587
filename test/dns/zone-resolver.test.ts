import assert from 'node:assert/strict'
import { DnsTrouble } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'

describe('a zone resolver', () => {
  it('joins the character-strings of a TXT record', async () => {
    const resolver = zoneResolver({ 'a.example': { TXT: [['v=spf1 ', '~all'], 'other'], ttl: 60 } })
    assert.deepEqual(await resolver.txt('A.Example'), { status: 'found', records: ['v=spf1 ~all', 'other'], ttl: 60 })
  })

  it('keeps a missing name apart from a missing type', async () => {
    const resolver = zoneResolver({ 'a.b.example': { A: ['192.0.2.1'] } })
    assert.equal((await resolver.txt('a.b.example')).status, 'nodata')
    assert.equal((await resolver.txt('b.example')).status, 'nodata')
    assert.equal((await resolver.txt('c.b.example')).status, 'nxdomain')
  })

  it('follows CNAMEs with the smallest TTL', async () => {
    const resolver = zoneResolver({ 'a.example': { CNAME: 'b.example.', ttl: 30 }, 'b.example': { A: ['192.0.2.1'] } })
    assert.deepEqual(await resolver.a('a.example'), { status: 'found', records: ['192.0.2.1'], ttl: 30 })
    assert.deepEqual((await resolver.cname('a.example')).records, ['b.example'])
    assert.equal((await resolver.cname('b.example')).status, 'nodata')
  })

  it('answers reverse lookups of both families', async () => {
    const resolver = zoneResolver({
      '1.2.0.192.in-addr.arpa': { PTR: ['mail.example'] },
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR: ['six.example'] },
    })
    assert.deepEqual((await resolver.ptr('192.0.2.1')).records, ['mail.example'])
    assert.deepEqual((await resolver.ptr('2001:db8::1')).records, ['six.example'])
  })

  it('fails a name until it is set again', async () => {
    const resolver = zoneResolver({ 'a.example': { A: ['192.0.2.1'] } })
    resolver.fail('a.example')
    await assert.rejects(resolver.a('a.example'), DnsTrouble)
    resolver.set('a.example', { A: ['192.0.2.2'] })
    assert.deepEqual((await resolver.a('a.example')).records, ['192.0.2.2'])
    resolver.remove('a.example')
    assert.equal((await resolver.a('a.example')).status, 'nxdomain')
  })
})
