/**
 * What the case `tarpit` found, for people.
 */
import { table } from '../../src/cli/table.ts'
import { type Percentiles, type Spread, spreadOf } from './statistics.ts'
import type { TarpitResult } from './tarpit.ts'

export function tarpitText(result: TarpitResult): string {
  const { entries, messages, perSecond, ratios, throttling, tarpit } = result
  const { limits, minutes, mostPerMinute } = throttling
  const now = limits === null ? 'nothing waits there any more' : limitsText(limits)
  return [
    `tarpit: 4.9 KB, ${perSecond} mails a second to a normal site, rounds of ${messages}, beside ${entries} entries for a site that answers each command 10 s late`,
    `and ${throttling.entries} for one that takes ${mostPerMinute} messages a minute and then says 421`,
    '',
    timesTable(result),
    '',
    `p95 beside them / without: due to 250 ${spreadText(ratios.acceptedP95)}, due to arrival ${spreadText(ratios.arrivedP95)}`,
    `CPU of the relay in a round: without ${cpuText(result.idle)}, beside them ${cpuText(result.beside)}`,
    `the tarpit has ${tarpit.open} connections and took ${tarpit.accepted} messages`,
    `the throttling site, in force at the end: ${now}`,
    '',
    table(
      ['minute', 'accepted', 'refused'],
      minutes.map(({ accepted, refused }, index) => [index + 1, accepted, refused]),
    ),
  ].join('\n')
}

function limitsText({ connections, perMinute, adapted }: NonNullable<TarpitResult['throttling']['limits']>): string {
  const rate = perMinute === null ? 'any rate' : `${perMinute} a minute`
  return `${connections} connections, ${rate}${adapted === null ? '' : `, because of "${adapted.reply}"`}`
}

function timesTable({ idle, beside }: TarpitResult): string {
  const rows = [
    ['without: due to 250', idle.map(round => round.acceptedMs)],
    ['without: due to arrival', idle.map(round => round.arrivedMs)],
    ['beside them: due to 250', beside.map(round => round.acceptedMs)],
    ['beside them: due to arrival', beside.map(round => round.arrivedMs)],
  ] as const
  return table(
    ['ms, median of rounds', 'p50', 'p95', 'p99', 'max'],
    rows.map(([label, rounds]) => [label, ...(['p50', 'p95', 'p99', 'max'] as const).map(of => median(rounds, of))]),
  )
}

function median(rounds: readonly Percentiles[], of: keyof Percentiles): string {
  return spreadOf(rounds.map(round => round[of])).median.toFixed(1)
}

function cpuText(rounds: TarpitResult['idle']): string {
  return rounds.map(({ cpuSeconds }) => `${cpuSeconds.toFixed(1)} s`).join(', ')
}

function spreadText({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`
}
