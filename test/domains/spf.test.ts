import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { Judgement, RecordConfig } from '../../src/domains/records/record-kind.ts'
import { spf } from '../../src/domains/records/spf.ts'
import { proposeSpf } from '../../src/domains/records/spf-merge.ts'
import { tellChange } from '../../src/domains/spf-changes.ts'
import { tellReason } from '../../src/domains/tell-reason.ts'
import type { Check } from '../../src/mail/sender-domain.ts'
import { domainWith } from './domain-with.ts'

const config: RecordConfig = {
  ...loadConfig([], {}),
  hostname: 'relay.example',
  spf: {
    mechanisms: ['ip4:198.51.100.20', 'include:spf.relay.example'],
    all: '~all',
    sendingIps: ['198.51.100.20'],
    acceptHardFail: false,
  },
}
const wanted = 'ip4:198.51.100.20 include:spf.relay.example'
const relay: Zone = { 'spf.relay.example': { TXT: ['v=spf1 ip4:198.51.100.0/24 ~all'] } }
const name = 'ours.example'

async function judge(zone: Zone, change: Partial<RecordConfig['spf']> = {}, failing: readonly string[] = []) {
  const resolver = zoneResolver({ ...relay, ...zone })
  for (const failed of failing) resolver.fail(failed)
  const used = { ...config, spf: { ...config.spf, ...change } }
  const domain = domainWith({ name })
  const judgement = await spf.judge(spf.expected(domain, used)[0]!, domain, resolver, used)
  return { judgement, value: valueAfter(judgement, used) }
}

/** What is asked for once this was found. */
function valueAfter(judgement: Judgement, used: RecordConfig): string {
  const check: Check = { purpose: 'spf', name, ...judgement, checkedAt: 0 }
  return spf.expected(domainWith({ name, checks: [check] }), used)[0]!.value
}

const record = (...texts: string[]): Zone => ({ [name]: { TXT: texts } })
/** With hosts, so that `a` and `mx` find something. */
const apexHosts = (...texts: string[]): Zone => ({
  [name]: { TXT: texts, A: ['203.0.113.1'], MX: [[1, 'mx.example']] },
  'mx.example': { A: ['203.0.113.2'] },
})
const chain = (count: number): Zone =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`i${i}.example`, { TXT: ['v=spf1 ?all'] }]))
const includes = (count: number) => Array.from({ length: count }, (_, i) => `include:i${i}.example`).join(' ')

type Case = readonly [
  sentence: string,
  zone: Zone,
  reason: string,
  value: string,
  change?: Partial<RecordConfig['spf']>,
  failing?: readonly string[],
]

