/**
 * What the case `dead-site` found, for people.
 */
import { table } from '../../src/cli/table.ts'
import type { DeadSiteResult, DeadSiteSide } from './dead-site.ts'
import type { Spread } from './statistics.ts'

export function deadSiteText({ messages, rounds, fillSeconds, sides, ratios }: DeadSiteResult): string {
  return [
    `dead-site: 4.9 KB, 20 sessions, beside a queue for a site that refuses every connection; ${rounds} rounds of ${messages} messages in turn`,
    `(entries written straight into the store, in ${fillSeconds.toFixed(0)} s)`,
    '',
    ratesTable(sides, ratios),
    '',
    table(
      [
        '',
        'ready after',
        'CPU s of it',
        'stopped in',
        'ready again',
        'CPU s of it',
        'PSS before',
        'most',
        'after',
        'database',
      ],
      sides.map(lifeOf),
    ),
    '',
    httpTable(sides),
  ].join('\n')
}

function ratesTable(sides: readonly DeadSiteSide[], ratios: DeadSiteResult['ratios']): string {
  const row = (name: string, digits: number, of: DeadSiteResult['ratios']) => [
    name,
    text(of.acceptedPerSecond, digits),
    text(of.perSecond, digits),
    text(of.cpuSecondsPer1000, 2),
  ]
  return table(
    ['median (min–max)', 'accepted/s', 'end to end/s', 'CPU s per 1,000'],
    [...sides.map(side => row(side.name, 0, side)), row('with / without', 2, ratios)],
  )
}

function lifeOf({
  name,
  readyMs,
  stopMs,
  readyAgainMs,
  readyCpuSeconds,
  pssBytes,
  databaseBytes,
}: DeadSiteSide): string[] {
  const [ready, stopped, again] = [readyMs, stopMs, readyAgainMs].map(ms => `${(ms / 1000).toFixed(1)} s`)
  const [cpu, cpuAgain] = readyCpuSeconds.map(seconds => seconds.toFixed(1))
  const sizes = [pssBytes.before, pssBytes.most, pssBytes.after, databaseBytes]
  return [name, ready!, cpu!, stopped!, again!, cpuAgain!, ...sizes.map(bytes => `${(bytes / 1e6).toFixed(0)} MB`)]
}

/** Both sides in the same rows. */
function httpTable([empty, dead]: readonly DeadSiteSide[]): string {
  return table(
    ['HTTP while mail flows, ms', 'empty: p50', 'max', 'dead site: p50', 'max'],
    dead!.http.map(({ path, p50Ms, maxMs }, index) => {
      const other = empty!.http[index]!
      return [path, ...[other.p50Ms, other.maxMs, p50Ms, maxMs].map(ms => ms.toFixed(1))]
    }),
  )
}

function text({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}
