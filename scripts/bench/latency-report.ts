/**
 * The times of a result for people: how long clients wait, how late the relay's threads are, what the heavy ones heard.
 */
import { table } from '../../src/cli/table.ts'
import type { Fairness } from './fairness.ts'
import type { HeavyKind } from './heavy-load.ts'
import type { SubjectResult } from './result.ts'
import type { Percentiles } from './statistics.ts'

type Row = readonly string[]

/** Beside the rates of these runs stand those of others: half of one's own is not the same for all. */
export function latencyText(subjects: readonly SubjectResult[]): string {
  const heavy = subjects.flatMap(({ name, check }) => (check.heavy?.kinds ?? []).map(kind => heavyRow(name, kind)))
  return [
    table(['ms', 'p50', 'p95', 'p99', 'max'], subjects.flatMap(rowsOf)),
    ...(heavy.length === 0 ? [] : ['', table(['beside it', 'sent', 'answers', 'slowest, ms'], heavy)]),
  ].join('\n')
}

function rowsOf({ name, check, fairness }: SubjectResult): Row[] {
  return [
    row(`${name}: final dot to 250`, check.latencyMs),
    row(`${name}: due to 250`, check.transactionMs),
    ...Object.entries(check.loopDelayMs ?? {}).map(([thread, delay]) => row(`${name}: event loop of ${thread}`, delay)),
    ...(fairness === null ? [] : fairnessRows(name, fairness)),
  ]
}

function fairnessRows(name: string, { alone, flooded, flood }: Fairness): Row[] {
  const rate = `${flood.acceptedPerSecond.toFixed(0)}/s`
  return [
    row(`${name}: another account, alone: due to 250`, alone.acceptedMs),
    row(`${name}: the same, due to arrival`, alone.arrivedMs),
    row(`${name}: beside a flood of ${rate} accepted: due to 250`, flooded.acceptedMs),
    row(`${name}: the same, due to arrival`, flooded.arrivedMs),
  ]
}

function row(label: string, times: Omit<Percentiles, 'p95'> & Partial<Percentiles>): Row {
  const { p50, p95, p99, max } = times
  return [label, ...[p50, p95, p99, max].map(ms => ms?.toFixed(1) ?? '')]
}

function heavyRow(name: string, { kind, answers, slowestMs }: HeavyKind): Row {
  const counts = Object.entries(answers)
  const sent = counts.reduce((sum, [, count]) => sum + count, 0)
  return [
    `${name}: ${kind}`,
    String(sent),
    counts.map(([answer, count]) => `${count} × ${answer}`).join(', '),
    slowestMs.toFixed(0),
  ]
}
