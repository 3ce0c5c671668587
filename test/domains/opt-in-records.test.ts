/**
 * The records a domain opts in to: its own bounce host and its own host for tracked links.
 */
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { recordKinds } from '../../src/domains/records/index.ts'
import type { RecordKind } from '../../src/domains/records/record-kind.ts'
import { returnPath, returnPathSpf } from '../../src/domains/records/return-path.ts'
import { tracking } from '../../src/domains/records/tracking.ts'
import type { Check, RecordState } from '../../src/mail/sender-domain.ts'
import { returnPathHost } from '../../src/policy/sending-mode.ts'
import { domainWith } from './domain-with.ts'

const loaded = loadConfig([], {})
const config = {
  ...loaded,
  spf: { ...loaded.spf, mechanisms: ['ip4:192.0.2.25'], sendingIps: ['192.0.2.25'] },
  domains: { ...loaded.domains, trackingTarget: 'track.relay.example.jp' },
}
const domain = domainWith({ returnPath: true, tracking: true })
const host = 'bounce.ours.example'
const link = 'click.ours.example'

async function reasonOf(kind: RecordKind, zone: Zone, failing: readonly string[] = []): Promise<string> {
  const resolver = zoneResolver(zone)
  for (const name of failing) resolver.fail(name)
  const [record] = kind.expected(domain, config)
  return (await kind.judge(record!, domain, resolver, config)).reason
}

const cases: readonly (readonly [kind: RecordKind, sentence: string, zone: Zone, reason: string])[] = [
  [returnPath, 'is the relay', { [host]: { MX: [[10, 'relay.example.jp']] } }, 'ok'],
  [returnPath, 'is the relay beside others', { [host]: { MX: [[5, 'mx.other.example'], [10, 'relay.example.jp']] } }, 'ok'],
  [returnPath, 'is absent', { 'ours.example': { MX: [[10, 'relay.example.jp']] } }, 'absent'],
  [returnPath, 'is somebody else', { [host]: { MX: [[10, 'mx.other.example']] } }, 'mx-elsewhere'],
  [returnPath, 'is the null MX', { [host]: { MX: [[0, '']] } }, 'mx-elsewhere'],
  [returnPathSpf, 'lets the relay pass', { [host]: { TXT: ['v=spf1 ip4:192.0.2.25 ~all'] } }, 'ok'],
  [returnPathSpf, 'lets nobody else pass, which only bounces notice', { [host]: { TXT: ['v=spf1 ip4:192.0.2.25 -all'] } }, 'ok'],
  [returnPathSpf, 'is absent with its name', { 'ours.example': { TXT: ['v=spf1 ip4:192.0.2.25 ~all'] } }, 'absent'],
  [returnPathSpf, 'is absent beside the MX', { [host]: { MX: [[10, 'relay.example.jp']] } }, 'absent'],
  [returnPathSpf, 'is for somebody else', { [host]: { TXT: ['v=spf1 ip4:198.51.100.1 ~all'] } }, 'mechanism-missing'],
  [returnPathSpf, 'stands there twice', { [host]: { TXT: ['v=spf1 ip4:192.0.2.25 ~all', 'v=spf1 ~all'] } }, 'two-records'],
  [tracking, 'is the alias', { [link]: { CNAME: 'track.relay.example.jp' } }, 'ok'],
  [tracking, 'is answered with the addresses of its target', { [link]: { A: ['192.0.2.80'] }, 'track.relay.example.jp': { A: ['192.0.2.80'] } }, 'ok'],
  [tracking, 'is absent', { 'ours.example': {} }, 'absent'],
  [tracking, 'is an alias of somebody else', { [link]: { CNAME: 'track.other.example' } }, 'cname-elsewhere'],
  [tracking, 'has the domain behind its target', { [link]: { CNAME: 'track.relay.example.jp.ours.example' } }, 'target-doubled'],
  [tracking, 'has an address of its own', { [link]: { A: ['192.0.2.1'] }, 'track.relay.example.jp': { A: ['192.0.2.80'] } }, 'cname-replaced'],
] // biome-ignore format: a table

describe('a record a domain opted in to', () => {
  for (const [kind, sentence, zone, reason] of cases)
    it(`(${kind.purpose}) ${sentence}: ${reason}`, async () => assert.equal(await reasonOf(kind, zone), reason))

  it('is nobody to say when DNS fails', async () => {
    assert.equal(await reasonOf(returnPath, {}, [host]), 'dns-error')
    assert.equal(await reasonOf(returnPathSpf, {}, [host]), 'dns-error')
    assert.equal(await reasonOf(tracking, {}, [link]), 'dns-error')
  })

  it('is asked for with names and values of the configuration', () => {
    const asked = recordKinds.flatMap(kind => kind.expected(domain, config)).slice(-3)
    assert.deepEqual(
      asked.map(({ type, name, value }) => `${name} ${type} ${value}`),
      [
        'bounce.ours.example MX 10 relay.example.jp',
        'bounce.ours.example TXT v=spf1 ip4:192.0.2.25 ~all',
        'click.ours.example CNAME track.relay.example.jp',
      ],
    )
  })

  it('is not asked for otherwise, and nothing waits for it', () => {
    const plain = recordKinds.flatMap(kind => kind.expected(domainWith({}), config)).map(({ purpose }) => purpose)
    assert.deepEqual(plain, ['spf', 'dmarc'])
    const untracked = { ...config, domains: { ...config.domains, trackingTarget: null } }
    assert.deepEqual(tracking.expected(domain, untracked), [])
    for (const kind of [returnPath, returnPathSpf, tracking]) assert.equal(kind.isAdvice, true)
  })
})

describe('the bounce host that reverse-paths end in', () => {
  const facts = { now: 1000, lostGraceMs: 100 }
  const check = (purpose: Check['purpose'], state: RecordState, lastPublishedAt?: number): Check => ({
    ...{ purpose, name: host, state, reason: '', found: [], detail: {}, checkedAt: 0 },
    ...(lastPublishedAt === undefined ? {} : { lastPublishedAt }),
  })
  const hostOf = (checks: Check[], isIn = true) => returnPathHost(domainWith({ returnPath: isIn, checks }), facts)
  const mx = check('return-path', 'published')
  const txt = check('return-path-spf', 'published')

  it("is the domain's own once both records are published", () => assert.equal(hostOf([mx, txt]), host))
  it('is its own for the grace time after one was lost', () => {
    assert.equal(hostOf([mx, check('return-path-spf', 'not-published', 950)]), host)
    assert.equal(hostOf([mx, check('return-path-spf', 'not-published', 900)]), null)
  })
  it("is the relay's with one alone, with neither, or when the domain opted out", () => {
    assert.equal(hostOf([mx]), null)
    assert.equal(hostOf([txt]), null)
    assert.equal(hostOf([mx, check('return-path-spf', 'dns-error')]), null)
    assert.equal(hostOf([]), null)
    assert.equal(hostOf([mx, txt], false), null)
    assert.equal(returnPathHost(null, facts), null)
  })
})
