import assert from 'node:assert/strict'
import { DnsTrouble } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { findDestinations, readRecord } from '../../src/tls/report-record.ts'

const bounds = { maxDestinations: 4, anyPort: false }

function uris(record: string): string[] {
  return readRecord(record, bounds).map(({ uri }) => uri)
}

describe('the record of a domain that wants TLS reports', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['v=TLSRPTv1; rua=mailto:tls@a.example', ['mailto:tls@a.example']],
    ['v=TLSRPTv1;rua=mailto:tls@a.example;', ['mailto:tls@a.example']],
    ['v=TLSRPTv1 ; rua=https://a.example/v1/tlsrpt', ['https://a.example/v1/tlsrpt']],
    [
      'v=TLSRPTv1; rua=mailto:tls@a.example , https://a.example/?k=1; ext=x',
      ['mailto:tls@a.example', 'https://a.example/?k=1'],
    ],
    ['v=TLSRPTv1; rua=mailto:tls@a.example,mailto:tls@a.example', ['mailto:tls@a.example']],
    ['v=TLSRPTv1; rua=mailto:a%2Bb@a.example?subject=x', ['mailto:a%2Bb@a.example?subject=x']],
    ['v=TLSRPTv1; rua=mailto:tls,https://a.example/', ['https://a.example/']],
    ['v=TLSRPTv1; rua=http://a.example/,ftp://a.example/,https://u:p@a.example/,https://a.example:8443/', []],
    ['v=TLSRPTv1; rua=mailto:%ff@a.example', []],
    ['v=TLSRPTv1; rua=', []],
    ['v=TLSRPTv1; ruf=mailto:tls@a.example', []],
    ['v=TLSRPTv1; rua=mailto:tls@a.example; nonsense', []],
    [`v=TLSRPTv1; rua=${Array.from({ length: 9 }, (_, n) => `mailto:t${n}@a.example`).join()}`, []],
  ]
  for (const [record, expected] of table)
    it(`is read: ${record.slice(0, 90)}`, () => {
      const found = uris(record)
      if (record.includes('t8@')) assert.equal(found.length, 4, 'strangers decide how many there are')
      else assert.deepEqual(found, expected)
    })

  it('decodes the mail address', () => {
    const [one] = readRecord('v=TLSRPTv1; rua=mailto:a%2Bb@a.example?subject=x', bounds)
    assert.ok(one?.kind === 'mailto')
    assert.equal(one.address, 'a+b@a.example')
  })

  it('stands alone, or counts as none', async () => {
    const wanted = 'v=TLSRPTv1; rua=mailto:tls@a.example'
    const resolver = zoneResolver({
      '_smtp._tls.one.example': { TXT: ['v=spf1 -all', wanted] },
      '_smtp._tls.two.example': { TXT: [wanted, 'v=TLSRPTv1; rua=mailto:other@a.example'] },
      '_smtp._tls.other.example': { TXT: ['v=TLSRPTv2; rua=mailto:tls@a.example'] },
    })
    const found = async (domain: string) => (await findDestinations(domain, { resolver, ...bounds })).length
    assert.deepEqual(
      [
        await found('one.example'),
        await found('two.example'),
        await found('other.example'),
        await found('[192.0.2.1]'),
      ],
      [1, 0, 0, 0],
    )
    resolver.fail('_smtp._tls.broken.example')
    await assert.rejects(found('broken.example'), DnsTrouble)
  })
})
