/**
 * Merged SPF records, judged by a second implementation through a real name server: our addresses pass, and for every
 * other address nothing changed.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/base/config.ts'
import { openResolver } from '../../src/dns/open.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import type { Zone } from '../../src/dns/zone.ts'
import type { Judgement, RecordConfig } from '../../src/domains/records/record-kind.ts'
import { spf } from '../../src/domains/records/spf.ts'
import { proposeSpf } from '../../src/domains/records/spf-merge.ts'
import { domainWith } from '../domains/domain-with.ts'
import { type Nsd, startNsd } from '../support/real/nsd.ts'
import { freePort, skipAloud } from '../support/real/program.ts'
import { missingPyspf, spfVerdicts } from '../support/real/spf-verdicts.ts'
import { others, ownHosts, providers, realRecords, tooLong } from './spf-records.ts'

const ours = ['198.51.100.20', '2001:db8:5::25']
const flat = 'v=spf1 ip4:198.51.100.16/28 ip6:2001:db8:5::/48 ~all'
/** What can't be written as a few addresses. */
const byName = 'v=spf1 a:out.relay.example ~all'

/** `-all` is accepted, so that it stays; `softening` is the default. */
const keeping = configWith(true)
const softening = configWith(false)

function configWith(acceptHardFail: boolean): RecordConfig {
  const mechanisms = ['ip4:198.51.100.20', 'include:spf.relay.example']
  return { ...loadConfig([], {}), spf: { mechanisms, all: '~all', sendingIps: ours, acceptHardFail } }
}

const shapes = Object.keys(realRecords)
const live = shapes.map((shape, index) => realRecords[shape]!.replaceAll('<own>', domainOf(index)).trim())
const long = Object.keys(tooLong)

function domainOf(index: number): string {
  return `d${index}.example`
}

function longDomainOf(index: number): string {
  return `long${index}.example`
}

function zoneOf(
  records: readonly string[],
  include = flat,
  longRecords = long.map(name => tooLong[name]!.record),
): Zone {
  const all = [
    ...records.map((record, index) => [domainOf(index), record] as const),
    ...longRecords.map((record, index) => [longDomainOf(index), record] as const),
  ]
  const domains = all.map(([domain, record]) => {
    const hosts = ownHosts(domain)
    return { ...hosts, [domain]: { ...hosts[domain], TXT: [record] } }
  })
  const relay = { 'spf.relay.example': { TXT: [include] }, 'out.relay.example': { A: [ours[0]!], AAAA: [ours[1]!] } }
  return Object.assign({}, providers, relay, ...domains)
}

