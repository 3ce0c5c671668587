/**
 * The relay's own records against a zone: each as it should be, then each in the ways it goes wrong.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { loadConfig } from '../../src/base/config.ts'
import { createSeal } from '../../src/base/seal.ts'
import type { Authority, Said } from '../../src/dns/authority.ts'
import { cachedResolver } from '../../src/dns/cached-resolver.ts'
import { addressOfReverseName } from '../../src/dns/reverse-name.ts'
import type { ZoneEntry } from '../../src/dns/zone.ts'
import { type ZoneResolver, zoneResolver } from '../../src/dns/zone-resolver.ts'
import { openRelayDns, type RelayDns, type RelayRecordView, type RelayView } from '../../src/domains/relay-dns.ts'
import { manualClock } from '../support/manual-clock.ts'

const host = 'relay.example'
const bounceHost = 'bounce.relay.example'
const reverse = '25.2.0.192.in-addr.arpa'
const reverse6 = `5.2.${'0.'.repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa`

async function open(authority: Authority | null = null) {
  const clock = manualClock()
  const defaults = loadConfig([], {})
  const config = {
    ...defaults,
    hostname: host,
    relayDomain: { name: host, bounceHost },
    signing: { ...defaults.signing, rsaBits: 1024 as const },
    spf: { ...defaults.spf, sendingIps: ['192.0.2.25', '2001:db8::25'] },
  }
  const settings = new Map<string, string>()
  const store = {
    setting: async (name: string) => settings.get(name) ?? null,
    initSetting: async (name: string, value: string) => settings.set(name, settings.get(name) ?? value).get(name)!,
    setSetting: async () => {},
  }
  const zone = zoneResolver({})
  const resolver = cachedResolver(zone, { entries: 100, maxAgeMs: 3_600_000, clock })
  return {
    zone,
    relay: await openRelayDns({ store, resolver, authority, seal: createSeal(randomBytes(32)), clock, config }),
  }
}

/** What an operator who does as told publishes. */
function publish(zone: ZoneResolver, { records }: RelayView): void {
  const entries = new Map<string, Record<string, unknown[]>>()
  for (const { name, type, value } of records) {
    const entry = entries.get(name) ?? {}
    const [preference, exchange] = value.split(' ')
    const data = type === 'MX' ? [Number(preference), exchange] : value
    entries.set(name, { ...entry, [type]: [...(entry[type] ?? []), data] })
  }
  for (const [name, entry] of entries) zone.set(name, entry as ZoneEntry)
}

function find({ records }: RelayView, label: string): RelayRecordView {
  return records.find(({ type, name }) => `${name} ${type}` === label) ?? assert.fail(label)
}

