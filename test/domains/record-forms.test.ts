import assert from 'node:assert/strict'
import { recordForms } from '../../src/domains/record-forms.ts'
import { zoneSnippet } from '../../src/domains/zone-snippet.ts'
import { openWorld } from './world.ts'

const zone = 'ours.example'
const txt = (value: string, name = zone) => recordForms({ type: 'TXT', name, value }, zone)

describe('the forms of a record', () => {
  it('are one line, strings of at most 255 octets, and a zone line with the full name', () => {
    const value = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
    const { line, strings, zone: quoted, zoneLine, host } = txt(value, '20260115._domainkey.ours.example')
    assert.equal(line, value)
    assert.deepEqual(strings.map(string => string.length), [255, value.length - 255]) // biome-ignore format: one line
    assert.equal(strings.join(''), value)
    assert.equal(quoted, strings.map(string => `"${string}"`).join(' '))
    assert.equal(zoneLine, `20260115._domainkey.ours.example. 3600 IN TXT ${quoted}`)
    assert.deepEqual(host, { full: '20260115._domainkey.ours.example', short: '20260115._domainkey' })
  })

  it('split exactly at 255 octets, not before', () => {
    assert.equal(txt('a'.repeat(255)).strings.length, 1)
    assert.equal(txt('a'.repeat(256)).strings.length, 2)
    assert.deepEqual(txt('語'.repeat(86)).zone.match(/\\\d{3}/g)!.length, 258)
  })

  it('escape what a zone file would take for its own', () => {
    assert.equal(txt('a "b" \\ c;\n語').zone, '"a \\"b\\" \\\\ c;\\010\\232\\170\\158"')
  })

  it('name the zone itself @, and leave a name outside of it whole', () => {
    assert.equal(txt('x').host.short, '@')
    assert.equal(txt('x', 'theirs.example').host.short, 'theirs.example')
    assert.equal(recordForms({ type: 'TXT', name: 'mail.ours.example', value: 'x' }, zone).host.short, 'mail')
  })

  it('end targets with a dot', () => {
    assert.equal(
      recordForms({ type: 'MX', name: 'b.ours.example', value: '10 relay.example' }, zone).zoneLine,
      'b.ours.example. 3600 IN MX 10 relay.example.',
    )
    assert.equal(recordForms({ type: 'CNAME', name: 'c.ours.example', value: 'x.example' }, zone).zone, 'x.example.')
  })
})

describe('the zone file lines of a domain', () => {
  it('have every record below its state, and the one it replaces as a comment', async () => {
    await using world = await openWorld({ 'ours.example': { TXT: ['v=spf1 ip4:203.0.113.1 ~all\n) evil. TXT "x"'] } })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const lines = zoneSnippet(view).split('\n')
    const records = lines.filter(line => line !== '' && !line.startsWith(';'))
    assert.deepEqual(records, view.records.map(({ forms }) => forms.zoneLine)) // biome-ignore format: one line
    assert.ok(records.every(line => /^\S+\. 3600 IN (?:TXT|MX|CNAME) \S/.test(line)))
    assert.ok(lines.some(line => /^; {3}v=spf1 ip4:203\.0\.113\.1 ~all\ufffd\) evil/.test(line)))
    assert.ok(lines.includes('; DKIM: 未設定 / not published'))
  })

  it('have a record that can not be given as what to do first', async () => {
    const hosts = Array.from({ length: 11 }, (_, i) => `h${i}.example`)
    await using world = await openWorld({
      'ours.example': { TXT: [`v=spf1 ${hosts.map(host => `a:${host}`).join(' ')} ~all`] },
      ...Object.fromEntries(hosts.map(host => [host, { A: ['203.0.113.1'] }])),
    })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const spf = view.records[0]!
    assert.equal(spf.reason, 'too-many-lookups')
    assert.deepEqual([spf.value, spf.forms.zoneLine, spf.parts.length], ['', '', 0])
    assert.deepEqual(spf.lookups, { before: 11, after: 12, limit: 10 })
    const text = zoneSnippet(view)
    assert.ok(!/^ours\.example\. 3600 IN TXT/m.test(text))
    assert.match(text, /^; .*a:h0\.example \(1\).*ip4:210\.198\.21\.20/m)
  })
})
