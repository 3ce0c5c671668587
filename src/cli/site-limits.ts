/**
 * `kitte limits`: what each site may get now and why, and the rules that Kitte ships with the reason of each number.
 */
import type { Command } from 'commander'
import type { SiteLimitsAnswer } from '../admin/routes/limits.ts'
import { type CliContext, connect, show } from './context.ts'
import { table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

type Provider = SiteLimitsAnswer['providers'][number]
type Site = SiteLimitsAnswer['sites'][number]

export function register(program: Command, context: CliContext): void {
  program
    .command('limits')
    .option('--rules', 'the rules for large providers that Kitte ships, with the reason of each number')
    .description('what each site may get now: connections, messages on each, rate; and the reply that lowered it')
    .action(async (options: { readonly rules?: boolean }, command: Command) => {
      const answer = await connect(context, command).get<SiteLimitsAnswer>('/v1/limits/sites')
      show(context, command, answer, () =>
        options.rules ? rulesText(answer) : sitesText(answer, timesOf(context, command)),
      )
    })
}

/** Beside what is in force stands what the rule allows, where that is more. */
function sitesText({ sites }: SiteLimitsAnswer, at: TimeText): string {
  return table(
    ['site', 'shared', 'connections', 'messages each', 'per minute', 'closed until', 'lowered at', 'because of'],
    sites.map(site => [
      site.site,
      site.shared,
      ofRule(site, 'connections'),
      ofRule(site, 'messagesPerConnection'),
      ofRule(site, 'perMinute'),
      at(site.closedUntil),
      at(site.adapted?.at ?? null),
      site.adapted?.reply ?? null,
    ]),
    'no site has work, is closed or gets less than its rule allows',
  )
}

function ofRule(site: Site, name: 'connections' | 'messagesPerConnection' | 'perMinute'): string {
  const [now, rule] = [site[name], site.rule[name]]
  return now === rule ? (now?.toString() ?? '–') : `${now} of ${rule ?? 'any'}`
}

function rulesText({ providers }: SiteLimitsAnswer): string {
  return providers.map(providerText).join('\n\n')
}

function providerText({ name, suffixes, connections, messagesPerConnection, perMinute }: Provider): string {
  const lines = [
    ['connections', connections],
    ['messages each', messagesPerConnection],
    ['per minute', perMinute],
  ] as const
  return [
    `${name}: ${suffixes.join(', ')}`,
    ...lines.flatMap(([what, { value, basis, source, reason }]) => [
      `  ${what.padEnd(13)} ${String(value ?? 'any').padStart(5)}  ${source === null ? basis : `${basis}: ${source}`}`,
      `${' '.repeat(23)}${reason.ja}`,
      `${' '.repeat(23)}${reason.en}`,
    ]),
  ].join('\n')
}