describe('SPF records as real domains have them, merged with ours', () => {
  let nsd: Nsd
  let resolver: Resolver
  /** By pyspf, of every domain for every other address. */
  let old: string[]

  before(async function () {
    const reason = await missingPyspf()
    if (reason !== null) skipAloud(this, reason)
    nsd = await startNsd(this, { port: await freePort(), zones: ['example', 'arpa'], zone: zoneOf(live) })
    const dns = { servers: [`127.0.0.1:${nsd.port}`], timeout: 5000, cacheEntries: 1000, cacheMaxAge: 1000 }
    resolver = openResolver({ ...dns, clock: systemClock })
    old = await verdicts(others)
  })

  beforeEach(() => nsd.publish(zoneOf(live)))

  after(async () => {
    resolver?.close()
    await nsd?.[Symbol.asyncDispose]()
  })

  function verdicts(addresses: readonly string[]): Promise<string[]> {
    const cases = shapes.flatMap((_, index) => addresses.map(ip => [ip, domainOf(index)] as const))
    return spfVerdicts(nsd.port, cases)
  }

  function judge(name: string, config: RecordConfig): Promise<Judgement> {
    // Past the cache: the zone changes within its second.
    return spf.judge({ name }, domainWith({ name }), resolver.direct!, config)
  }

  async function merge(config: RecordConfig): Promise<string[]> {
    const judgements = await Promise.all(shapes.map((_, index) => judge(domainOf(index), config)))
    return judgements.map(judgement => proposeSpf(judgement, config).value)
  }

  it('are at least forty, and the other implementation reads each without error', () => {
    assert.ok(shapes.length >= 40)
    assert.ok(others.length >= 30)
    const broken = old.flatMap((result, at) => (/error|none/.test(result) ? [`${caseOf(at)}: ${result}`] : []))
    assert.deepEqual(broken, [])
    assert.deepEqual(new Set(old), new Set(['pass', 'fail', 'softfail', 'neutral']))
  })

  it('let our addresses pass, and give every other address its old result', async () => {
    const merged = await merge(keeping)
    await nsd.publish(zoneOf(merged))
    const own = await verdicts(ours)
    assert.deepEqual(own.flatMap((result, at) => (result === 'pass' ? [] : [`${merged[Math.floor(at / 2)]}: ${result}`])), []) // biome-ignore format: one line
    const changed = (await verdicts(others)).flatMap((result, at) =>
      result === old[at]
        ? []
        : [`${caseOf(at)}: ${old[at]} became ${result}: ${merged[Math.floor(at / others.length)]}`],
    )
    assert.deepEqual(changed, [])
  })

  it('only turn a fail into a softfail where -all is not accepted', async () => {
    await nsd.publish(zoneOf(await merge(softening)))
    assert.deepEqual(new Set(await verdicts(ours)), new Set(['pass']))
    const after = await verdicts(others)
    const changed = after.flatMap((result, at) => (result === old[at] ? [] : [`${old[at]} to ${result}`]))
    assert.deepEqual(new Set(changed), new Set(['fail to softfail']))
  })

  for (const config of [keeping, softening])
    it(`are published by our own judgement then, ${config === keeping ? 'with' : 'without'} -all accepted`, async () => {
      await nsd.publish(zoneOf(await merge(config)))
      const judgements = await Promise.all(shapes.map((_, index) => judge(domainOf(index), config)))
      assert.deepEqual(judgements.flatMap(({ reason }, at) => (reason === 'ok' ? [] : [`${shapes[at]}: ${reason}`])), []) // biome-ignore format: one line
    })

  it('are refused beyond ten lookups with the count, and the other implementation agrees', async () => {
    const plain = long.map(name => tooLong[name]!.record.replace('~all', 'include:spf.relay.example ~all'))
    for (const [index, name] of long.entries()) {
      const judgement = await judge(longDomainOf(index), keeping)
      assert.equal(judgement.reason, 'too-many-lookups', name)
      const { lookups, after, limit } = judgement.detail
      const count = tooLong[name]!.before
      assert.deepEqual({ lookups, after, limit }, { lookups: String(count), after: String(count + 1), limit: '10' })
      assert.equal(proposeSpf(judgement, keeping).value, '')
    }
    await nsd.publish(zoneOf(live, flat, plain))
    const refused = await spfVerdicts(nsd.port, long.map((_, index) => ['203.0.113.9', longDomainOf(index)] as const)) // biome-ignore format: one line
    assert.deepEqual(refused, long.map(() => 'permerror')) // biome-ignore format: one line
  })

  it('are refused where our include alone is too much and stands for more than addresses', async () => {
    const index = shapes.indexOf('ten lookups, none left for our include')
    await nsd.publish(zoneOf(live, byName))
    const judgement = await judge(domainOf(index), keeping)
    assert.equal(judgement.reason, 'too-many-lookups')
    assert.deepEqual([judgement.detail.lookups, judgement.detail.after], ['10', '12'])
    const plain = live.map((record, at) => (at === index ? record.replace('-all', 'include:spf.relay.example -all') : record)) // biome-ignore format: one line
    await nsd.publish(zoneOf(plain, byName))
    assert.deepEqual(await spfVerdicts(nsd.port, [['203.0.113.9', domainOf(index)]]), ['permerror'])
  })
})

function caseOf(at: number): string {
  return `${shapes[Math.floor(at / others.length)]}, ${others[at % others.length]}`
}
