/**
 * `kitte tls-policy`: what recipient domains ask of TLS (MTA-STS, RFC 8461; DANE, RFC 7672).
 */
import type { Command } from 'commander'
import type { StsPolicyAnswer, TlsPolicyAnswer } from '../admin/routes/tls-policies.ts'
import { type CliContext, connect, show } from './context.ts'
import { readAll } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

export function register(program: Command, context: CliContext): void {
  const policies = program.command('tls-policy').description('what recipient domains ask of TLS (MTA-STS, DANE)')
  policies
    .command('list')
    .description('list the MTA-STS policies that are kept')
    .action(async (_options: object, command: Command) => {
      const kept = await readAll<StsPolicyAnswer>(connect(context, command), '/v1/tls-policies', 'policies')
      const at = timesOf(context, command)
      show(context, command, { policies: kept }, answer => listText(answer.policies, at))
    })
  policies
    .command('show')
    .argument('<domain>', 'recipient domain')
    .description('find out what a domain asks now, and what each of its hosts must show')
    .action(async (domain: string, _options: object, command: Command) => {
      const path = `/v1/tls-policies/${encodeURIComponent(domain)}`
      const found = await connect(context, command).get<TlsPolicyAnswer>(path)
      const at = timesOf(context, command)
      show(context, command, found, answer => policyText(answer, at))
    })
}

function listText(policies: readonly StsPolicyAnswer[], at: TimeText): string {
  return table(
    ['domain', 'mode', 'mx', 'fetched', 'expires', 'used'],
    policies.map(({ domain, mode, mx, fetchedAt, expiresAt, usedAt }) => [
      ...[domain, mode, mx.join(' ')],
      ...[fetchedAt, expiresAt, usedAt].map(at),
    ]),
    'no MTA-STS policy is kept; one is fetched when mail goes to a domain that has one',
  )
}

function policyText(
  { domain, validating, mtaSts, mtaStsProblem, problem, hosts }: TlsPolicyAnswer,
  at: TimeText,
): string {
  const about = facts([
    ['domain', domain],
    [
      'DNSSEC',
      validating ? 'the resolver’s word is taken' : 'the resolver’s word is not taken (dns.validating): no DANE',
    ],
    [
      'MTA-STS',
      mtaSts === null
        ? (mtaStsProblem ?? 'none')
        : `${mtaSts.mode} for ${mtaSts.mx.join(' ') || 'no host'}, until ${at(mtaSts.expiresAt)}`,
    ],
    ...(problem === null ? [] : [['problem', problem] as const]),
  ])
  const rows = hosts.map(({ host, tls, policy, reason, tlsa }) => [
    ...[host, tls, policy, tlsa === null ? null : tlsa.records.join('; ')],
    reason,
  ])
  return `${about}\n\n${table(['host', 'tls', 'asked for by', 'TLSA', 'not used because'], rows, 'no hosts')}`
}
