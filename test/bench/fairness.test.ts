/**
 * The case `fairness` of `kitte bench` in its smallest size: that it runs and counts, never how fast or how even.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions } from '../../scripts/bench/options.ts'
import type { TenAccountsResult } from '../../scripts/bench/ten-accounts.ts'
import { tenAccountsText } from '../../scripts/bench/ten-accounts-report.ts'
import { run, temporaryFolder } from '../support/real/program.ts'

const script = join(import.meta.dirname, '../../scripts/bench/bench.ts')

describe('kitte bench with ten accounts, one of them flooding', () => {
  it("tells Jain's index of the other nine and how long their mail took, without the flood and beside it", async () => {
    using folder = temporaryFolder('kitte-bench-test-')
    const small = ['--case', 'fairness', '--messages', '1']
    const { code, stdout, stderr } = await run(process.execPath, [script, ...small, '--folder', folder.path, '--json'])
    assert.equal(code, 0, stderr)
    const { fairness: found } = JSON.parse(stdout) as { fairness: TenAccountsResult }
    assert.deepEqual([found.accounts, found.messages], [10, 1])
    assert.ok(found.flood.messages >= 20)
    for (const { index, arrivedMs, worstP95Ms } of [found.idle, found.flooded]) {
      assert.ok(index > 1 / 9 - 1e-9 && index <= 1 + 1e-9, `${index}`)
      assert.ok(worstP95Ms >= arrivedMs.p50)
    }
    assert.match(tenAccountsText(found), /^beside the flood {2,}[01]\.\d{3} /m)
    assert.deepEqual(readdirSync(folder.path), [], 'nothing is left behind')
  })

  it('is asked for by its name', () => {
    assert.equal(readOptions([]).fairness, null)
    assert.deepEqual(readOptions(['--case', 'fairness']).fairness, { messages: null })
  })
})
