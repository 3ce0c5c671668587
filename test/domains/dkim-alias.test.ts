/**
 * The CNAME form: what is asked for, where it leads, and the ways a CNAME goes wrong.
 */
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { aliasRecords, aliasTarget, freeSelector } from '../../src/domains/fixed-selectors.ts'
import { dkim } from '../../src/domains/records/dkim.ts'
import type { DkimKey, SenderDomain } from '../../src/mail/sender-domain.ts'
import { domainWith, keyWith } from './domain-with.ts'

const config = loadConfig([], {})
const key = keyWith({ selector: 'kitte1', form: 'cname', state: 'pending' })
const p = key.publicKey
const ours = domainWith({ dkimForm: 'cname', keys: [key] })
const [first, second] = ['kitte1', 'kitte2'].map(selector => `${selector}._domainkey.ours.example`) as [string, string]
const [one, two] = ['kitte1', 'kitte2'].map(selector => aliasTarget(ours, selector, config)) as [string, string]
const text = `v=DKIM1; k=rsa; p=${p}`

async function judge(zone: Zone, name = first, domain: SenderDomain = ours, failing: readonly string[] = []) {
  const resolver = zoneResolver(zone)
  for (const failed of failing) resolver.fail(failed)
  return dkim.judge({ name }, domain, resolver, config)
}

const target: Zone = { [one]: { TXT: [text] } }

type Case = readonly [
  sentence: string,
  zone: Zone,
  reason: string,
  detail?: object | undefined,
  failing?: readonly string[],
]
const cases: readonly Case[] = [
  ['is right, and the key behind it', { [first]: { CNAME: one }, ...target }, 'ok', {}],
  ['is right, with the key in two strings', { [first]: { CNAME: one }, [one]: { TXT: [[text.slice(0, 30), text.slice(30)]] } }, 'ok'],
  ['is answered with the text of its target', { [first]: { TXT: [text] } }, 'ok', { notes: 'note-flattened' }],
  ['is absent', { 'ours.example': { A: ['192.0.2.1'] }, ...target }, 'absent'],
  ['leads to somebody else', { [first]: { CNAME: 'keys.other.example' } }, 'cname-elsewhere', { target: 'keys.other.example' }],
  ['leads to somebody else who has our key', { [first]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: [text] } }, 'cname-elsewhere'],
  ['is confused with the other', { [first]: { CNAME: two }, ...target }, 'cname-elsewhere', { target: two }],
  ['has the domain behind its target', { [first]: { CNAME: `${one}.ours.example` } }, 'target-doubled', { target: `${one}.ours.example` }],
  ['stands under the domain written twice', { 'ours.example': {}, [`${first}.ours.example`]: { CNAME: one }, ...target }, 'host-doubled', { at: `${first}.ours.example` }],
  ['has an older key in its place', { [first]: { TXT: ['v=DKIM1; k=rsa; p=T1RIRVI='] } }, 'cname-replaced', { type: 'TXT' }],
  ['has its own target as a text in its place', { [first]: { TXT: [one] } }, 'cname-replaced', { type: 'TXT' }],
  ['is right, but the relay has published nothing', { [first]: { CNAME: one } }, 'target-absent', { target: one }],
  ['is right, but the relay still publishes the key before', { [first]: { CNAME: one }, [one]: { TXT: ['v=DKIM1; k=rsa; p=T1RIRVI='] } }, 'target-stale', { target: one }],
  ['is right, but the relay has published two keys', { [first]: { CNAME: one }, [one]: { TXT: [text, 'v=DKIM1; p=T1RIRVI='] } }, 'target-stale'],
  ['can not be asked for', { [first]: { CNAME: one }, ...target }, 'dns-error', undefined, [first]],
  ['can not be followed', { [first]: { CNAME: one }, ...target }, 'dns-error', undefined, [one]],
] // biome-ignore format: a table

