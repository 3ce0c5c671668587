/**
 * The result for people.
 */
import { table } from '../../src/cli/table.ts'
import { latencyText } from './latency-report.ts'
import type { Machine } from './machine.ts'
import type { BenchResult, CaseResult, Ratio, SubjectResult } from './result.ts'
import { type Spread, spreadOf } from './statistics.ts'
import { type ThreadKind, threadKinds } from './thread-times.ts'

export function machineText(machine: Machine): string {
  const { cpu, cores, memoryBytes, kernel, node, rsa2048SignaturesPerSecond, folderInMemory, loadBefore } = machine
  const signatures = rsa2048SignaturesPerSecond?.toFixed(0) ?? 'unknown (no openssl)'
  const memory = (memoryBytes / 2 ** 30).toFixed(1)
  return [
    `machine: ${cpu}, ${cores} cores, ${memory} GiB, Linux ${kernel}, Node ${node}`,
    `RSA-2048 signatures/s on one core (openssl speed): ${signatures}; load average before: ${loadBefore.join(' ')}`,
    ...(folderInMemory
      ? ['the queues stand in memory (tmpfs): a sync costs nothing here; choose a disk by --folder']
      : []),
  ].join('\n')
}

export function caseText(result: CaseResult): string {
  const { name, description, messages, rounds, load, othersShare, subjects, ratios } = result
  const tools =
    load === 'own'
      ? 'load and sink of our own; Kitte with AUTH, peers trust loopback'
      : 'load by smtp-source, sink smtp-sink; all trust loopback, because smtp-source has no AUTH'
  return [
    `${name}: ${description}; ${rounds} rounds of ${messages} messages in turn; ${tools}`,
    '',
    ratesTable(subjects),
    ...threadsText(subjects),
    ...(ratios.length === 0 ? [] : ['', ratiosTable(ratios)]),
    '',
    checksTable(subjects),
    '',
    latencyText(subjects),
    '',
    `used by others: ${percent(othersShare.median)} of the cores (${percent(othersShare.min)}–${percent(othersShare.max)})`,
    ...subjects.flatMap(subject => subject.problems.map(problem => `FAILED: ${subject.name}: ${problem}`)),
  ].join('\n')
}

export function endText({ skipped, failures }: BenchResult): string {
  return [
    ...skipped.map(({ name, reason }) => `skipped: ${name}: ${reason}`),
    ...failures.map(({ name, reason }) => `FAILED: ${name}: ${reason}`),
  ].join('\n')
}

function ratesTable(subjects: readonly SubjectResult[]): string {
  return table(
    ['median (min–max)', 'accepted/s', 'end to end/s', 'CPU s per 1,000', 'peak PSS'],
    subjects.map(subject => [
      subject.name,
      spreadText(subject.acceptedPerSecond, 0),
      spreadText(subject.perSecond, 0),
      spreadText(subject.cpuSecondsPer1000, 2),
      `${(subject.peakPssBytes / 1e6).toFixed(0)} MB`,
    ]),
  )
}

/** Medians of the rounds. */
function threadsText(subjects: readonly SubjectResult[]): string[] {
  const rows = subjects.flatMap(({ name, rounds }) => {
    const times = rounds.flatMap(({ threadMicros }) => threadMicros ?? [])
    if (times.length === 0) return []
    const median = (kind: ThreadKind) => spreadOf(times.map(time => time[kind])).median
    return [[name, ...threadKinds.map(kind => median(kind).toFixed(0))]]
  })
  return rows.length === 0 ? [] : ['', table(['CPU µs a message, by thread', ...threadKinds], rows)]
}

function ratiosTable(ratios: readonly Ratio[]): string {
  return table(
    ['ratio per round', 'accepted/s', 'end to end/s', 'CPU s per 1,000'],
    ratios.map(ratio => [
      `${ratio.subject} / ${ratio.peer}`,
      spreadText(ratio.acceptedPerSecond, 2),
      spreadText(ratio.perSecond, 2),
      spreadText(ratio.cpuSecondsPer1000, 2),
    ]),
  )
}

/** Of the last run: that everything came once and verifies. */
function checksTable(subjects: readonly SubjectResult[]): string {
  return table(
    ['last run', 'at half its rate', 'arrived once', 'DKIM verifies', 'used by others'],
    subjects.map(({ name, check: { perSecond, copies, dkim, othersShare } }) => [
      name,
      `${perSecond.toFixed(0)}/s`,
      `${copies.different} of ${copies.expected}`,
      `${dkim.passed} of ${dkim.looked} (${dkim.verifier})`,
      percent(othersShare),
    ]),
  )
}

export function spreadText({ median, min, max }: Spread, digits: number): string {
  if (Number.isNaN(median)) return 'unknown'
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
