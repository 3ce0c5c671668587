/**
 * The case `tarpit` of `kitte bench` in its smallest size: that it fills, measures and counts, never how fast.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions } from '../../scripts/bench/options.ts'
import type { TarpitResult } from '../../scripts/bench/tarpit.ts'
import { run, temporaryFolder } from '../support/real/program.ts'

const script = join(import.meta.dirname, '../../scripts/bench/bench.ts')

describe('kitte bench beside a tarpit and a site that throttles', () => {
  it('measures mail to a normal site without them and beside them, and counts what the others took', async () => {
    using folder = temporaryFolder('kitte-bench-test-')
    const small = ['--case', 'tarpit', '--entries', '200', '--rounds', '1', '--messages', '20']
    const { code, stdout, stderr } = await run(process.execPath, [script, ...small, '--folder', folder.path, '--json'])
    assert.equal(code, 0, stderr)
    const { tarpit: found } = JSON.parse(stdout) as { tarpit: TarpitResult }
    assert.deepEqual([found.entries, found.messages, found.idle.length, found.beside.length], [200, 20, 1, 1])
    assert.ok(found.ratios.arrivedP95.median > 0)
    assert.equal(found.tarpit.accepted, 0, 'it has hardly said hello')
    const [first] = found.throttling.minutes
    assert.ok(first !== undefined && first.accepted > 0)
    assert.deepEqual(readdirSync(folder.path), [], 'nothing is left behind')
  })

  it('is asked for by its name', () => {
    assert.equal(readOptions([]).tarpit, null)
    assert.deepEqual(readOptions(['--case', 'tarpit']).tarpit, { entries: 20_000, messages: null })
  })
})
