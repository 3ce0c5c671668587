/**
 * The case `orders` of `kitte bench` in its smallest size: that every order does what it says, never how fast.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { OrdersResult } from '../../scripts/bench/orders.ts'
import { run, temporaryFolder } from '../support/real/program.ts'

const script = join(import.meta.dirname, '../../scripts/bench/orders.ts')

describe('kitte bench of orders', () => {
  it('asks and orders at a full queue while mail flows, until nothing is left', async () => {
    using folder = temporaryFolder('kitte-bench-test-')
    const small = ['--entries', '400', '--alone', '0', '--forget', 'no']
    const args = [script, ...small, '--folder', folder.path, '--json']
    const { code, stdout, stderr } = await run(process.execPath, args)
    assert.equal(code, 0, stderr + stdout)
    const { entries, questions, orders, purge, besideQuestions, problems } = JSON.parse(stdout) as OrdersResult
    assert.deepEqual([entries, problems, purge], [400, [], null])
    assert.ok(questions.length > 30 && questions.every(({ p50Ms, maxMs }) => p50Ms > 0 && maxMs >= p50Ms))
    assert.ok(besideQuestions.mails > 0)
    const changed = Object.fromEntries(orders.map(one => [one.what, one.changed]))
    assert.ok(changed['hold all']! >= 400 && changed['release all']! >= 400)
    assert.ok(changed['suspend a class']! > 0)
    assert.equal(changed['end the suspension'], changed['suspend a class'])
    assert.deepEqual(readdirSync(folder.path), [], 'nothing is left behind')
  })
})
