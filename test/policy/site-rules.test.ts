import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import { providerRules } from '../../src/policy/provider-rules.ts'
import { sharedName, siteRule, siteRules } from '../../src/policy/site-rules.ts'
import { workerShare } from '../../src/policy/worker-share.ts'

const rule = (suffix: string, connections: number) => ({
  suffix,
  connections,
  messagesPerConnection: 100,
  perMinute: null,
})
const rules = [rule('', 20), rule('docomo.example', 2), rule('.google.example', 10), rule('L.Google.example', 5)]

describe('the rule of a site', () => {
  for (const [hosts, connections] of [
    [['mx.docomo.example'], 2],
    [['docomo.example'], 2],
    [['a.other.example', 'mx.docomo.example'], 2],
    [['alt1.l.google.example'], 10],
    [['notgoogle.example'], 20],
    [['mx.docomo.example.org'], 20],
    [[], 20],
  ] as const)
    it(`of ${hosts.join(' and ') || 'nobody'} allows ${connections} connections`, () => {
      assert.equal(siteRule(rules, hosts).connections, connections)
    })

  it('is the one for everybody else when the list has none', () => {
    assert.deepEqual(siteRule([rule('docomo.example', 2)], ['mx.other.example']), {
      suffix: '',
      connections: 20,
      messagesPerConnection: 100,
      perMinute: null,
    })
  })
})

describe('the rules that Kitte ships', () => {
  const all = siteRules([{ suffix: 'yahoodns.net', connections: 3, messagesPerConnection: 5, perMinute: 60 }])

  for (const [host, name] of [
    ['gmail-smtp-in.l.google.com', 'gmail'],
    ['aspmx.l.google.com', 'gmail'],
    ['smtp.google.com', 'gmail'],
    ['example-com.mail.protection.outlook.com', 'microsoft'],
    ['hotmail-com.olc.protection.outlook.com', 'microsoft'],
    ['example-com.x-v1.mx.microsoft', 'microsoft'],
    ['mx1.mail.yahoo.co.jp', 'yahoo-japan'],
    ['mfsmax.docomo.ne.jp', 'docomo'],
    ['lsean.ezweb.ne.jp', 'au'],
    ['mx.softbank.ne.jp', 'softbank'],
    ['mx.i.softbank.jp', 'softbank'],
    ['mx01.mail.icloud.com', 'icloud'],
    ['mxa-00000001.gslb.pphosted.com', 'proofpoint'],
    ['notgoogle.com', undefined],
  ] as const)
    it(`know ${host} as ${name ?? 'nobody special'}`, () => {
      const rule = siteRule(all, [host])
      assert.deepEqual([rule.name, sharedName(rule)], [name, name ?? null])
    })

  it('give way to the configuration, which keeps a provider together unless it says otherwise', () => {
    const rule = siteRule(all, ['mta5.am0.yahoodns.net'])
    assert.deepEqual([rule.connections, rule.perMinute, sharedName(rule)], [3, 60, 'yahoo'])
    const apart = siteRules([
      { suffix: 'yahoodns.net', shared: false, connections: 3, messagesPerConnection: 5, perMinute: 60 },
    ])
    assert.equal(sharedName(siteRule(apart, ['mta5.am0.yahoodns.net'])), null)
  })

  it('have a name of their own, a suffix of their own and a reason for each number, in both languages', () => {
    const names = providerRules.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    const suffixes = providerRules.flatMap(rule => rule.suffixes)
    assert.equal(new Set(suffixes).size, suffixes.length)
    for (const { name, connections, messagesPerConnection, perMinute } of providerRules)
      for (const { value, basis, source, ja, en } of [connections, messagesPerConnection, perMinute]) {
        assert.ok(value === null || (Number.isInteger(value) && value >= 1), name)
        assert.match(ja, /[ぁ-ん].*。$/, name)
        assert.match(en, /^[A-Z].*[.]$/, name)
        assert.equal(basis === 'published', source !== undefined, name)
      }
  })
})

describe('the share of a worker', () => {
  const config = {
    ...loadConfig([]),
    sites: [{ suffix: '', connections: 21, messagesPerConnection: 100, perMinute: 7 }],
  }

  it('holds the rules that Kitte ships, and all shares together are what they say', () => {
    const shares = [0, 1].map(number => workerShare(config, number, 2).sites)
    for (const [index, rule] of siteRules(config.sites).entries()) {
      const parts = shares.map(share => share[index]!)
      assert.equal(parts[0]!.connections + parts[1]!.connections, rule.connections)
      assert.deepEqual(
        parts.map(({ suffix }) => suffix),
        [rule.suffix, rule.suffix],
      )
    }
  })

  it('is never nothing', () => {
    for (const rule of workerShare(config, 6, 7).sites) assert.ok(rule.connections >= 1 && (rule.perMinute ?? 1) >= 1)
  })
})
