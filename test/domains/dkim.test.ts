import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { dkim } from '../../src/domains/records/dkim.ts'
import type { RecordConfig } from '../../src/domains/records/record-kind.ts'
import type { DkimKey } from '../../src/mail/sender-domain.ts'
import { domainWith, keyWith } from './domain-with.ts'

const key = keyWith({})
const older = keyWith({ selector: '20240125', publicKey: 'T0xERVIgS0VZ', state: 'retired', createdAt: 1 })
const p = key.publicKey
const name = '20260115._domainkey.ours.example'
const config = {} as RecordConfig

async function judge(zone: Zone, keys: readonly DkimKey[] = [key, older], failing: readonly string[] = []) {
  const resolver = zoneResolver(zone)
  for (const failed of failing) resolver.fail(failed)
  const domain = domainWith({ keys })
  return dkim.judge(dkim.expected(domain, config)[0]!, domain, resolver, config)
}

const record = (...texts: (string | string[])[]): Zone => ({ [name]: { TXT: texts } })

type Case = readonly [
  sentence: string,
  zone: Zone,
  reason: string,
  detail?: object | undefined,
  failing?: readonly string[],
]

const cases: readonly Case[] = [
  ['is published as issued', record(`v=DKIM1; k=rsa; p=${p}`), 'ok', {}],
  ['is published in another order', record(`v=DKIM1; p=${p}; k=rsa`), 'ok'],
  ['is published without spaces and with a last semicolon', record(`v=DKIM1;k=rsa;p=${p};`), 'ok'],
  ['is published with more spaces', record(` v = DKIM1 ;  k = rsa ;p= ${p} `), 'ok'],
  ['is published without v= and k=', record(`p=${p}`), 'ok'],
  ['is published in two strings', record([`v=DKIM1; k=rsa; p=${p.slice(0, 20)}`, p.slice(20)]), 'ok'],
  ['is published with a space inside the key', record(`v=DKIM1; k=rsa; p=${p.slice(0, 20)} ${p.slice(20)}`), 'ok'],
  ['is published with unknown tags', record(`v=DKIM1; k=rsa; p=${p}; n=note; zz=1`), 'ok'],
  ['is published for mail only', record(`v=DKIM1; s=email; p=${p}`), 'ok'],
  ['is published for SHA-256 among others', record(`v=DKIM1; h=sha1:sha256; p=${p}`), 'ok'],
  ['is published as a test', record(`v=DKIM1; t=y:s; p=${p}`), 'ok', { notes: 'note-testing' }],
  ['is published by way of a CNAME', { [name]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: [`v=DKIM1; p=${p}`] } }, 'ok', { notes: 'note-cname', target: 'keys.other.example' }],
  ['is published with quotation marks in a note', record(`v=DKIM1; k=rsa; n="ours"; p=${p}`), 'ok', {}],
  ['is published in capitals where case does not count', record(`v=DKIM1; k=RSA; p=${p}`), 'ok'],
  ['is absent', { 'ours.example': { A: ['203.0.113.1'] } }, 'absent', {}],
  ['is absent with its domain', {}, 'absent'],
  ['is absent where other types stand', { [name]: { A: ['203.0.113.1'] } }, 'absent'],
  ['is a CNAME to nothing', { [name]: { CNAME: 'gone.example' } }, 'wrong-type', { type: 'CNAME', target: 'gone.example', notes: 'note-cname' }],
  ['stands under the domain written twice', { [`${name}.ours.example`]: { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'host-doubled', { at: `${name}.ours.example` }],
  ['stands at the domain itself', { 'ours.example': { TXT: ['v=spf1 ~all', `v=DKIM1; k=rsa; p=${p}`] } }, 'at-apex', { at: 'ours.example' }],
  ['is a CNAME to another key', { [name]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: ['v=DKIM1; p=T1RIRVI='] } }, 'wrong-type', { type: 'CNAME', target: 'keys.other.example', notes: 'note-cname' }],
  ['is a CNAME to a revoked key', { [name]: { CNAME: 'keys.other.example' }, 'keys.other.example': { TXT: ['v=DKIM1; p='] } }, 'wrong-type'],
  ['stands under no selector', { '_domainkey.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'wrong-selector', { at: '_domainkey.ours.example' }],
  ['stands under the selector alone', { '20260115.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'wrong-selector', { at: '20260115.ours.example' }],
  ['stands under domainkey without its underscore', { '20260115.domainkey.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'wrong-selector'],
  ['stands under a common selector', { 'default._domainkey.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'wrong-selector', { at: 'default._domainkey.ours.example' }],
  ['took the place of the older key', { '20240125._domainkey.ours.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }, 'wrong-selector', { at: '20240125._domainkey.ours.example' }],
  ['stands under the older selector', { '20240125._domainkey.ours.example': { TXT: [`v=DKIM1; p=${older.publicKey}`] } }, 'old-selector', { selector: '20240125' }],
  ['has the older key', record(`v=DKIM1; k=rsa; p=${older.publicKey}`), 'old-key', { selector: '20240125' }],
  ['has another key', record('v=DKIM1; k=rsa; p=T1RIRVI='), 'key-differs', {}],
  ['has a key that is cut off', record(`v=DKIM1; k=rsa; p=${p.slice(0, 30)}`), 'truncated', { length: '30', full: String(p.length) }],
  ['has the end of a key alone', record(p.slice(-30)), 'truncated', { length: '30', full: String(p.length) }],
  ['has the end of a key behind p=', record(`v=DKIM1; k=rsa; p=${p.slice(-30)}`), 'truncated'],
  ['lost the padding of its key', record(`v=DKIM1; k=rsa; p=${p.replace(/=+$/, '')}`), 'truncated'],
  ['has a key with its plus signs turned into spaces', record(`v=DKIM1; k=rsa; p=${p.replaceAll('+', ' ')}`), 'plus-lost'],
  ['has a key in lower case', record(`v=DKIM1; k=rsa; p=${p.toLowerCase()}`), 'case-changed'],
  ['has a revoked key', record('v=DKIM1; k=rsa; p='), 'revoked'],
  ['has several keys', record(`v=DKIM1; p=${p}`, 'v=DKIM1; p=T1RIRVI='), 'several-keys', { count: '2' }],
  ['came apart into two records', record(`v=DKIM1; k=rsa; p=${p.slice(0, 20)}`, p.slice(20)), 'split-records', { count: '2' }],
  ['came apart into two records that DNS answers in reverse', record(p.slice(20), `v=DKIM1; k=rsa; p=${p.slice(0, 20)}`), 'split-records'],
  ['came apart into two records with quotation marks', record(`"v=DKIM1; k=rsa; p=${p.slice(0, 20)}"`, `"${p.slice(20)}"`), 'split-records'],
  ['stands beside the text of a wildcard', record(`v=DKIM1; p=${p}`, 'v=spf1 -all'), 'several-keys', { count: '2' }],
  ['says the wrong kind of key', record(`v=DKIM1; k=ed25519; p=${p}`), 'wrong-key-type', { type: 'ed25519', expected: 'rsa' }],
  ['names the algorithm in place of the kind', record(`v=DKIM1; k=rsa-sha256; p=${p}`), 'wrong-key-type', { type: 'rsa-sha256', expected: 'rsa' }],
  ['is for another service', record(`v=DKIM1; s=other; p=${p}`), 'wrong-service', { s: 'other' }],
  ['excludes SHA-256', record(`v=DKIM1; h=sha1; p=${p}`), 'hash-excluded', { h: 'sha1' }],
  ['was published with quotation marks', record(`"v=DKIM1; k=rsa; p=${p}"`), 'quotes'],
  ['was published with backslashes', record(`v=DKIM1\\; k=rsa\\; p=${p}`), 'backslashes'],
  ['was published in two strings with the quotation marks between them', record(`v=DKIM1; k=rsa; p=${p.slice(0, 20)}" "${p.slice(20)}`), 'quotes'],
  ['was published with typographic quotation marks', record(`“v=DKIM1; k=rsa; p=${p}”`), 'quotes'],
  ['lost its semicolons', record(`v=DKIM1 k=rsa p=${p}`), 'semicolons-lost'],
  ['lost its semicolons and spaces', record(`v=DKIM1k=rsap=${p}`), 'semicolons-lost'],
  ['lost its second semicolon', record(`v=DKIM1; k=rsa p=${p}`), 'semicolons-lost'],
  ['has commas for semicolons', record(`v=DKIM1, k=rsa, p=${p}`), 'semicolons-lost'],
  ['was typed in full width', record(`ｖ＝DKIM1； k=rsa； p=${p}`), 'full-width'],
  ['has a full-width space', record(`v=DKIM1;　k=rsa; p=${p}`), 'full-width'],
  ['has a full-width space inside its key', record(`v=DKIM1; k=rsa; p=${p.slice(0, 9)}　${p.slice(9)}`), 'full-width'],
  ['has a non-breaking space before a tag', record(`v=DKIM1;\u00a0k=rsa; p=${p}`), 'full-width'],
  ['says its version in lower case', record(`v=dkim1; k=rsa; p=${p}`), 'syntax', { problem: 'v=dkim1' }],
  ['is revoked with a last semicolon', record('v=DKIM1; p=;'), 'revoked'],
  ['lost its p=', record('v=DKIM1; k=rsa'), 'syntax', { problem: 'p=' }],
  ['has a piece that is no tag', record(`v=DKIM1; rsa; p=${p}`), 'syntax', { problem: 'rsa' }],
  ['has a tag twice', record(`v=DKIM1; p=${p}; p=${p}`), 'syntax'],
  ['has its version elsewhere', record(`k=rsa; v=DKIM1; p=${p}`), 'syntax', { problem: 'v=DKIM1' }],
  ['has another version', record(`v=DKIM2; p=${p}`), 'syntax', { problem: 'v=DKIM2' }],
  ['is no DKIM record', record('hello world'), 'syntax', { problem: 'hello world' }],
  ['can not be asked for', record(`v=DKIM1; p=${p}`), 'dns-error', undefined, [name]],
  ['is absent though the places it might be can not be asked for', { 'x.example': {} }, 'absent', {}, ['ours.example', `${name}.ours.example`]],
] // biome-ignore format: a table

describe('the DKIM record of a sender domain', () => {
  for (const [sentence, zone, reason, detail, failing] of cases) {
    it(`${sentence}: ${reason}`, async () => {
      const judgement = await judge(zone, [key, older], failing)
      assert.equal(judgement.reason, reason, JSON.stringify(judgement))
      const state = reason === 'ok' ? 'published' : reason === 'dns-error' ? 'dns-error' : 'not-published'
      assert.equal(judgement.state, state)
      if (detail) assert.deepEqual(judgement.detail, detail)
    })
  }

  it('cut at 255 characters is told as cut, and what holds less than that', async () => {
    const long = keyWith({ publicKey: `MII${'BIjANBgkqh'.repeat(38)}IDAQAB` })
    const whole = `v=DKIM1; k=rsa; p=${long.publicKey}`
    const first = await judge(record(whole.slice(0, 255)), [long])
    const length = String(255 - 'v=DKIM1; k=rsa; p='.length)
    const detail = { length, full: String(long.publicKey.length), notes: 'note-255' }
    assert.deepEqual([first.reason, first.detail], ['truncated', detail])
    const second = await judge(record(whole.slice(255)), [long])
    assert.deepEqual([second.reason, second.detail.length], ['truncated', String(whole.length - 255)])
    assert.equal((await judge(record(whole.slice(0, 255), whole.slice(255)), [long])).reason, 'split-records')
    assert.equal((await judge(record([whole.slice(0, 255), whole.slice(255)]), [long])).reason, 'ok')
  })

  it('of a domain that does not exist is not looked for elsewhere', async () => {
    const asked: string[] = []
    const zone = zoneResolver({})
    const resolver = {
      ...zone,
      txt(at: string) {
        asked.push(at)
        return zone.txt(at)
      },
    }
    const domain = domainWith({ keys: [key, older] })
    const judgement = await dkim.judge({ name }, domain, resolver, config)
    assert.deepEqual([judgement.reason, asked], ['absent', [name, 'ours.example']])
  })

  it('of an Ed25519 key is published under its own type', async () => {
    const ed = keyWith({
      selector: 'ed',
      algorithm: 'ed25519',
      bits: 256,
      publicKey: '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    })
    const at = { 'ed._domainkey.ours.example': { TXT: [`v=DKIM1; k=ed25519; p=${ed.publicKey}`] } }
    assert.equal((await judge(at, [ed])).reason, 'ok')
    const untyped = { 'ed._domainkey.ours.example': { TXT: [`v=DKIM1; p=${ed.publicKey}`] } }
    assert.equal((await judge(untyped, [ed])).reason, 'wrong-key-type')
  })

  it('is asked for each key that signs or waits, and no other', () => {
    const states = ['pending', 'active', 'retiring', 'retired'] as const
    const keys = states.map(state => keyWith({ selector: state, state }))
    const records = dkim.expected(domainWith({ keys }), config)
    assert.deepEqual(
      records.map(({ name: at, value }) => [at, value]),
      ['pending', 'active'].map(selector => [`${selector}._domainkey.ours.example`, `v=DKIM1; k=rsa; p=${p}`]),
    )
  })
})
