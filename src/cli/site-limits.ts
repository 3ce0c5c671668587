/**
 * `kitte limits`: what each site may get now and why, what binds a sender, and the rules that Kitte ships with the reason of each number.
 */
import type { Command } from 'commander'
import type { LimitsAnswer, SiteLimitsAnswer } from '../admin/routes/limits.ts'
import { type CliContext, connect, show } from './context.ts'
import { limitText } from './limits.ts'
import { accountIdOf } from './lists.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

type Provider = SiteLimitsAnswer['providers'][number]
type Site = SiteLimitsAnswer['sites'][number]
type Rule = NonNullable<LimitsAnswer['rule']>

export function register(program: Command, context: CliContext): void {
  program
    .command('limits')
    .option('--account <account>', 'all that binds mail of this account …')
    .option('--domain <name>', '… of this sender domain …')
    .option('--credential <id>', '… handed in with this credential …')
    .option('--to <name>', '… to this recipient domain or provider, such as gmail.com or google.com')
    .option('--rules', 'the rules for large providers that Kitte ships, with the reason of each number')
    .description('what each site may get now and why, or all that binds a mail of a sender to a recipient')
    .action(async ({ rules, ...asked }: LimitsOptions, command: Command) => {
      if (Object.keys(asked).length > 0) return showEffective(context, command, asked)
      const answer = await connect(context, command).get<SiteLimitsAnswer>('/v1/limits/sites')
      show(context, command, answer, () => (rules ? rulesText(answer) : sitesText(answer, timesOf(context, command))))
    })
}

interface LimitsOptions {
  readonly rules?: boolean
  readonly account?: string
  readonly domain?: string
  readonly credential?: string
  readonly to?: string
}

async function showEffective(
  context: CliContext,
  command: Command,
  asked: Omit<LimitsOptions, 'rules'>,
): Promise<void> {
  const api = connect(context, command)
  const account = asked.account === undefined ? {} : { account: await accountIdOf(api, asked.account) }
  const answer = await api.get<LimitsAnswer>('/v1/limits', { ...asked, ...account })
  const at = timesOf(context, command)
  show(context, command, answer, found => {
    const own = asked.account ?? asked.domain ?? asked.credential
    const sender = own === undefined ? [] : [senderText(found, at)]
    const { sites, rule } = found
    const receiving = sites.length > 0 ? [sitesText({ sites }, at)] : rule === null ? [] : [ruleText(rule)]
    return [...sender, ...receiving].join('\n\n')
  })
}

function senderText({ buckets, effective, nextSlotAt, pool, warmUp }: LimitsAnswer, at: TimeText): string {
  const cap = warmUp === null || warmUp.cap === null ? null : `${warmUp.taken} of ${warmUp.cap} today (${warmUp.state})`
  return facts([
    ...buckets.map(bucket => [bucket.key, limitText(bucket.limits)] as const),
    ['effective', limitText(effective)],
    ['next slot', nextSlotAt === null ? 'at once: nothing limits it' : at(nextSlotAt)],
    ['pool', pool],
    ['warm-up', cap],
  ])
}

function ruleText({ suffix, name, connections, messagesPerConnection, perMinute }: Rule): string {
  return facts([
    ['rule', `${name ?? 'everybody else'}${suffix === '' ? '' : ` (${suffix})`}`],
    ['connections', connections],
    ['messages each', messagesPerConnection],
    ['per minute', perMinute ?? 'no limit'],
  ])
}

/** Beside what is in force stands what the rule allows, where that is more. */
function sitesText({ sites }: Pick<SiteLimitsAnswer, 'sites'>, at: TimeText): string {
  const shown = table(
    ['site', 'shared', 'connections', 'messages each', 'per minute', 'closed until', 'lowered at', 'because of'],
    sites.map(site => [
      site.site,
      site.shared,
      ofRule(site, 'connections'),
      ofRule(site, 'messagesPerConnection'),
      ofRule(site, 'perMinute'),
      at(site.closedUntil),
      at(site.adapted?.at ?? null),
      site.adapted?.reply ?? (site.slowStart === null ? null : 'slow start'),
    ]),
    'no site has work, is closed or gets less than its rule allows',
  )
  return [
    shown,
    ...sites.flatMap(site => closedText(site, at)),
    ...sites.flatMap(beginningText),
    ...sites.flatMap(site => slowedText(site, at)),
  ].join('\n')
}

/** Why, how often, who must act, what opens it. */
function closedText({ site, closed }: Site, at: TimeText): string[] {
  if (closed === null) return []
  const { until, times, reply, host, classMessage, who, next, opens } = closed
  const [ja, en] =
    until === null
      ? ['休止が終わり、1接続で試しています', 'was closed, is tried with one connection']
      : [`${at(until)}まで休止中`, `closed until ${at(until)}`]
  return [
    '',
    `${site}: ${ja}（${at(closed.at)}から${times > 1 ? `、続けて${times}回目` : ''}） / ${en}, since ${at(closed.at)}${times > 1 ? `, ${times} in a row` : ''}`,
    `  ${host === null ? '' : `${host}: `}${reply}`,
    ...(classMessage === null ? [] : [`  ${classMessage.ja}対応者: ${who?.ja}。${next?.ja}`]),
    `  ${opens.ja}`,
    ...(classMessage === null ? [] : [`  ${classMessage.en} To act: ${who?.en}. ${next?.en}`]),
    `  ${opens.en}`,
  ]
}

function beginningText({ site, slowStart }: Site): string[] {
  return slowStart === null ? [] : ['', `${site}: ${slowStart.ja}`, `  ${slowStart.en}`]
}

/** Of one customer each: the others' mail to the site goes on. */
function slowedText({ site, shared, slowedSenders }: Site, at: TimeText): string[] {
  return slowedSenders.flatMap(({ domain, perMinute, restsUntil, reply }) => {
    const until = restsUntil === null ? '' : ` ${at(restsUntil)}まで休止後、`
    const rests = restsUntil === null ? '' : `rests until ${at(restsUntil)}, then `
    return [
      '',
      `${shared ?? site}: 送信ドメイン ${domain} のみ${until}毎分${perMinute}通に抑えています。`,
      `  only mail of ${domain} ${rests}goes at ${perMinute} a minute: ${reply}`,
    ]
  })
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