const cases: readonly Case[] = [
  ['is published as issued', record(`v=spf1 ${wanted} ~all`), 'ok', `v=spf1 ${wanted} ~all`],
  ['is published in another order', record('v=spf1 include:spf.relay.example ip4:198.51.100.20 ~all'), 'ok', 'v=spf1 include:spf.relay.example ip4:198.51.100.20 ~all'],
  ['is published in capitals with a trailing dot', record('V=SPF1 IP4:198.51.100.20 Include:SPF.Relay.Example. ~ALL'), 'ok', 'V=SPF1 IP4:198.51.100.20 Include:SPF.Relay.Example. ~ALL'],
  ['is published with a written plus', record(`v=spf1 +ip4:198.51.100.20 +include:spf.relay.example ~all`), 'ok', 'v=spf1 +ip4:198.51.100.20 +include:spf.relay.example ~all'],
  ['is published in several strings', { [name]: { TXT: [['v=spf1 ip4:198.51.100', '.20 include:spf.relay.example ~all']] } }, 'ok', `v=spf1 ${wanted} ~all`],
  ['is published beside other senders', record(`v=spf1 mx ip4:203.0.113.9 ${wanted} ~all`), 'ok', `v=spf1 mx ip4:203.0.113.9 ${wanted} ~all`],
  ['is published beside other TXT records', record('google-site-verification=x', `v=spf1 ${wanted} ~all`), 'ok', `v=spf1 ${wanted} ~all`],
  ['is published by a network around the address', record('v=spf1 ip4:198.51.100.0/24 include:spf.relay.example ~all'), 'ok', 'v=spf1 ip4:198.51.100.0/24 include:spf.relay.example ~all'],
  ['is published when an included record says it', { ...record('v=spf1 include:all.example ~all'), 'all.example': { TXT: [`v=spf1 ${wanted} ~all`] } }, 'ok', 'v=spf1 include:all.example ~all'],
  ['is published when a redirect leads to it', { ...record('v=spf1 redirect=_spf.ours.example'), '_spf.ours.example': { TXT: [`v=spf1 ${wanted} ~all`] } }, 'ok', 'v=spf1 redirect=_spf.ours.example'],
  ['is published with ?all', record(`v=spf1 ${wanted} ?all`), 'ok', `v=spf1 ${wanted} ?all`],
  ['is published without all', record(`v=spf1 ${wanted}`), 'ok', `v=spf1 ${wanted}`],
  ['is published with two spaces', record(`v=spf1  ${wanted}  ~all`), 'ok', `v=spf1  ${wanted}  ~all`],
  ['is published at the end of a CNAME', { [name]: { CNAME: 'other.example' }, 'other.example': { TXT: [`v=spf1 ${wanted} ~all`] } }, 'ok', `v=spf1 ${wanted} ~all`],
  ['is absent without TXT', { [name]: { A: ['203.0.113.1'] } }, 'absent', `v=spf1 ${wanted} ~all`],
  ['is absent among other TXT records', record('google-site-verification=x'), 'absent', `v=spf1 ${wanted} ~all`],
  ['is absent when only v=spf10 is there', record('v=spf10 ~all'), 'absent', `v=spf1 ${wanted} ~all`],
  ['is absent with its domain', {}, 'no-domain', `v=spf1 ${wanted} ~all`],
  ['does not count twice', record('v=spf1 mx ~all', `v=spf1 ${wanted} ~all`), 'two-records', `v=spf1 mx ${wanted} ~all`],
  ['does not count twice, and nothing of either is dropped', { ...chain(1), ...record('v=spf1 a mx -all', 'v=spf1 include:i0.example mx ~all'), ...apexHosts('v=spf1 a mx -all', 'v=spf1 include:i0.example mx ~all') }, 'two-records', `v=spf1 a mx include:i0.example ${wanted} ~all`],
  ['misses one mechanism, which goes before all', { ...record('v=spf1 mx ip4:198.51.100.20 ~all'), [name]: { TXT: ['v=spf1 mx ip4:198.51.100.20 ~all'], MX: [[1, 'm.example']] } }, 'mechanism-missing', 'v=spf1 mx ip4:198.51.100.20 include:spf.relay.example ~all'],
  ['misses both mechanisms', { ...record('v=spf1 ip4:203.0.113.0/24 ?all') }, 'mechanism-missing', `v=spf1 ip4:203.0.113.0/24 ${wanted} ?all`],
  ['misses them in a record of -all alone', record('v=spf1 -all'), 'mechanism-missing', `v=spf1 ${wanted} ~all`],
  ['misses them in a bare record', record('v=spf1'), 'mechanism-missing', `v=spf1 ${wanted} ~all`],
  ['misses them after all, where nothing is read', record(`v=spf1 ~all ${wanted}`), 'mechanism-missing', `v=spf1 ${wanted} ~all`],
  ['misses one that only softly passes', record('v=spf1 ip4:198.51.100.20 ~include:spf.relay.example ~all'), 'mechanism-missing', 'v=spf1 ip4:198.51.100.20 ~include:spf.relay.example include:spf.relay.example ~all'],
  ['misses them before a redirect', { ...record('v=spf1 redirect=_spf.ours.example'), '_spf.ours.example': { TXT: ['v=spf1 ip4:203.0.113.1 ~all'] } }, 'mechanism-missing', `v=spf1 ${wanted} redirect=_spf.ours.example`],
  ['does not cover another sending address', record(`v=spf1 ${wanted} ~all`), 'ip-not-covered', `v=spf1 ip4:203.0.113.77 ${wanted} ~all`, { sendingIps: ['198.51.100.20', '203.0.113.77'] }],
  ['does not cover a sending IPv6 address', record(`v=spf1 ${wanted} ~all`), 'ip-not-covered', `v=spf1 ip6:2001:db8::25 ${wanted} ~all`, { sendingIps: ['2001:db8::25'] }],
  ['does not cover an address it denies first', record(`v=spf1 -ip4:198.51.100.20 ${wanted} ~all`), 'ip-not-covered', 'v=spf1 ip4:198.51.100.20 -ip4:198.51.100.20 include:spf.relay.example ~all'],
  ['counts as unpublished under -all', record(`v=spf1 mx ${wanted} -all`), 'hard-fail', `v=spf1 mx ${wanted} ~all`],
  ['counts as published under -all where that is accepted', record(`v=spf1 ${wanted} -all`), 'ok', `v=spf1 ${wanted} -all`, { acceptHardFail: true }],
  ['counts as published under -all where that is what is issued', record(`v=spf1 ${wanted} -all`), 'ok', `v=spf1 ${wanted} -all`, { all: '-all' }],
  ['counts as unpublished under the -all of a redirect', { ...record('v=spf1 redirect=_spf.ours.example'), '_spf.ours.example': { TXT: [`v=spf1 ${wanted} -all`] } }, 'hard-fail', 'v=spf1 include:_spf.ours.example ~all'],
  ['lets anybody pass', record('v=spf1 mx +all'), 'pass-all', `v=spf1 mx ${wanted} ~all`],
  ['lets anybody pass without a sign', record(`v=spf1 ${wanted} all`), 'pass-all', `v=spf1 ${wanted} ~all`],
  ['takes too many lookups', { ...record(`v=spf1 ${includes(11)} ${wanted} ~all`), ...chain(11) }, 'too-many-lookups', '', { sendingIps: ['198.51.100.20'] }],
  ['takes too many lookups only after our address passed', { ...record(`v=spf1 ${wanted} ${includes(11)} ~all`), ...chain(11) }, 'ok', `v=spf1 ${wanted} ${includes(11)} ~all`],
  ['refers to too many names that do not exist', record(`v=spf1 a:x.example a:y.example a:z.example ${wanted} ~all`), 'void-lookups', `v=spf1 ${wanted} ~all`],
  ['includes a name without SPF', record(`v=spf1 include:gone.example ${wanted} ~all`), 'include-broken', `v=spf1 ${wanted} ~all`],
  ['includes a name with two records', { ...record(`v=spf1 include:two.example ${wanted} ~all`), 'two.example': { TXT: ['v=spf1 ~all', 'v=spf1 -all'] } }, 'include-broken', `v=spf1 ${wanted} ~all`],
  ['includes itself', record(`v=spf1 include:ours.example ${wanted} ~all`), 'include-loop', `v=spf1 ${wanted} ~all`],
  ['includes names that lead back to each other', { ...record(`v=spf1 include:one.example ${wanted} ~all`), 'one.example': { TXT: ['v=spf1 include:two.example ~all'] }, 'two.example': { TXT: ['v=spf1 include:one.example ~all'] } }, 'include-loop', `v=spf1 ip4:198.51.100.20 include:one.example include:spf.relay.example ~all`],
  ['includes a record that lets anybody pass', { ...record(`v=spf1 include:open.example ${wanted} ~all`), 'open.example': { TXT: ['v=spf1 +all'] } }, 'pass-all', `v=spf1 ${wanted} ~all`],
  ['redirects to a record that lets anybody pass', { ...record('v=spf1 redirect=open.example'), 'open.example': { TXT: ['v=spf1 all'] } }, 'pass-all', `v=spf1 ${wanted} ~all`],
  ['includes a name made of macros', { ...record('v=spf1 include:%{ir}.%{v}._spf.%{d2} ~all'), '20.100.51.198.in-addr._spf.ours.example': { TXT: [`v=spf1 ${wanted} ~all`] } }, 'ok', 'v=spf1 include:%{ir}.%{v}._spf.%{d2} ~all'],
  ['has a macro that is none', record(`v=spf1 exists:%i.ok.example ${wanted} ~all`), 'syntax', `v=spf1 ${wanted} ~all`],
  ['has a name that no receiver takes', record(`v=spf1 a:localhost ${wanted} ~all`), 'syntax', `v=spf1 ${wanted} ~all`],
  ['exists by a macro', { ...record('v=spf1 exists:%{i}._spf.ours.example ~all'), '198.51.100.20._spf.ours.example': { A: ['127.0.0.2'] } }, 'mechanism-missing', `v=spf1 exists:%{i}._spf.ours.example ${wanted} ~all`],
  ['denies our address before what is missing', record('v=spf1 -ip4:198.51.100.0/24 ?all'), 'mechanism-missing', 'v=spf1 ip4:198.51.100.20 -ip4:198.51.100.0/24 include:spf.relay.example ?all'],
  ['has terms after all, which stay there', record('v=spf1 ip4:203.0.113.1 ~all ip4:203.0.113.2'), 'mechanism-missing', `v=spf1 ip4:203.0.113.1 ${wanted} ~all ip4:203.0.113.2`],
  ['has no all, and gets none', record('v=spf1 ip4:203.0.113.1'), 'mechanism-missing', `v=spf1 ip4:203.0.113.1 ${wanted}`],
  ['repeats itself', record('v=spf1 ip4:203.0.113.1 IP4:203.0.113.1 ~all'), 'mechanism-missing', `v=spf1 ip4:203.0.113.1 ${wanted} ~all`],
  ['has room for our addresses only, not for our include', { ...record(`v=spf1 ${includes(10)} ~all`), ...chain(10) }, 'mechanism-missing', `v=spf1 ${includes(10)} ip4:198.51.100.20 ip4:198.51.100.0/24 ~all`],
  ['has our addresses in place of our include', record('v=spf1 ip4:198.51.100.0/24 ~all'), 'ok', 'v=spf1 ip4:198.51.100.0/24 ~all'],
  ['has no room for us', { ...record(`v=spf1 ${includes(10)} ~all`), ...chain(10), 'spf.relay.example': { TXT: ['v=spf1 a:out.relay.example ~all'] }, 'out.relay.example': { A: ['198.51.100.20'] } }, 'too-many-lookups', ''],
  ['takes too many lookups before us, and ends in -all after us', { ...record(`v=spf1 ${wanted} ${includes(11)} -all`), ...chain(11) }, 'hard-fail', `v=spf1 ${wanted} ${includes(11)} ~all`],
  ['joins a redirect with an all', { ...record('v=spf1 redirect=i0.example', 'v=spf1 ip4:203.0.113.1 ~all'), ...chain(1) }, 'two-records', `v=spf1 include:i0.example ip4:203.0.113.1 ${wanted} ~all`],
  ['has an unknown mechanism', record(`v=spf1 ipv4:203.0.113.1 ${wanted} ~all`), 'syntax', `v=spf1 ip4:203.0.113.1 ${wanted} ~all`],
  ['has a space after a colon', record(`v=spf1 include: spf.relay.example ip4:198.51.100.20 ~all`), 'syntax', 'v=spf1 include:spf.relay.example ip4:198.51.100.20 ~all'],
  ['has an address that is none', record(`v=spf1 ip4:198.51.100.256 ${wanted} ~all`), 'syntax', `v=spf1 ${wanted} ~all`],
  ['has a prefix that is none', record(`v=spf1 ip4:198.51.100.0/33 ${wanted} ~all`), 'syntax', `v=spf1 ${wanted} ~all`],
  ['has two redirects', record('v=spf1 redirect=a.example redirect=b.example'), 'syntax', `v=spf1 ${wanted} ~all`],
  ['was published with quotation marks', record(`"v=spf1 mx ${wanted} ~all"`), 'syntax', `v=spf1 mx ${wanted} ~all`],
  ['was published with a leading space', record(` v=spf1 mx ~all`), 'syntax', `v=spf1 mx ${wanted} ~all`],
  ['was published without v=', record(`spf1 ${wanted} ~all`), 'syntax', `v=spf1 ${wanted} ~all`],
  ['lost the space behind its version', record(`v=spf1ip4:203.0.113.1 ${wanted} ~all`), 'syntax', `v=spf1 ip4:203.0.113.1 ${wanted} ~all`],
  ['lost the space behind its version, before a misspelt address', record(`v=spf1ipv4:203.0.113.1 ${wanted} ~all`), 'syntax', `v=spf1 ip4:203.0.113.1 ${wanted} ~all`],
  ['can not be asked for', {}, 'dns-error', `v=spf1 ${wanted} ~all`, {}, [name]],
  ['can not be judged when an include can not be asked for', { ...record(`v=spf1 include:slow.example ${wanted} ~all`) }, 'dns-error', `v=spf1 include:slow.example ${wanted} ~all`, {}, ['slow.example']],
  ['is judged without a sending address by its mechanisms', record(`v=spf1 ${wanted} ~all`), 'ok', `v=spf1 ${wanted} ~all`, { sendingIps: [] }],
] // biome-ignore format: a table

