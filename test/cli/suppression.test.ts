/**
 * `kitte suppression`, run in this process against the real API.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { cli } from './support/cli.ts'

const run = (api: Api, ...args: string[]) =>
  cli(['suppression', ...args], { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })

async function kitte(api: Api, ...args: string[]): Promise<string> {
  const { code, out, err } = await run(api, ...args)
  assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  return out
}

describe('kitte suppression', () => {
  it('adds, lists and removes, and asks whose is meant', async () => {
    await using api = await startApi()
    await api.account('Acme')
    assert.match((await run(api, 'add', 'a@x.example')).err, /whose suppression.*\n.*--everyone/)
    const note = ['--note', 'asked by phone', '--until', '2999-12-31T15:00:00Z']
    assert.match(
      await kitte(api, 'add', 'A@x.example', '--account', 'Acme', ...note),
      /^a@x\.example is suppressed for /,
    )
    await kitte(api, 'add', 'b@x.example', '--everyone', '--reason', 'unsubscribed')
    const listed = await kitte(api, 'list')
    assert.match(listed, /^a@x\.example .* manual .* 3000-01-01 00:00:00 +asked by phone$/m)
    assert.match(listed, /^b@x\.example +all +unsubscribed .* removed/m)
    assert.doesNotMatch(await kitte(api, 'list', '--everyone'), /a@x/)
    assert.doesNotMatch(await kitte(api, 'list', '--address', 'A@X.example'), /b@x/)
    assert.match(await kitte(api, 'remove', 'A@x.example', '--account', 'Acme'), /is tried again/)
    assert.match(
      (await run(api, 'remove', 'a@x.example', '--everyone')).err,
      /no suppression of a@x\.example .*\?account=/,
    )
    assert.match((await run(api, 'list', '--reason', 'x')).err, /hard-bounce, complaint, unsubscribed, manual/)
  })

  it('reads again what it printed, and tells of each line that is not usable', async () => {
    await using api = await startApi()
    const account = await api.account('Acme')
    const file = join(api.dataDir, 'list.csv')
    writeFileSync(file, `address,reason,note\r\na@x.example,complaint,"=1+1, or so"\r\nb@x.example,,\r\nnobody,,\r\n`)
    const told = await kitte(api, 'import', file, '--account', 'Acme')
    assert.match(told, /^2 added, 0 replaced, 1 not usable\n[\s\S]*nobody +address: write a mail address/)
    assert.match((await run(api, 'import', file)).out, /a@x\.example +account: is missing/)
    await kitte(api, 'add', 'c@x.example', '--everyone')
    const csv = await kitte(api, 'export')
    const lines = csv.trim().split('\r\n')
    assert.equal(lines.length, 4)
    assert.match(lines[1]!, /^c@x\.example,\*,manual,,,/)
    assert.match(lines[2]!, new RegExp(`^a@x\\.example,${account},complaint,,"'=1\\+1, or so",`))
    const again = join(api.dataDir, 'again.csv')
    writeFileSync(again, csv)
    assert.match(await kitte(api, 'import', again), /^0 added, 3 replaced, 0 not usable$/m)
    const json = await kitte(api, 'export', '--format', 'ndjson', '--account', 'Acme', '--reason', 'complaint')
    assert.equal(JSON.parse(json).address, 'a@x.example')
    const list = join(api.dataDir, 'list.json')
    writeFileSync(list, '["d@x.example", {"address": "e@x.example", "reason": "unsubscribed"}]')
    assert.match(await kitte(api, 'import', list, '--everyone'), /^2 added/)
  })

  it('undoes what fits, and first tells what that is', async () => {
    await using api = await startApi()
    const account = await api.account('Acme')
    for (const n of [1, 2, 3]) {
      const reply = n === 3 ? '550 5.1.1 gone' : '550 5.1.1 lookup failed'
      const evidence = {
        from: 'outcome',
        message: 'm',
        at: n,
        reply,
        class: 'address-unknown',
        remoteMta: null,
      } as const
      await api.store.suppress({
        ...{ account, address: `a${n}@x.example`, reason: 'hard-bounce', note: '', createdAt: n, expiresAt: null },
        ...{ evidence, entry: null, byDefault: true, after: 1, countWithinMs: 1 },
      })
    }
    const filter = ['--account', 'Acme', '--text', 'Lookup FAILED', '--until', '2026-01-01']
    assert.match(await kitte(api, 'undo', ...filter, '--dry-run'), /^2 recipients would be tried again\n[\s\S]*a1@x/)
    assert.match((await run(api, 'undo', '--yes')).err, /which suppressions are meant\?\n.*--all/)
    assert.match(await kitte(api, 'undo', ...filter, '--yes'), /^2 suppressions were removed$/m)
    const left = await api.store.listSuppressions({}, { limit: 9 })
    assert.deepEqual(
      left.map(({ address }) => address),
      ['a3@x.example'],
    )
  })

  it('comes back from an export as it was', async () => {
    await using api = await startApi()
    const account = await api.account('Acme')
    const notes = ['=1+1', "'=1+1", "''-x", '-', '@home', "'quoted'", 'say "no", please', '日本', "it's", '']
    const addresses = notes.map((_, n) => `"a,${n} \\"q\\""@x.example`)
    for (const [n, note] of notes.entries())
      await api.call('POST', '/v1/suppressions', { address: addresses[n], account: n === 0 ? null : account, note })
    const told = async () =>
      (await api.store.listSuppressions({}, { limit: 99 })).map(one => [one.account, one.address, one.reason, one.note])
    const before = await told()
    assert.equal(before.length, notes.length)
    const file = join(api.dataDir, 'all.csv')
    writeFileSync(file, await kitte(api, 'export'))
    await kitte(api, 'undo', '--all', '--yes')
    assert.deepEqual(await told(), [])
    assert.match(await kitte(api, 'import', file), new RegExp(`^${notes.length} added`))
    assert.deepEqual(await told(), before)
  })

  it('reads lists as spreadsheets save them, long notes too', async () => {
    await using api = await startApi()
    await api.account('Acme')
    const files: Record<string, [Buffer, count: number]> = {
      'excel.csv': [Buffer.from('address,note\r\na@x.example,\x93\xfa\x96\x7b\r\n', 'latin1'), 1],
      'utf16.csv': [Buffer.from('\ufeffaddress,note\r\nb@x.example,日本\r\n', 'utf16le'), 1],
      'mac.csv': [Buffer.from('address,note\rc@x.example,日本\rd@x.example,日本\r'), 2],
      'long.csv': [Buffer.from(`address,note\n${longLines(800)}`), 800],
    }
    for (const [name, [bytes, count]] of Object.entries(files)) {
      const file = join(api.dataDir, name)
      writeFileSync(file, bytes)
      assert.match(await kitte(api, 'import', file, '--account', 'Acme'), new RegExp(`^${count} added`), name)
    }
    const stored = await api.store.listSuppressions({}, { limit: 4 })
    assert.deepEqual(
      stored.map(({ address, note }) => [address, note]),
      ['a', 'b', 'c', 'd'].map(name => [`${name}@x.example`, '日本']),
    )
    const broken = join(api.dataDir, 'broken.csv')
    writeFileSync(broken, Buffer.from('address,note\ne@x.example,\xff\xff\n', 'latin1'))
    assert.match((await run(api, 'import', broken, '--account', 'Acme')).err, /neither UTF-8 nor Shift_JIS/)
  })
})

/** More than one call may carry. */
function longLines(count: number): string {
  return Array.from({ length: count }, (_, n) => `z${n}@x.example,${'長'.repeat(1000)}\n`).join('')
}
