/**
 * What the case `fairness` found, for people.
 */
import { table } from '../../src/cli/table.ts'
import type { Nine, TenAccountsResult } from './ten-accounts.ts'

export function tenAccountsText({ messages, perSecond, idle, flooded, flood }: TenAccountsResult): string {
  return [
    `fairness: nine accounts with ${messages} mails each, ${perSecond} a second, without and beside a tenth that floods the same site`,
    '',
    table(
      ['the nine, ms from due to arrival', "Jain's index", 'of delays', 'p50', 'p95', 'p99', 'max', 'p95 of the worst'],
      [row('without', idle), row('beside the flood', flooded)],
    ),
    '',
    `p95 beside it / without: ${(flooded.arrivedMs.p95 / idle.arrivedMs.p95).toFixed(2)}`,
    `the flood: ${flood.messages} mails, ${flood.acceptedPerSecond.toFixed(0)} a second`,
  ].join('\n')
}

function row(label: string, { index, delayIndex, arrivedMs: { p50, p95, p99, max }, worstP95Ms }: Nine): string[] {
  return [label, index.toFixed(3), delayIndex.toFixed(3), ...[p50, p95, p99, max, worstP95Ms].map(ms => ms.toFixed(1))]
}
