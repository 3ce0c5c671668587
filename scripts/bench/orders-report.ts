/**
 * What the case `orders` found, for people.
 */
import { table } from '../../src/cli/table.ts'
import type { Accepted, OrdersResult, OrderTaken } from './orders.ts'
import { machineText } from './report.ts'

export function ordersText({ machine, entries, rate, fillSeconds, readyMs, ...found }: OrdersResult): string {
  const { alone, besideQuestions, questions, orders, purge, problems } = found
  const count = entries.toLocaleString('en')
  return [
    machineText(machine),
    '',
    `orders: ${count} entries wait, ${count} messages are finished (written straight into the store in ${fillSeconds.toFixed(0)} s); ready after ${(readyMs / 1000).toFixed(1)} s; ${rate} mails a second meanwhile`,
    '',
    table(
      ['', 'changed', 'answered, ms', 'done, s', 'PSS at most', ...acceptHeadings],
      [
        ['mail alone', '', '', '', '', ...acceptCells(alone)],
        ['beside questions', '', '', '', '', ...acceptCells(besideQuestions)],
        ...[...orders, ...(purge ? [purge] : [])].map(orderCells),
      ],
    ),
    '',
    table(
      ['question, ms', 'p50', 'max'],
      questions.map(({ what, p50Ms, maxMs }) => [what, p50Ms.toFixed(1), maxMs.toFixed(1)]),
    ),
    '',
    problems.length === 0 ? 'the counts added up at every look, all mail arrived' : problems.join('\n'),
    '',
  ].join('\n')
}

const acceptHeadings = ['mails', 'accept p50', 'p99', 'max, ms']

function acceptCells({ mails, acceptMs: { p50, p99, max } }: Accepted): string[] {
  return [String(mails), ...[p50, p99, max].map(ms => ms.toFixed(1))]
}

function orderCells(one: OrderTaken): string[] {
  const { what, changed, answeredMs, seconds, pssBytes } = one
  return [
    what,
    changed.toLocaleString('en'),
    answeredMs.toFixed(0),
    seconds.toFixed(1),
    `${(pssBytes / 1e6).toFixed(0)} MB`,
    ...acceptCells(one),
  ]
}
