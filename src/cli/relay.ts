/**
 * `kitte relay`: the DNS records to publish for the relay itself, and how they stand now.
 */
import type { Command } from 'commander'
import type { DkimZoneAnswer, RelayAnswer } from '../admin/routes/relay.ts'
import { type CliContext, commonOptions, connect, show } from './context.ts'
import { recordText } from './record-text.ts'
import { facts } from './table.ts'
import { timesOf } from './times.ts'

export function register(program: Command, context: CliContext): void {
  const relay = program.command('relay').description('the relay itself: its name, its addresses, its own DNS records')
  relay
    .command('show')
    .description('print the records to publish for the relay itself, their state, the reason and the fix')
    .action(async (_options: object, command: Command) => {
      showRelay(context, command, await connect(context, command).get<RelayAnswer>('/v1/relay'))
    })
  relay
    .command('verify')
    .description('the same, checked in DNS now, past the cache')
    .action(async (_options: object, command: Command) => {
      showRelay(context, command, await connect(context, command).post<RelayAnswer>('/v1/relay/verify'))
    })
  relay
    .command('zone')
    .description('print what the zone of the relay holds for sender domains whose DKIM keys stand behind CNAMEs')
    .action(async (_options: object, command: Command) => {
      const api = connect(context, command)
      if (commonOptions(context, command).json)
        return show(context, command, await api.get<DkimZoneAnswer>('/v1/relay/dkim-zone'), () => '')
      context.output.write(await api.text('/v1/relay/dkim-zone/file'))
    })
}

function showRelay(context: CliContext, command: Command, relay: RelayAnswer): void {
  const at = timesOf(context, command)
  show(context, command, relay, ({ hostname, sendingIps, bounces, records }) => {
    const needed = records.filter(({ optional }) => !optional)
    const missing = needed.filter(({ state }) => state !== 'published').length
    const head = facts([
      ['hostname', hostname],
      ['addresses', sendingIps.join(' ') || 'none configured (spf.sendingIps)'],
      ['bounces', `${bounces.host} at ${bounces.listeners.join(' ') || 'no listener (feedback.listeners)'}`],
      ['', bounces.message.en],
      ['', bounces.message.ja],
      ['complaints', bounces.complaints],
      ['postmaster', bounces.postmaster ?? 'nobody (feedback.postmaster): such mail is refused'],
      ['records', missing === 0 ? `all ${needed.length} published` : `${missing} of ${needed.length} to look after`],
    ])
    return [
      head,
      ...records.map(record => recordText(context, record, at, record.optional ? '  (optional 任意)' : '')),
    ].join('\n\n')
  })
}
