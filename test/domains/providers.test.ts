/**
 * Recognition of DNS providers by their name servers, and records in the form their panels want.
 */
import assert from 'node:assert/strict'
import { panelEntry } from '../../src/domains/panel-entry.ts'
import { providerOf, providers } from '../../src/domains/providers.ts'

const known: readonly (readonly [provider: string, ...nameServers: string[]])[] = [
  ['onamae', '01.dnsv.jp', '02.dnsv.jp', '03.dnsv.jp', '04.dnsv.jp'],
  ['onamae', 'dns1.onamae.com', 'dns2.onamae.com'],
  ['xserver', 'ns1.xserver.jp', 'ns2.xserver.jp', 'ns3.xserver.jp', 'ns4.xserver.jp', 'ns5.xserver.jp'],
  ['shin-server', 'ns1.shin-server.jp', 'ns2.shin-server.jp'],
  ['sakura', 'ns1.dns.ne.jp', 'ns2.dns.ne.jp'],
  ['sakura-cloud', 'ns1.gslb2.sakura.ne.jp', 'ns2.gslb2.sakura.ne.jp'],
  ['muumuu', 'dns01.muumuu-domain.com', 'dns02.muumuu-domain.com'],
  ['lolipop', 'uns01.lolipop.jp', 'uns02.lolipop.jp'],
  ['heteml', 'dns0.heteml.jp', 'dns1.heteml.jp'],
  ['conoha', 'ns-a1.conoha.io', 'ns-a2.conoha.io', 'ns-a3.conoha.io'],
  ['value-domain', 'ns11.value-domain.com', 'ns12.value-domain.com', 'ns13.value-domain.com'],
  ['star-domain', 'ns1.star-domain.jp', 'ns2.star-domain.jp'],
  ['kagoya', 'ns0.kagoya.net', 'ns1.kagoya.net'],
  ['cpi', 'ns1.cpi.ad.jp', 'ns2.cpi.ad.jp'],
  ['wadax', 'ns1.wadax.ne.jp', 'ns2.wadax.ne.jp'],
  ['cloudflare', 'damien.ns.cloudflare.com', 'sureena.ns.cloudflare.com'],
  ['route53', 'ns-155.awsdns-22.com', 'ns-326.awsdns-15.net', 'ns-1352.awsdns-29.org', 'ns-1536.awsdns-08.co.uk'],
  ['google-cloud', 'ns-cloud-a1.googledomains.com', 'ns-cloud-a2.googledomains.com'],
  ['azure', 'ns1-05.azure-dns.com', 'ns2-05.azure-dns.net', 'ns3-05.azure-dns.org', 'ns4-05.azure-dns.info'],
  ['godaddy', 'ns35.domaincontrol.com', 'ns36.domaincontrol.com'],
  ['squarespace', 'nsa1.squarespacedns.com', 'nsa2.squarespacedns.com'],
  ['wix', 'ns10.wixdns.net', 'ns11.wixdns.net'],
  ['namecheap', 'dns1.registrar-servers.com', 'dns2.registrar-servers.com'],
]

const strangers: readonly (readonly string[])[] = [
  [],
  ['ns1.example.jp', 'ns2.example.jp'],
  ['ns1.xserver.jp.example.com'],
  ['evilns1.xserver.jp'],
  ['ns.cloudflare.com.example'],
  ['ns1.notdns.ne.jp'],
  ['ns-1.awsdns-1.example'],
]

const text = { type: 'TXT', name: 'sel._domainkey.shop.example', value: 'v=DKIM1; k=rsa; p=abc' } as const

function provider(id: string) {
  return providers.find(one => one.id === id)!
}