describe('the records of the relay itself in DNS', () => {
  it('are told to be missing in an empty zone, each with what to publish', async () => {
    const { relay } = await open()
    const { hostname, sendingIps, records } = await relay.view()
    assert.deepEqual([hostname, sendingIps], [host, ['192.0.2.25', '2001:db8::25']])
    assert.deepEqual(
      records.map(({ purpose, type, state, reason }) => `${purpose} ${type} ${state} ${reason}`),
      [
        'address A not-published absent',
        'address AAAA not-published absent',
        'ptr PTR not-published ptr-absent',
        'ptr PTR not-published ptr-absent',
        'spf TXT not-published absent',
        'return-path MX not-published absent',
        'spf TXT not-published absent',
        'dkim TXT not-published absent',
        'dmarc TXT not-published absent',
        'tls-reports TXT not-published absent',
        'tls-reports TXT not-published absent',
      ],
    )
    for (const { message, fix, value } of records) {
      for (const text of [message.ja, message.en, fix.ja, fix.en]) assert.doesNotMatch(text, /\{\w+\}/)
      assert.ok(fix.ja.includes(value) && fix.en.includes(value), fix.en)
    }
    assert.match(records[0]!.fix.en, /^Add this A record at relay\.example: 192\.0\.2\.25$/)
    assert.match(records[7]!.name, /^\d{8}\._domainkey\.relay\.example$/)
  })

  it('are all published once an operator has done as told', async () => {
    const { zone, relay } = await open()
    publish(zone, await relay.view())
    const { records } = await relay.verify()
    for (const { state, reason, name } of records) assert.deepEqual([state, reason], ['published', 'ok'], name)
  })

  it('about TLS reports are optional, and judged by meaning', async () => {
    const { zone, relay } = await open()
    publish(zone, await relay.view())
    const wish = `_smtp._tls.${bounceHost}`
    const { records } = await relay.verify()
    const optional = records.filter(record => record.optional)
    assert.deepEqual(
      optional.map(({ purpose }) => purpose),
      ['tls-reports', 'tls-reports'],
    )
    const [key] = optional
    const judged = async (name: string, ...TXT: string[]) => {
      zone.set(name, { TXT })
      const record = (await relay.verify()).records.find(one => one.name === name)!
      return [record.state, record.reason, record.value]
    }
    const other = 'v=TLSRPTv1;rua=https://reports.example/tls'
    assert.deepEqual(await judged(wish, other), ['published', 'ok', other], "the operator's own choice stays")
    assert.equal((await judged(wish, other, other))[1], 'two-records')
    assert.equal((await judged(wish, 'v=TLSRPTv1; ruf=x'))[1], 'syntax')
    assert.equal((await judged(key!.name, key!.value.replace('s=tlsrpt; ', '')))[0], 'published', 'any service')
    assert.equal((await judged(key!.name, key!.value.replace('tlsrpt', 'email')))[1], 'syntax')
    assert.equal((await judged(key!.name, 'v=DKIM1; s=tlsrpt; p=AAAA'))[1], 'key-differs')
  })

  it('are seen anew by verify, from the cache by view', async () => {
    const { zone, relay } = await open()
    const states = async (look: 'view' | 'verify') =>
      new Set((await relay[look]()).records.map(record => record.state)).values().next().value
    assert.equal(await states('view'), 'not-published')
    publish(zone, await relay.view())
    assert.equal(await states('view'), 'not-published')
    assert.equal(await states('verify'), 'published')
  })

  const mx = (...exchanges: [number, string][]): ZoneEntry => ({ MX: exchanges })
  type Case = readonly [
    what: string,
    label: string,
    entry: ZoneEntry,
    reason: string,
    value: string | null,
    text: RegExp,
  ]
  const ip = 'ip4:192.0.2.25 ip6:2001:db8::25'
  const cases: readonly Case[] = [
    ['a host at another address', `${host} A`, { A: ['192.0.2.99'] }, 'address-differs', '192.0.2.25', /192\.0\.2\.99/],
    ['a host with one more address', `${host} A`, { A: ['192.0.2.99', '192.0.2.25'] }, 'ok', '192.0.2.25', /published/],
    [
      'an address written at length',
      `${host} AAAA`,
      { AAAA: ['2001:0DB8:0:0::25'] },
      'ok',
      '2001:db8::25',
      /published/,
    ],
    [
      'the provider’s reverse name',
      `${reverse} PTR`,
      { PTR: ['host25.isp.example'] },
      'ptr-differs',
      host,
      /is host25\.isp\.example/,
    ],
    ['a reverse name among others', `${reverse} PTR`, { PTR: ['www.example', host] }, 'ok', host, /published/],
    [
      'an MX of somebody else',
      `${bounceHost} MX`,
      mx([10, 'mx.google.example']),
      'mx-elsewhere',
      `10 ${host}`,
      /10 mx\.google/,
    ],
    ['a null MX', `${bounceHost} MX`, mx([0, '']), 'mx-elsewhere', `10 ${host}`, /0 \./],
    ['one more MX', `${bounceHost} MX`, mx([5, 'backup.example'], [10, host]), 'ok', `10 ${host}`, /published/],
    [
      'an SPF record by name',
      `${host} TXT`,
      { A: ['192.0.2.25'], AAAA: ['2001:db8::25'], TXT: ['v=spf1 a -all'] },
      'ok',
      'v=spf1 a -all',
      /published/,
    ],
    [
      'an SPF record for others',
      `${bounceHost} TXT`,
      { TXT: ['v=spf1 ip4:192.0.2.99 ~all'] },
      'ip-not-covered',
      `v=spf1 ${ip} ip4:192.0.2.99 ~all`,
      /192\.0\.2\.25/,
    ],
    [
      'an SPF record that lets all pass',
      `${bounceHost} TXT`,
      { TXT: ['v=spf1 +all'] },
      'pass-all',
      `v=spf1 ${ip} -all`,
      /anybody/,
    ],
    [
      'two SPF records',
      `${bounceHost} TXT`,
      { TXT: ['v=spf1 a -all', 'v=spf1 mx ~all'] },
      'two-records',
      `v=spf1 ${ip} a mx -all`,
      /2 SPF/,
    ],
    [
      'a stricter DMARC record',
      `_dmarc.${host} TXT`,
      { TXT: ['v=DMARC1; p=reject'] },
      'ok',
      'v=DMARC1; p=reject',
      /published/,
    ],
    [
      'a broken DMARC record',
      `_dmarc.${host} TXT`,
      { TXT: ['v=DMARC1; p=maybe'] },
      'syntax',
      'v=DMARC1; p=none',
      /can not be read/,
    ],
  ]
  for (const [what, label, entry, reason, value, text] of cases) {
    it(`judge ${what} as ${reason}`, async () => {
      const { zone, relay } = await open()
      publish(zone, await relay.view())
      zone.set(label.split(' ')[0]!, entry)
      const record = find(await relay.verify(), label)
      assert.equal(record.reason, reason)
      if (value !== null) assert.equal(record.value, value)
      assert.match(record.message.en, text)
      assert.ok(record.found.length > 0)
    })
  }

  it('judge a key that differs, and one that is cut off', async () => {
    const { zone, relay } = await open()
    const key = (await relay.view()).records.find(({ purpose }) => purpose === 'dkim')!
    const reasonOf = async (text: string) => {
      zone.set(key.name, { TXT: [text] })
      return find(await relay.verify(), `${key.name} TXT`).reason
    }
    assert.equal(await reasonOf('v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb4'), 'key-differs')
    assert.equal(await reasonOf(key.value.slice(0, 100)), 'truncated')
  })

  it('judge a reverse name whose host is elsewhere as not confirmed', async () => {
    const { zone, relay } = await open()
    publish(zone, await relay.view())
    zone.set(host, { A: ['192.0.2.25'] })
    const record = find(await relay.verify(), `${reverse6} PTR`)
    assert.equal(record.reason, 'ptr-unconfirmed')
    assert.match(record.message.en, /2001:db8::25 is relay\.example, but relay\.example does not have/)
    assert.equal(find(await relay.verify(), `${reverse} PTR`).state, 'published')
  })

  it('are not called missing while nobody can say', async () => {
    const { zone, relay } = await open()
    const before = await relay.view()
    for (const { name } of before.records) zone.fail(name)
    for (const { state, name } of (await relay.verify()).records) assert.equal(state, 'dns-error', name)
  })

  it('are told with what is new in a live SPF record and what else changes', async () => {
    const { zone, relay } = await open()
    zone.set(bounceHost, { TXT: ['v=spf1 ip4:192.0.2.99 +all'] })
    const { value, parts, changes, lookups } = find(await relay.verify(), `${bounceHost} TXT`)
    assert.equal(value, `v=spf1 ${ip} ip4:192.0.2.99 -all`)
    assert.deepEqual(
      parts.filter(({ isNew }) => isNew).map(({ text }) => text),
      [ip, '-all'],
    )
    assert.match(changes.map(({ en }) => en).join(' '), /Changed \+all at the end to -all/)
    assert.equal(lookups?.after, 0)
  })

  describe('at their authoritative servers', () => {
    /** Each server shows a record of the zone, or nothing. */
    function serving(zone: () => ZoneResolver, lacks: (server: string, type: string) => boolean): Authority {
      const absent = { status: 'nodata', records: [], ttl: 600 } as const
      return {
        async ask(name, type) {
          const { ptr, a, aaaa, mx, txt } = zone()
          const look = { A: a, AAAA: aaaa, MX: mx, TXT: txt, PTR: async () => ptr(addressOfReverseName(name)!) }[
            type as 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR'
          ]
          const whole = await look(name)
          const witnesses = ['ns1.example', 'ns2.example'].map(server => {
            const said: Said = { kind: 'answer', alias: null, answer: lacks(server, type) ? absent : whole }
            return { server, address: '', name, said }
          })
          return { witnesses, fault: null }
        },
        close() {},
      }
    }

    async function openServed(lacks: (server: string, type: string) => boolean) {
      const opened: { zone: ZoneResolver; relay: RelayDns } = await open(serving(() => opened.zone, lacks))
      publish(opened.zone, await opened.relay.view())
      return opened
    }

    it('are published once each of them shows every record, whatever its type', async () => {
      const { relay } = await openServed(() => false)
      const { records } = await relay.verify()
      for (const { name, reason, servers, asked } of records) {
        assert.deepEqual([reason, servers.map(({ reason }) => reason)], ['ok', ['ok', 'ok']], name)
        assert.match(asked!.en, /^Each of 2 name servers was asked/)
      }
    })

    for (const lacking of ['A', 'PTR', 'MX', 'TXT']) {
      it(`are not published while one lags behind with its ${lacking} records`, async () => {
        const { relay } = await openServed((server, type) => server === 'ns2.example' && type === lacking)
        const records = (await relay.verify()).records.filter(({ type }) => type === lacking)
        assert.ok(records.length > 0)
        for (const { state, reason, value, found, servers, visibleAt } of records) {
          assert.deepEqual([state, reason], ['not-published', 'not-everywhere'])
          assert.ok(found.some(text => value.includes(text)))
          assert.deepEqual(
            servers.map(({ server, state }) => `${server} ${state}`),
            ['ns1.example published', 'ns2.example not-published'],
          )
          assert.equal(visibleAt, 600_000 + records[0]!.checkedAt)
        }
      })
    }

    it('are looked for at the resolver alone where nobody waits', async () => {
      const { relay } = await openServed(() => true)
      for (const { servers, asked } of (await relay.view()).records) {
        assert.deepEqual(servers, [])
        assert.match(asked!.en, /resolver/)
      }
    })
  })
})
