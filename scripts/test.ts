/**
 * `npm test`: every check in turn, then one line that counts, taken from mocha's own result.
 *
 * A check before mocha (types, lint, import rule) that fails counts as one failed test, and the rest still runs, so
 * that one run tells everything. `npm test -- FILE …` hands the files to mocha and skips the rest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface MochaResult {
  readonly stats: { readonly passes: number; readonly failures: number; readonly pending: number }
}

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)
const files = process.argv.slice(2)

const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['types', bin('tsc'), []],
  ['lint and format', bin('biome'), ['check', '.']],
  ['import rule', process.execPath, ['scripts/check-imports.ts']],
  ['configuration table', process.execPath, ['scripts/config-reference.ts', '--check']],
  ['dashboard', process.execPath, ['scripts/monitoring.ts', '--check']],
  ['table of classes', process.execPath, ['scripts/class-reference.ts', '--check']],
  ['delivery log table', process.execPath, ['scripts/log-reference.ts', '--check']],
]

/** Types of a test or a source file are stripped once, not in every run; programs that tests start profit too. */
const compileCache = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'kitte') }

let failedChecks = 0
if (files.length === 0) {
  for (const [name, command, args] of checks) {
    const passed = (await run(command, args)) === 0
    console.log(`${passed ? '✔' : '✘'} ${name}`)
    if (!passed) failedChecks++
  }
}

const result = await runMocha()
const passed = result.stats.passes + (files.length === 0 ? checks.length - failedChecks : 0)
const failed = result.stats.failures + failedChecks
console.log(`${passed} passed, ${failed} failed${result.stats.pending > 0 ? `, ${result.stats.pending} skipped` : ''}`)
process.exitCode = failed === 0 && result.stats.passes > 0 ? 0 : 1

/** Mocha prints for people and writes its result as JSON beside it; a crash without a result counts as one failure. */
async function runMocha(): Promise<MochaResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kitte-test-'))
  const output = join(folder, 'result.json')
  try {
    const exitCode = await run(process.execPath, [
      'node_modules/mocha/bin/mocha.js',
      '--reporter',
      'test/support/reporter.cjs',
      '--reporter-option',
      `output=${output}`,
      ...(files.length > 0 ? files : ['test/**/*.test.ts']),
    ])
    const result = JSON.parse(readFileSync(output, 'utf8')) as MochaResult
    // Mocha ended badly without counting a failure: a leaked handle, an error outside any test.
    return exitCode !== 0 && result.stats.failures === 0 ? { stats: { ...result.stats, failures: 1 } } : result
  } catch (error) {
    console.error(`mocha left no result: ${error}`)
    return { stats: { passes: 0, failures: 1, pending: 0 } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise(resolve => {
    const env = { ...compileCache, ...process.env }
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', error => {
      console.error(`${command}: ${error.message}`)
      resolve(1)
    })
    child.once('exit', code => resolve(code ?? 1))
  })
}
