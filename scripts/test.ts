/**
 * `npm test`: every check in turn, then one line that counts, taken from mocha's own result.
 *
 * A check before mocha (types, lint, import rule) that fails counts as one failed test, and the rest still runs, so
 * that one run tells everything. `npm test -- FILE …` hands the files to mocha and skips the rest.
 *
 * Test files run side by side, so each is made for a loaded machine. A file that fails all the same runs once more, with
 * the machine to itself, and that result counts; what needed this is named before the last line. It is no pass in
 * silence: such a test met either its own impatience or a race of the code, and somebody has to find out which.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

interface Counts {
  readonly passes: number
  readonly failures: number
  readonly pending: number
}

interface MochaResult {
  readonly stats: Counts
  /** By the path of the test file; without one: what failed outside any. */
  readonly files: Readonly<Record<string, Counts & { readonly ms: number }>>
  readonly failures: readonly { readonly file: string; readonly title: string }[]
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
/** Test files at once. More would only wait: many tests start processes of their own. */
const lanes = Math.min(availableParallelism(), 4)
/** More than so many failed files are no chance. */
const fewFiles = 15

let failedChecks = 0
if (files.length === 0) {
  for (const [name, command, args] of checks) {
    const passed = (await run(command, args)) === 0
    console.log(`${passed ? '✔' : '✘'} ${name}`)
    if (!passed) failedChecks++
  }
}

const first = await runMocha(files.length > 0 ? files : longestFirst(), lanes)
const { stats, again } = await secondTry(first)
if (again.length > 0)
  console.log(`\nPassed only when run again by themselves:\n${again.map(one => `  ${one}\n`).join('')}`)
const passed = stats.passes + (files.length === 0 ? checks.length - failedChecks : 0)
const failed = stats.failures + failedChecks
console.log(`${passed} passed, ${failed} failed${stats.pending > 0 ? `, ${stats.pending} skipped` : ''}`)
process.exitCode = failed === 0 && stats.passes > 0 ? 0 : 1

/** Those that start whole relays or foreign programs before the others, or one lane would still be busy with them at the end. */
function longestFirst(): string[] {
  const all = globSync('test/**/*.test.ts', { cwd: root }).sort()
  const isLong = (file: string) => /^test.(scenario|real|bench|cli)\b/.test(file)
  return [...all.filter(isLong), ...all.filter(file => !isLong(file))]
}

/** The counts with those of the second try in place of the first's, and what passed only then. */
async function secondTry({
  stats,
  files,
  failures,
}: MochaResult): Promise<{ stats: Counts; again: readonly string[] }> {
  const failedFiles = [...new Set(failures.map(({ file }) => file))]
  if (failures.length === 0 || failedFiles.includes('') || failedFiles.length > fewFiles) return { stats, again: [] }
  console.log(`\nOnce more, with the machine to itself: ${failedFiles.join(', ')}`)
  const second = await runMocha(failedFiles, 1)
  const sum = (key: keyof Counts) =>
    failedFiles.reduce((total, file) => total - files[file]![key], stats[key] + second.stats[key])
  const stillFailing = new Set(second.failures.map(({ title }) => title))
  return {
    stats: { passes: sum('passes'), failures: sum('failures'), pending: sum('pending') },
    again: failures.filter(({ title }) => !stillFailing.has(title)).map(({ file, title }) => `${file}: ${title}`),
  }
}

/** Mocha prints for people and writes its result as JSON beside it; a crash without a result counts as one failure. */
async function runMocha(files: readonly string[], jobs: number): Promise<MochaResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kitte-test-'))
  const output = join(folder, 'result.json')
  try {
    const exitCode = await run(process.execPath, [
      'node_modules/mocha/bin/mocha.js',
      '--reporter',
      'test/support/reporter.cjs',
      '--reporter-option',
      `output=${output}`,
      ...(jobs > 1 && files.length > 1 ? ['--parallel', '--jobs', String(jobs)] : []),
      ...files,
    ])
    const result = JSON.parse(readFileSync(output, 'utf8')) as MochaResult
    // Mocha ended badly without counting a failure: a leaked handle, an error outside any test.
    return exitCode !== 0 && result.stats.failures === 0 ? crashed(result) : result
  } catch (error) {
    console.error(`mocha left no result: ${error}`)
    return crashed({ stats: { passes: 0, failures: 0, pending: 0 }, files: {}, failures: [] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function crashed({ stats, files }: MochaResult): MochaResult {
  return { stats: { ...stats, failures: 1 }, files, failures: [{ file: '', title: 'mocha' }] }
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
