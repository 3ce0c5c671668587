/**
 * `kitte bench` end to end in its smallest size: that it measures and checks, never how fast.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions } from '../../scripts/bench/options.ts'
import { lacking } from '../../scripts/bench/peers.ts'
import type { BenchResult } from '../../scripts/bench/result.ts'
import { CliError } from '../../src/cli/cli-error.ts'
import { findProgram, run, temporaryFolder } from '../support/real/program.ts'

const command = join(import.meta.dirname, '../../src/kitte.ts')

function bench(...args: string[]) {
  return run(process.execPath, [command, 'bench', ...args])
}

describe('kitte bench', () => {
  it('measures a case and checks that each message arrives once and verifies', async () => {
    using folder = temporaryFolder('kitte-bench-test-')
    const small = ['--case', 'multi', '--rounds', '1', '--messages', '20']
    const { code, stdout, stderr } = await bench(...small, '--folder', folder.path, '--json')
    assert.equal(code, 0, stderr)
    const { machine, cases, skipped, failures } = JSON.parse(stdout) as BenchResult
    assert.ok(machine.cores >= 1)
    assert.deepEqual(failures, [])
    assert.deepEqual(skipped, [])
    const [measured] = cases
    assert.equal(cases.length, 1)
    assert.equal(measured!.messages, 20)
    const kitte = measured!.subjects.find(({ name }) => name === 'kitte')!
    assert.equal(kitte.rounds.length, 1)
    for (const spread of [kitte.perSecond, kitte.acceptedPerSecond, kitte.cpuSecondsPer1000]) {
      assert.ok(spread.min > 0 && spread.min <= spread.median && spread.median <= spread.max)
    }
    assert.ok(kitte.peakPssBytes > 10_000_000)
    assert.deepEqual(kitte.check.copies, { expected: 200, arrived: 200, different: 200 })
    assert.ok(kitte.check.dkim.looked > 0)
    assert.equal(kitte.check.dkim.passed, kitte.check.dkim.looked)
    assert.ok(kitte.check.latencyMs.p50 > 0 && kitte.check.latencyMs.p50 <= kitte.check.latencyMs.max)
    assert.ok(kitte.check.transactionMs.max >= kitte.check.latencyMs.max, 'the answer to the dot is part of it')
    assert.deepEqual(Object.keys(kitte.check.loopDelayMs!), ['main', 'data-plane-0'])
    assert.deepEqual(kitte.problems, [])
    assert.deepEqual(readdirSync(folder.path), [], 'nothing is left behind')
  })

  it('ends what takes too long, and says so', async () => {
    const endless = ['--case', 'starttls', '--rounds', '1', '--messages', '1000000', '--time-limit', '3', '--json']
    const { code, stdout } = await bench(...endless)
    assert.equal(code, 1)
    const [failure] = (JSON.parse(stdout) as BenchResult).failures
    assert.deepEqual(failure, { name: 'starttls', reason: 'not done within 3 s' })
  })

  it('says plainly which peer is not installed', () => {
    const reason = findProgram('haraka') === null ? /^not installed \(haraka\)$/ : /^installed, but kitte bench can not/
    for (const name of readOptions(['--peer', 'haraka']).peers) assert.match(lacking(name) ?? '', reason)
    assert.deepEqual(readOptions(['--peer', 'haraka,exim']).peers, ['haraka', 'exim'])
  })

  it('names the cases and peers there are', () => {
    const mended = (mend: RegExp) => (error: unknown) => error instanceof CliError && mend.test(error.mend)
    assert.throws(() => readOptions(['--case', 'c21']), mended(/^the cases are c20, c100, /))
    assert.throws(() => readOptions(['--peer', 'sendmail']), mended(/^the peers are postfix-opendkim, /))
    assert.throws(() => readOptions(['--rounds', 'many']), mended(/^write a whole number from 1 to 50$/))
    assert.throws(() => readOptions(['--speed', 'high']), mended(/^the cases are /))
  })
})