describe('the SPF record of a sender domain', () => {
  for (const [sentence, zone, reason, value, change, failing] of cases) {
    it(`${sentence}: ${reason}`, async () => {
      const { judgement, value: asked } = await judge(zone, change, failing)
      assert.equal(judgement.reason, reason, JSON.stringify(judgement))
      const state = reason === 'ok' ? 'published' : reason === 'dns-error' ? 'dns-error' : 'not-published'
      assert.equal(judgement.state, state)
      assert.equal(asked, value)
    })
  }

  it('is published once the value asked for is there', async () => {
    for (const [sentence, zone, reason, value, change] of cases) {
      if (reason === 'ok' || reason === 'dns-error' || value === '') continue
      const { judgement } = await judge({ ...zone, ...chain(1), [name]: { ...zone[name], TXT: [value], MX: [[1, 'mx.example']], A: ['203.0.113.1'] }, 'mx.example': { A: ['203.0.113.2'] } }, change) // biome-ignore format: one line
      assert.equal(judgement.reason, 'ok', `${sentence}: ${value}: ${JSON.stringify(judgement)}`)
    }
  })

  it('tells what is missing, how many lookups it takes, and which address fails', async () => {
    const missing = await judge(record('v=spf1 a:a.example ip4:198.51.100.20 ~all'))
    assert.deepEqual(missing.judgement.detail, {
      lookups: '1',
      missing: 'include:spf.relay.example',
      merged: '2',
      after: '2',
      limit: '10',
    })
    const uncovered = await judge(record(`v=spf1 ${wanted} ~all`), { sendingIps: ['203.0.113.77'] })
    assert.deepEqual(uncovered.judgement.detail, {
      lookups: '1',
      ip: '203.0.113.77',
      result: 'softfail',
      first: '203.0.113.77',
      merged: '1',
      after: '1',
      limit: '10',
    })
    const many = await judge({ ...record(`v=spf1 ${wanted} ${includes(11)} ~all`), ...chain(11) })
    assert.deepEqual(many.judgement.detail, { lookups: '12', notes: 'note-lookups' })
  })

  it('is refused beyond ten lookups, with the count before and after and what each term costs', async () => {
    const zone = {
      ...record(
        `v=spf1 include:many.example include:i0.example ${includes(8).replace('include:i0.example ', '')} ~all`,
      ),
      'many.example': { TXT: ['v=spf1 include:i0.example a:i1.example ~all'] },
      ...chain(8),
      'spf.relay.example': { TXT: ['v=spf1 a:out.relay.example ~all'] },
    }
    const { judgement, value } = await judge(zone)
    assert.equal(value, '')
    const { lookups, after, costs, needed, redundant } = judgement.detail
    assert.deepEqual({ lookups, after, needed, redundant }, { lookups: '11', after: '13', needed: wanted, redundant: 'include:i0.example' }) // biome-ignore format: one line
    assert.match(costs!, /^include:many\.example \(3\), include:i0\.example \(1\), /)
    const { message, fix } = tellReason({ purpose: 'spf', type: 'TXT', name, value }, judgement)
    for (const text of [message.ja, message.en]) assert.match(text, /11.*13.*10.*include:i0\.example/)
    for (const text of [fix.ja, fix.en])
      assert.match(text, /include:many\.example \(3\).*ip4:198\.51\.100\.20 include:spf/)
  })

  it('asks few questions and says little about a record of thousands of terms', async () => {
    const zone = zoneResolver({ ...relay, ...record(`v=spf1 ${includes(3000)} ~all`) })
    const asked: string[] = []
    const counting = {
      ...zone,
      txt(one: string) {
        asked.push(one)
        return zone.txt(one)
      },
    }
    const { reason, detail } = await spf.judge({ name }, domainWith({ name }), counting, config)
    assert.equal(reason, 'too-many-lookups')
    assert.equal(detail.lookups, '3000')
    assert.ok(asked.length < 500, String(asked.length))
    assert.ok(detail.costs!.length < 1000 && detail.costs!.endsWith(', …'))
  })

  it('shows what is new, and tells every change that is more', async () => {
    const live = 'v=spf1 ip4:203.0.113.1 ipv4:203.0.113.2 ip4:203.0.113.1 bogus -all'
    const zone = record(live)
    const judgement = await spf.judge({ name }, domainWith({ name }), zoneResolver({ ...relay, ...zone }), config)
    const { value, parts, changes } = proposeSpf(judgement, config)
    assert.equal(value, `v=spf1 ip4:203.0.113.1 ip4:203.0.113.2 ${wanted} ~all`)
    assert.deepEqual(parts, [
      { text: 'v=spf1 ip4:203.0.113.1', isNew: false },
      { text: `ip4:203.0.113.2 ${wanted} ~all`, isNew: true },
    ])
    const codes = ['term-mended', 'invalid-dropped', 'duplicates-dropped', 'all-softened', 'own-added']
    assert.deepEqual(changes.map(({ code }) => code), codes) // biome-ignore format: one line
    for (const change of changes) {
      const { ja, en } = tellChange(change)
      assert.doesNotMatch(ja + en, /[{}]/)
      assert.match(ja, /[ぁ-ん]/)
    }
  })

  it('marks our part alone where it goes between the rest', async () => {
    const judgement = await spf.judge({ name }, domainWith({ name }), zoneResolver({ ...relay, ...record('v=spf1 ip4:203.0.113.1 ~all') }), config) // biome-ignore format: one line
    assert.deepEqual(proposeSpf(judgement, config).parts, [
      { text: 'v=spf1 ip4:203.0.113.1', isNew: false },
      { text: wanted, isNew: true },
      { text: '~all', isNew: false },
    ])
  })

  it('keeps to the live record while its lookup fails', () => {
    const detail = { trouble: 'x', missing: 'include:spf.relay.example' }
    const found = ['v=spf1 mx ip4:198.51.100.20 ~all']
    const value = valueAfter({ state: 'dns-error', reason: 'dns-error', found, detail }, config)
    assert.equal(value, 'v=spf1 mx ip4:198.51.100.20 include:spf.relay.example ~all')
  })

  it('understands a ptr mechanism', async () => {
    const zone: Zone = {
      ...record('v=spf1 ptr:mail.example ~all'),
      '20.100.51.198.in-addr.arpa': { PTR: ['out.mail.example'] },
      'out.mail.example': { A: ['198.51.100.20'] },
    }
    const { judgement } = await judge(zone, { mechanisms: ['a:unused.example'] })
    assert.equal(judgement.reason, 'mechanism-missing')
    const passing = await judge(zone, { mechanisms: [] })
    assert.equal(passing.judgement.reason, 'ok')
  })
})
