/**
 * The case `dead-site` of `kitte bench` in its smallest size: that it fills, measures and starts again, never how fast.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DeadSiteResult } from '../../scripts/bench/dead-site.ts'
import { readOptions } from '../../scripts/bench/options.ts'
import { run, temporaryFolder } from '../support/real/program.ts'

const script = join(import.meta.dirname, '../../scripts/bench/bench.ts')

describe('kitte bench beside a dead site', () => {
  it('measures a full queue and an empty one in turn, over HTTP too, and a restart', async () => {
    using folder = temporaryFolder('kitte-bench-test-')
    const small = ['--case', 'dead-site', '--entries', '300', '--rounds', '1', '--messages', '20']
    const { code, stdout, stderr } = await run(process.execPath, [script, ...small, '--folder', folder.path, '--json'])
    assert.equal(code, 0, stderr)
    const { deadSite } = JSON.parse(stdout) as { deadSite: DeadSiteResult }
    assert.deepEqual(
      deadSite.sides.map(({ entries }) => entries),
      [0, 300],
    )
    for (const side of deadSite.sides) {
      const { before, most, after } = side.pssBytes
      assert.ok(before > 10_000_000 && most >= after)
      assert.ok(side.readyMs > 0 && side.stopMs > 0 && side.readyAgainMs > 0)
      assert.ok(side.perSecond.median > 0 && side.acceptedPerSecond.median > 0)
      assert.ok(side.http.some(({ path, p50Ms, maxMs }) => path === '/v1/queue' && p50Ms > 0 && maxMs >= p50Ms))
    }
    assert.ok(deadSite.ratios.perSecond.median > 0)
    assert.deepEqual(readdirSync(folder.path), [], 'nothing is left behind')
  })

  it('is asked for by its name, alone or among others', () => {
    assert.equal(readOptions([]).deadSite, null)
    const options = readOptions(['--case', 'c20,dead-site', '--entries', '7'])
    assert.deepEqual(options.deadSite, { entries: 7, messages: null })
    assert.deepEqual(
      options.cases.map(({ name }) => name),
      ['c20'],
    )
  })
})