describe('the CNAME of a DKIM key', () => {
  for (const [sentence, zone, reason, detail, failing] of cases) {
    it(`${sentence}: ${reason}`, async () => {
      const judgement = await judge(zone, first, ours, failing)
      assert.equal(judgement.reason, reason, JSON.stringify(judgement))
      const state = reason === 'ok' ? 'published' : reason === 'dns-error' ? 'dns-error' : 'not-published'
      assert.equal(judgement.state, state)
      if (detail) assert.deepEqual(judgement.detail, detail)
    })
  }

  it('whose turn it is not is right by itself', async () => {
    assert.deepEqual(await judge({ [second]: { CNAME: two } }, second), {
      ...{ state: 'published', reason: 'ok', found: [two], detail: {} },
    })
    const wrong = await judge({ [second]: { CNAME: one }, ...target }, second)
    assert.equal(wrong.reason, 'cname-elsewhere')
    const retired = domainWith({
      ...ours,
      keys: [key, keyWith({ selector: 'kitte2', form: 'cname', state: 'retired' })],
    })
    assert.equal((await judge({ [second]: { CNAME: two } }, second, retired)).reason, 'ok')
  })

  it('of a key that retires is still looked after', async () => {
    const retiring = domainWith({ ...ours, keys: [{ ...key, state: 'retiring' }] })
    assert.equal((await judge({ [first]: { CNAME: one } }, first, retiring)).reason, 'target-absent')
  })
})

describe('what a domain with keys behind CNAMEs is asked for', () => {
  const names = (change: Partial<SenderDomain>) =>
    dkim.expected(domainWith(change), config).map(({ type, name }) => `${type} ${name.split('.')[0]}`)
  const cname = (selector: string, state: DkimKey['state'], algorithm: DkimKey['algorithm'] = 'rsa') =>
    keyWith({ selector, state, algorithm, form: 'cname' })

  it('is both CNAMEs, whichever has the key', () => {
    assert.deepEqual(names({ dkimForm: 'cname', keys: [key] }), ['CNAME kitte1', 'CNAME kitte2'])
    assert.deepEqual(names({ dkimForm: 'cname', keys: [] }), ['CNAME kitte1', 'CNAME kitte2'])
  })

  it('is two more for an Ed25519 key', () => {
    const keys = [cname('kitte1', 'active'), cname('kitte1-ed25519', 'pending', 'ed25519')]
    assert.deepEqual(names({ dkimForm: 'cname', keys }).slice(2), ['CNAME kitte1-ed25519', 'CNAME kitte2-ed25519'])
  })

  it('is the TXT record beside them while that key signs', () => {
    const keys = [keyWith({ selector: '20260115' }), cname('kitte1', 'pending')]
    assert.deepEqual(names({ dkimForm: 'cname', keys }), ['TXT 20260115', 'CNAME kitte1', 'CNAME kitte2'])
  })

  it('is only what is still in use once TXT was chosen', () => {
    const keys = [cname('kitte2', 'active'), keyWith({ selector: '20260115', state: 'pending' })]
    assert.deepEqual(names({ dkimForm: 'txt', keys }), ['TXT 20260115', 'CNAME kitte2'])
    assert.deepEqual(names({ keys: [cname('kitte2', 'retired'), keyWith({})] }), ['TXT 20260115'])
  })

  it('leads nowhere for another account, nor for another domain or relay', () => {
    const targets = [
      aliasTarget({ name: 'ours.example', account: 'a1' }, 'kitte1', config),
      aliasTarget({ name: 'ours.example', account: 'a2' }, 'kitte1', config),
      aliasTarget({ name: 'theirs.example', account: 'a1' }, 'kitte1', config),
      aliasTarget({ name: 'ours.example', account: 'a1' }, 'kitte2', config),
    ]
    assert.equal(new Set(targets).size, 4)
    for (const name of targets) assert.match(name, /^[a-z2-7]{16}\.dkim\.relay\.example\.jp$/)
    assert.equal(aliasTarget(ours, 'kitte1', config), targets[0], 'and the same again')
    const { value } = aliasRecords(ours, { relayDomain: { ...config.relayDomain, name: 'other.example' } })[0]!
    assert.match(value, /\.dkim\.other\.example$/)
  })

  it('takes the selector that no key signs under, nor lately did', () => {
    const free = (...keys: DkimKey[]) => freeSelector(keys, 'rsa')
    assert.equal(free(), 'kitte1')
    assert.equal(free(cname('kitte1', 'active')), 'kitte2')
    assert.equal(free(cname('kitte1', 'retired'), cname('kitte2', 'active')), 'kitte1')
    assert.equal(free(cname('kitte1', 'active'), cname('kitte2', 'pending')), 'kitte2', 'instead of one that waits')
    assert.throws(() => free(cname('kitte1', 'retiring'), cname('kitte2', 'active')), /both in use/)
  })
})
