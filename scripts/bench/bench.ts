/**
 * `kitte bench`: load → relay → sink on loopback, Kitte and its peers in turn, with bounded counts and time.
 *
 * Prints what it found, as JSON with --json; progress goes to stderr. Ends with 1 when a case failed: a relay refused,
 * lost or doubled mail, a signature did not verify, or the time was up. What can't be measured here is skipped aloud.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError } from '../../src/cli/cli-error.ts'
import { type DeadSiteResult, runDeadSite } from './dead-site.ts'
import { deadSiteText } from './dead-site-report.ts'
import { describeMachine } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { lacking } from './peers.ts'
import { caseText, endText, machineText } from './report.ts'
import type { BenchResult, CaseResult } from './result.ts'
import { runCase } from './run-case.ts'
import { runTarpit, type TarpitResult } from './tarpit.ts'
import { tarpitText } from './tarpit-report.ts'
import { runTenAccounts, type TenAccountsResult } from './ten-accounts.ts'
import { tenAccountsText } from './ten-accounts-report.ts'

const tell = (text: string) => process.stderr.write(`${text}\n`)

// What was started is ended by its handlers of 'exit'.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

try {
  const options = readOptions(process.argv.slice(2))
  const result = await bench(options)
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  const problems = result.cases.flatMap(({ subjects }) => subjects.flatMap(subject => subject.problems))
  process.exitCode = problems.length + result.failures.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof CliError)) throw error
  tell(`kitte bench: ${error.message}\n  ${error.mend}`)
  process.exitCode = 1
}

interface Results extends BenchResult {
  readonly deadSite: DeadSiteResult | null
  readonly tarpit: TarpitResult | null
  readonly fairness: TenAccountsResult | null
}

async function bench(options: Options): Promise<Results> {
  const folder = makeFolder(options.folder ?? tmpdir())
  const print = (text: string) => void (options.json || process.stdout.write(`${text}\n`))
  const machine = await describeMachine(folder)
  print(`${machineText(machine)}\n`)
  const lackingPeers = options.peers
    .flatMap(name => ({ name, reason: lacking(name) ?? '' }))
    .filter(({ reason }) => reason)
  const peers = options.peers.filter(name => lacking(name) === null)
  const cases: CaseResult[] = []
  const [skipped, failures]: [BenchResult['skipped'][number][], BenchResult['failures'][number][]] = [lackingPeers, []]
  for (const work of options.cases) {
    try {
      const result = await runCase(work, { ...options, peers }, join(folder, work.name), tell)
      cases.push(result)
      print(`${caseText(result)}\n`)
    } catch (error) {
      // A case that this machine can't do is no failure; everything else is told and the next case begins.
      const entry = { name: work.name, reason: (error as Error).message }
      if (error instanceof CliError) skipped.push(entry)
      else failures.push(entry)
    }
  }
  const deadSite = await measureDeadSite(options, join(folder, 'dead-site'), failures)
  if (deadSite) print(`${deadSiteText(deadSite)}\n`)
  const tarpit = await measureTarpit(options, join(folder, 'tarpit'), failures)
  if (tarpit) print(`${tarpitText(tarpit)}\n`)
  const fairness = await measureFairness(options, join(folder, 'fairness'), failures)
  if (fairness) print(`${tenAccountsText(fairness)}\n`)
  const result = { machine, cases, deadSite, tarpit, fairness, skipped, failures }
  print(endText(result))
  return result
}

async function measureTarpit(
  options: Options,
  folder: string,
  failures: BenchResult['failures'][number][],
): Promise<TarpitResult | null> {
  if (!options.tarpit) return null
  try {
    return await runTarpit({ ...options, ...options.tarpit }, folder, tell)
  } catch (error) {
    failures.push({ name: 'tarpit', reason: (error as Error).message })
    return null
  }
}

async function measureFairness(
  options: Options,
  folder: string,
  failures: BenchResult['failures'][number][],
): Promise<TenAccountsResult | null> {
  if (!options.fairness) return null
  try {
    return await runTenAccounts({ ...options, ...options.fairness }, folder)
  } catch (error) {
    failures.push({ name: 'fairness', reason: (error as Error).message })
    return null
  }
}

async function measureDeadSite(
  options: Options,
  folder: string,
  failures: BenchResult['failures'][number][],
): Promise<DeadSiteResult | null> {
  if (!options.deadSite) return null
  try {
    return await runDeadSite({ ...options, ...options.deadSite }, folder, tell)
  } catch (error) {
    failures.push({ name: 'dead-site', reason: (error as Error).message })
    return null
  }
}

/** Gone at the end, however it comes. */
function makeFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, 'kitte-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  // Relays give up their privileges, and still must reach what is theirs.
  chmodSync(folder, 0o755)
  return folder
}