describe('a DNS provider', () => {
  for (const [id, ...nameServers] of known)
    it(`${id} is known by ${nameServers[0]}`, () => {
      for (const host of nameServers) assert.equal(providerOf([host])?.id, id, host)
      assert.equal(providerOf(nameServers)?.id, id)
    })

  it('is looked for among all there are', () => {
    assert.deepEqual(new Set(known.map(([id]) => id)), new Set(providers.map(({ id }) => id)))
    assert.equal(new Set(providers.map(({ id }) => id)).size, providers.length)
  })

  for (const nameServers of strangers)
    it(`is nobody we know for ${nameServers.join(' ') || 'no name server'}`, () => {
      assert.equal(providerOf(nameServers), null)
    })

  it('is nobody while a domain moves from one to another', () => {
    assert.equal(providerOf(['ns1.xserver.jp', 'damien.ns.cloudflare.com']), null)
    assert.equal(providerOf(['ns1.xserver.jp', 'ns1.example.jp'])?.id, 'xserver', 'a secondary of their own')
  })

  it('has every word in both languages', () => {
    for (const { id, name, menu, fields, notes } of providers)
      for (const words of [name, menu, ...Object.values(fields ?? {}), ...(notes ?? [])])
        if (words !== undefined) assert.ok(words.ja.length > 0 && words.en.length > 0, id)
  })
})

describe('a record in a panel', () => {
  it('has the host without the zone, and the apex as the panel writes it', () => {
    const apex = { ...text, name: 'shop.example' }
    assert.equal(panelEntry(provider('conoha'), text, 'shop.example').host, 'sel._domainkey')
    assert.equal(panelEntry(provider('conoha'), apex, 'shop.example').host, '@')
    assert.equal(panelEntry(provider('xserver'), apex, 'shop.example').host, '')
    assert.equal(panelEntry(null, apex, 'shop.example').host, '@')
  })

  it('of a domain inside a zone keeps the labels between', () => {
    const below = { ...text, name: 'sel._domainkey.mail.shop.example' }
    assert.equal(panelEntry(provider('xserver'), below, 'shop.example').host, 'sel._domainkey.mail')
    assert.equal(panelEntry(provider('xserver'), below, 'other.example').host, below.name, 'not of this zone')
    assert.equal(
      panelEntry(provider('xserver'), { ...text, name: 'xshop.example' }, 'shop.example').host,
      'xshop.example',
    )
  })

  it('has its text in quoted strings of at most 255 characters where the panel wants that', () => {
    const value = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
    const { value: typed } = panelEntry(provider('route53'), { ...text, value }, 'shop.example')
    const strings = [...typed.matchAll(/"([^"]*)"/g)].map(match => match[1]!)
    assert.deepEqual(
      strings.map(string => string.length),
      [255, value.length - 255],
    )
    assert.equal(strings.join(''), value)
    assert.equal(typed, strings.map(string => `"${string}"`).join(' '))
    assert.equal(panelEntry(provider('cloudflare'), { ...text, value }, 'shop.example').value, value)
    assert.equal(panelEntry(provider('route53'), { ...text, value: 'a"b\\c' }, 'shop.example').value, '"a\\"b\\\\c"')
  })

  it('has a dot after a host name where the panel takes names for relative ones, and MX in two fields', () => {
    const alias = { type: 'CNAME', name: 'click.shop.example', value: 't.relay.example' } as const
    assert.equal(panelEntry(provider('sakura'), alias, 'shop.example').value, 't.relay.example.')
    assert.equal(panelEntry(provider('xserver'), alias, 'shop.example').value, 't.relay.example')
    assert.equal(panelEntry(provider('sakura'), text, 'shop.example').value, text.value)
    const mx = panelEntry(null, { type: 'MX', name: 'b.shop.example', value: '10 relay.example' }, 'shop.example')
    assert.deepEqual(mx, { host: 'b', value: 'relay.example', priority: '10', line: null })
  })

  it('is one line where the panel is a text', () => {
    const entry = (record: Parameters<typeof panelEntry>[1]) =>
      panelEntry(provider('value-domain'), record, 'shop.example').line
    assert.equal(entry(text), 'txt sel._domainkey v=DKIM1; k=rsa; p=abc')
    assert.equal(entry({ ...text, name: 'shop.example', value: 'v=spf1 $& ~all' }), 'txt @ v=spf1 $& ~all')
    assert.equal(entry({ type: 'CNAME', name: 'c.shop.example', value: 'x.example' }), 'cname c x.example.')
    assert.equal(entry({ type: 'MX', name: 'b.shop.example', value: '10 x.example' }), null)
  })
})
