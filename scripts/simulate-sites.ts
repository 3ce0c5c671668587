/**
 * Prints how delivery meets receivers of many kinds: `node scripts/simulate-sites.ts [part of a name [minutes]]`.
 *
 * For each: what it refused in all and in the first ten minutes, the minute from which on it was sent at least 80 % of what
 * it takes, the share of that in the last half hour, and how long it took to use what it took again once it took more.
 */
import { cases, judge } from '../test/support/site-cases.ts'
import { simulate } from '../test/support/site-simulation.ts'

const wanted = process.argv[2]
const columns = ['refused', 'first 10', 'last 30', 'steady', 'share', 'recovers']
process.stdout.write(`${''.padEnd(58)}${columns.map(column => column.padStart(9)).join('')}\n`)
for (const one of cases) {
  if (wanted !== undefined && !one.name.includes(wanted)) continue
  const ran = await simulate(one)
  const { refused, first, steadyAfter, share, recovery, refusedLater } = judge(one, ran)
  const cells = [
    `${refused}`,
    `${first}`,
    `${refusedLater}`,
    `${steadyAfter ?? '-'}`,
    `${Math.round(share * 100)} %`,
    `${recovery ?? '-'}`,
  ]
  process.stdout.write(`${one.name.padEnd(58)}${cells.map(cell => cell.padStart(9)).join('')}\n`)
  if (process.argv[3] === 'minutes')
    process.stdout.write(
      `   ${ran.taken.map((n, at) => `${n}${ran.refused[at] ? `!${ran.refused[at]}` : ''}`).join(' ')}\n`,
    )
}
