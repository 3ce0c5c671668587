import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import { type RelayRecordConfig, relayRecords } from '../../src/domains/relay-records.ts'

const defaults = loadConfig([], {})
const key = {
  purpose: 'dkim',
  type: 'TXT',
  name: '20260115._domainkey.relay.example.jp',
  value: 'v=DKIM1; p=x',
} as const

function recordsWith(sendingIps: string[], change: Partial<RelayRecordConfig> = {}): string[] {
  const config = { ...defaults, ...change, spf: { ...defaults.spf, sendingIps } }
  return relayRecords(key, config).map(({ type, name, value }) => `${name} ${type} ${value}`)
}

describe('the records of the relay itself', () => {
  it('are its host, with the way back, SPF for its names, the MX of bounces, its key and DMARC', () => {
    assert.deepEqual(recordsWith(['192.0.2.1', '2001:db8::1']), [
      'relay.example.jp A 192.0.2.1',
      'relay.example.jp AAAA 2001:db8::1',
      '1.2.0.192.in-addr.arpa PTR relay.example.jp',
      `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa PTR relay.example.jp`,
      'relay.example.jp TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all',
      'bounce.relay.example.jp MX 10 relay.example.jp',
      'bounce.relay.example.jp TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all',
      '20260115._domainkey.relay.example.jp TXT v=DKIM1; p=x',
      '_dmarc.relay.example.jp TXT v=DMARC1; p=none',
      '20260115-tlsrpt._domainkey.relay.example.jp TXT v=DKIM1; s=tlsrpt; p=x',
      '_smtp._tls.bounce.relay.example.jp TXT v=TLSRPTv1; rua=mailto:postmaster@relay.example.jp',
    ])
  })

  it('go by the name where no address is configured', () => {
    const texts = recordsWith([]).filter(text => text.includes('spf1'))
    assert.deepEqual(texts, [
      'relay.example.jp TXT v=spf1 a:relay.example.jp -all',
      'bounce.relay.example.jp TXT v=spf1 a:relay.example.jp -all',
    ])
  })

  it('are asked for once where bounces come back to the host itself', () => {
    const relayDomain = { name: 'relay.example.jp', bounceHost: 'relay.example.jp' }
    const texts = recordsWith(['192.0.2.1'], { relayDomain }).filter(text => text.includes('spf1'))
    assert.deepEqual(texts, ['relay.example.jp TXT v=spf1 ip4:192.0.2.1 -all'])
  })
})
