/**
 * `kitte domain volume`: how much it sends to the large receivers, toward a bulk sender, and the checklist for one.
 */
import type { Command } from 'commander'
import type { VolumeAnswer } from '../admin/routes/domain-volume.ts'
import { type CliContext, colour, connect, show } from './context.ts'
import { table } from './table.ts'

type Style = Parameters<typeof colour>[1]

const cells = 20
const daysShown = 14
const gaugeStyles: Readonly<Record<VolumeAnswer['gauges'][number]['state'], Style>> = {
  below: 'green',
  near: 'yellow',
  'bulk-sender': 'bold',
}
const marks: Readonly<Record<VolumeAnswer['checklist'][number]['state'], readonly [string, Style]>> = {
  done: ['✓', 'green'],
  missing: ['✗', 'red'],
  unknown: ['?', 'yellow'],
}

export function registerVolume(domain: Command, context: CliContext): void {
  domain
    .command('volume')
    .argument('<name>', 'a registered sender domain')
    .description('tell how much it sends each day to the large receivers, with the checklist for bulk senders')
    .action(async (name: string, _options: object, command: Command) => {
      const path = `/v1/domains/${encodeURIComponent(name)}/volume`
      show(context, command, await connect(context, command).get<VolumeAnswer>(path), answer => text(context, answer))
    })
}

function text(context: CliContext, answer: VolumeAnswer): string {
  const heading = `${answer.domain} on ${answer.today} (${answer.timeZone})`
  const gauges = answer.gauges.flatMap(({ receiver, limit, organisation, ...own }) => {
    const sum =
      organisation === null
        ? []
        : [gaugeText(context, `${organisation.name} (組織全体 / organisation)`, limit, organisation)]
    return [gaugeText(context, receiver.name.en, limit, own), ...sum]
  })
  const checklist = answer.checklist.map(entry => entryText(context, entry))
  return [[heading, ...gauges].join('\n'), checklist.join('\n'), daysText(answer)].join('\n\n')
}

type Filled = NonNullable<VolumeAnswer['gauges'][number]['organisation']>

function gaugeText(
  context: CliContext,
  name: string,
  limit: number,
  { today, share, most, state }: Omit<Filled, 'name'>,
) {
  const filled = Math.min(cells, Math.round(share * cells))
  const bar = colour(context, gaugeStyles[state], '█'.repeat(filled)) + '░'.repeat(cells - filled)
  const numbers = `${today} of ${limit} today (${Math.floor(share * 100)} %)`
  const highest = most === null || most.delivered <= today ? '' : `, most ${most.delivered} on ${most.day}`
  const meaning = {
    below: '',
    near: '  near: bulk-sender rules soon apply',
    'bulk-sender': '  bulk sender: its rules apply',
  }
  return `${name.padEnd(12)} ${bar} ${numbers}${highest}${meaning[state]}`
}

function entryText(context: CliContext, { item, state, message, fix }: VolumeAnswer['checklist'][number]): string {
  const [mark, style] = marks[state]
  const lines = state === 'done' ? [message.ja, message.en] : [message.ja, fix.ja, message.en, fix.en]
  return [`${colour(context, style, mark)} ${item}`, ...lines.map(line => `  ${line}`)].join('\n')
}

function daysText({ days }: VolumeAnswer): string {
  const newest = [...new Set(days.map(({ day }) => day))].slice(0, daysShown)
  return table(
    ['day', 'receiver', 'delivered', 'deferred', 'bounced', 'complained'],
    days
      .filter(({ day }) => newest.includes(day))
      .map(row => [row.day, row.receiver.name.en, row.delivered, row.deferred, row.bounced, row.complained]),
    'nothing was sent yet',
  )
}
