/**
 * `kitte tls-report`: how TLS with recipient domains went, and what was told to those who want to know (RFC 8460).
 */
import type { Command } from 'commander'
import type { TlsDayAnswer, TlsReportAnswer } from '../admin/routes/tls-reports.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show } from './context.ts'
import { readAll } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

type Destination = NonNullable<TlsDayAnswer['report']>['destinations'][number]

export function register(program: Command, context: CliContext): void {
  const reports = program
    .command('tls-report')
    .description('reports on TLS to recipient domains that ask for them (RFC 8460)')
  reports
    .command('list')
    .option('--domain <domain>', 'only those of one recipient domain')
    .option('--limit <number>', 'so many at most', '100')
    .description('list how TLS went, newest day first, and what became of the reports')
    .action(async ({ domain, limit }: { domain?: string; limit: string }, command: Command) => {
      if (!/^[1-9]\d{0,5}$/.test(limit))
        throw new CliError(`--limit ${limit} is no number of rows`, 'write 1 to 999999')
      const api = connect(context, command)
      const days = await readAll<TlsDayAnswer>(
        api,
        '/v1/tls-reports',
        'days',
        { domain: domain ?? null },
        Number(limit),
      )
      const at = timesOf(context, command)
      show(context, command, { days }, answer => listText(answer.days, at))
    })
  reports
    .command('show')
    .argument('<domain>', 'recipient domain')
    .option('--day <day>', 'such as 2026-01-15, in UTC; otherwise the newest with a count')
    .description('print a report as it was sent, or as it stands so far')
    .action(async (domain: string, { day }: { day?: string }, command: Command) => {
      const api = connect(context, command)
      const wanted = day ?? (await newestOf(api, domain))
      const path = `/v1/tls-reports/${encodeURIComponent(domain)}/${encodeURIComponent(wanted)}`
      const at = timesOf(context, command)
      show(context, command, await api.get<TlsReportAnswer>(path), answer => reportText(answer, at))
    })
}

async function newestOf(api: ReturnType<typeof connect>, domain: string): Promise<string> {
  const [newest] = await readAll<TlsDayAnswer>(api, '/v1/tls-reports', 'days', { domain }, 1)
  if (newest) return newest.day
  throw new CliError(
    `nothing is counted for ${domain}`,
    'only domains with a record at _smtp._tls are counted, within a minute after mail went there',
  )
}

function listText(days: readonly TlsDayAnswer[], at: TimeText): string {
  return table(
    ['day', 'domain', 'successful', 'failed', 'report', 'to'],
    days.map(({ day, domain, successful, failed, report }) => [
      ...[day, domain, successful, failed],
      report === null ? 'the day is not over' : stateText(report, at),
      report?.destinations.map(({ uri }) => uri).join(' ') ?? null,
    ]),
    'nothing is counted: no domain that mail went to wants reports, or tlsReports.enabled is false',
  )
}

function stateText({ state, nextAttemptAt }: NonNullable<TlsDayAnswer['report']>, at: TimeText): string {
  return nextAttemptAt === null ? state : `${state} for ${at(nextAttemptAt)}`
}

function reportText({ day, domain, successful, failed, report, content }: TlsReportAnswer, at: TimeText): string {
  const head = facts([
    ['domain', domain],
    ['day', `${day} (UTC)`],
    ['sessions', `${successful} successful, ${failed} failed`],
    ['report', report === null ? 'not planned yet: the day is not over' : stateText(report, at)],
    ...(report?.destinations ?? []).map(one => ['to', destinationText(one, at)] as const),
  ])
  return `${head}\n\n${JSON.stringify(content, null, 2)}`
}

function destinationText({ uri, state, at: when, message, status, problem }: Destination, at: TimeText): string {
  const details = [
    when === null ? null : at(when),
    message === null ? null : `message ${message}`,
    status === null || problem !== null ? null : `answered ${status}`,
    problem,
  ]
  return [`${uri}: ${state}`, ...details.filter(text => text !== null)].join(', ')
}
