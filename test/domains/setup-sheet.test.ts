/**
 * What is asked of whoever edits the DNS: the action of each record, and what may go, in both languages.
 */
import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import { setupRequest } from '../../src/domains/setup-request.ts'
import { type SetupAction, type SetupRecord, setupSheet } from '../../src/domains/setup-sheet.ts'
import { openWorld, spfValue } from './world.ts'

type World = Awaited<ReturnType<typeof openWorld>>

const day = 86_400_000

async function sheetOf(world: World) {
  return setupSheet(await world.domains.verify('ours.example'))
}

async function spfOf(world: World): Promise<SetupRecord> {
  return (await sheetOf(world)).records.find(({ purpose }) => purpose === 'spf')!
}

/** The line with the action, as the request says it. */
async function asked(world: World, language: 'ja' | 'en'): Promise<string> {
  const label = language === 'ja' ? '作業' : 'To do'
  const line = setupRequest(await sheetOf(world), language).match(new RegExp(`^${label}: (.*)$`, 'm'))
  return line?.[1] ?? ''
}

describe('the sheet for whoever edits the DNS', () => {
  const spf = (...texts: string[]) => ({ 'ours.example': { TXT: texts } }) satisfies Zone
  const many = Array.from({ length: 11 }, (_, n) => `include:i${n}.example`)
  const chain = Object.fromEntries(
    many.map(term => [term.slice(8), { TXT: ['v=spf1 ip4:192.0.2.1 a:h.example ~all'] }]),
  )
  const cases: readonly [says: string, zone: Zone, action: SetupAction, ja: RegExp, en: RegExp][] = [
    ['adds what is missing', spf('other'), 'add', /新しく追加/, /Add a new record/],
    ['replaces what is there', spf('v=spf1 ip4:192.0.2.1 ~all'), 'replace', /置き換え/, /Replace the current value/],
    ['replaces all of several', spf('v=spf1 ~all', 'v=spf1 mx ~all'), 'replace-all', /すべて削除/, /Delete the current records/],
    ['mends first what leaves no room', { ...spf(`v=spf1 ${many.join(' ')} ~all`), ...chain, 'h.example': { A: ['192.0.2.9'] }, 'm01-ahd-sys.net': { TXT: ['v=spf1 a:h.example ~all'] } }, 'mend', /先に「対処」/, /"What to do" first/],
  ] // biome-ignore format: a table
  for (const [says, zone, action, ja, en] of cases) {
    it(`${says}: ${action}`, async () => {
      await using world = await openWorld(zone)
      await world.domains.register({ name: 'ours.example', account: 'a1' })
      const record = await spfOf(world)
      assert.equal(record.action, action)
      assert.match(await asked(world, 'ja'), ja)
      assert.match(await asked(world, 'en'), en)
      assert.equal(record.fix !== null || action !== 'mend', true, 'what to do first is told')
      assert.equal(record.parts.length > 0, action.startsWith('replace'), 'new parts are marked in a live record only')
    })
  }

  it('moves a record that stands at a wrong name: move', async () => {
    await using world = await openWorld({ 'ours.example': { TXT: [spfValue] } })
    const view = await world.domains.register({ name: 'ours.example', account: 'a1' })
    const dkim = view.records.find(({ purpose }) => purpose === 'dkim')!
    world.resolver.set(`${dkim.name}.ours.example`, { TXT: [dkim.value] })
    const sheet = await sheetOf(world)
    const record = sheet.records.find(({ purpose }) => purpose === 'dkim')!
    assert.equal(record.action, 'move')
    assert.deepEqual(record.found, [dkim.value])
    assert.match(setupRequest(sheet, 'ja'), /^作業: 誤った場所のレコードを削除し/m)
    assert.match(setupRequest(sheet, 'en'), /^To do: Delete the record at the wrong name/m)
  })

  it('asks for nothing while a record is on its way: wait', async () => {
    const authority = {
      ask: async (name: string) => ({
        witnesses: ['ns1.example', 'ns2.example'].map(server => {
          const records = name === 'ours.example' && server === 'ns1.example' ? [spfValue] : []
          const answer = { status: records.length > 0 ? ('found' as const) : ('nodata' as const), records, ttl: 300 }
          return { server, address: '', name, said: { kind: 'answer' as const, alias: null, answer } }
        }),
        fault: null,
      }),
      close() {},
    }
    await using world = await openWorld({ 'ours.example': { TXT: [spfValue] } }, { authority })
    await world.domains.register({ name: 'ours.example', account: 'a1' })
    const record = await spfOf(world)
    assert.deepEqual([record.action, record.visibleAt], ['wait', world.clock.now() + 300_000])
    const text = setupRequest(await sheetOf(world), 'en')
    assert.doesNotMatch(text, /Value: v=spf1/)
    assert.match(text, /^Published already \(nothing to do\)\n- SPF: ours\.example$/m)
  })

  it('tells which records of former keys can be deleted, once they can, in both languages', async () => {
    await using world = await openWorld({ 'ours.example': { TXT: [spfValue] } })
    world.publish(await world.domains.register({ name: 'ours.example', account: 'a1', selector: 'old' }))
    await world.domains.verify('ours.example')
    world.publish(await world.domains.issueKey('ours.example', { selector: 'new' }))
    assert.deepEqual((await sheetOf(world)).removable, [], 'mail signed with it is under way')
    await world.clock.advance(8 * day)
    const sheet = await sheetOf(world)
    const name = 'old._domainkey.ours.example'
    assert.deepEqual(sheet.removable, [{ type: 'TXT', name, host: 'old._domainkey' }])
    assert.match(setupRequest(sheet, 'ja'), /^削除できるレコード.*\n- TXT: old\._domainkey\.ours\.example$/m)
    assert.match(setupRequest(sheet, 'en'), /^Records that can be deleted.*\n- TXT: old\._domainkey\.ours\.example$/m)
  })
})
