/**
 * The zone file lines of a domain, read by NSD's own parser: they say what they should, whatever stands in DNS now.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { masterFile } from '../../src/domains/dkim-zone.ts'
import { zoneSnippet } from '../../src/domains/zone-snippet.ts'
import { openWorld } from '../domains/world.ts'
import { needProgram, run, temporaryFolder } from '../support/real/program.ts'

const head =
  '$TTL 60\nours.example. SOA ns.ours.example. me.ours.example. 1 2 3 4 5\nours.example. NS ns.elsewhere.example.\n'

/** Owner name → its TXT, strings joined. NSD prints names below $ORIGIN, and none where it is the same as before. */
function textsOf(zone: string): Map<string, string> {
  const texts = new Map<string, string>()
  let [origin, owner] = ['', '']
  for (const line of zone.split('\n')) {
    const [, changed] = /^\$ORIGIN\s+(\S+)\.$/.exec(line) ?? []
    if (changed !== undefined) origin = changed
    else if (/^[^\s;$]/.test(line)) owner = fullName(line.split(/\s/)[0]!, origin)
    const strings = /\sTXT\s/.test(line) ? [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)] : []
    if (strings.length > 0) texts.set(owner, strings.map(([, string]) => string!.replace(/\\(["\\;])/g, '$1')).join(''))
  }
  return texts
}

function fullName(name: string, origin: string): string {
  if (name.endsWith('.')) return name.slice(0, -1)
  return name === '@' ? origin : `${name}.${origin}`
}

describe('the zone file lines of a domain, read by NSD', () => {
  it('are the records asked for, beside hostile texts in DNS', async function () {
    const checkzone = needProgram(this, 'nsd-checkzone')
    using folder = temporaryFolder('kitte-zone-')
    const hostile = ['v=spf1 ip4:203.0.113.1 ~all\n( " \\ ;', 'v=spf1 mx\r\nevil.example. TXT "x" ~all']
    await using world = await openWorld({
      'ours.example': { TXT: hostile, MX: [[10, 'mx.ours.example']] },
      'mx.ours.example': { A: ['203.0.113.2'] },
    })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1', bits: 2048 })
    const file = join(folder.path, 'zone')
    writeFileSync(file, head + zoneSnippet(view))
    const { code, stdout, stderr } = await run(checkzone, ['-p', 'ours.example', file])
    assert.equal(code, 0, stdout + stderr)
    assert.ok(view.records.some(({ value }) => value.length > 255))
    assert.deepEqual(textsOf(stdout), new Map(view.records.map(({ name, value }) => [name, value])))
  })
})

describe('the zone of keys behind CNAMEs, read by NSD', () => {
  it('can be included in the zone of the relay, whose own names it leaves alone', async function () {
    const checkzone = needProgram(this, 'nsd-checkzone')
    using folder = temporaryFolder('kitte-zone-')
    await using world = await openWorld()
    for (const [name, bits] of [
      ['ours.example', 2048],
      ['theirs.example', 1024],
    ] as const)
      await world.domains.register({ name, account: 'a1', bits, dkimForm: 'cname' })
    await world.domains.issueKey('ours.example', { algorithm: 'ed25519' })
    const zone = await world.domains.dkimZone()
    const [file, included] = [join(folder.path, 'zone'), join(folder.path, 'keys')]
    writeFileSync(included, masterFile(zone))
    const own = '$ORIGIN relay.example.jp.\n$TTL 60\n@ SOA ns me 1 2 3 4 5\n@ NS ns.elsewhere.example.\n'
    writeFileSync(file, `${own}$INCLUDE ${included}\nlast TXT "after it"\n`)
    const { code, stdout, stderr } = await run(checkzone, ['-p', 'relay.example.jp', file])
    assert.equal(code, 0, stdout + stderr)
    const expected = zone.records.map(({ name, value }) => [name, value] as const)
    assert.equal(expected.length, 3)
    assert.deepEqual(textsOf(stdout), new Map([...expected, ['last.relay.example.jp', 'after it']]))
  })
})
