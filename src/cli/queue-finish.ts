/**
 * `kitte queue finish`: when what waits will be done at the limits in force.
 */
import { type Command, Option } from 'commander'
import type { FinishAnswer } from '../admin/routes/finish.ts'
import { type CliContext, connect, show } from './context.ts'
import { accountIdOf, accountNames } from './lists.ts'
import { table } from './table.ts'
import { timesOf } from './times.ts'

interface FinishOptions {
  readonly by?: string
  readonly account?: string
  readonly senderDomain?: string
  readonly domain?: string
  readonly site?: string
}

const columns = { site: 'site', domain: 'domain', account: 'account', 'sender-domain': 'senderDomain' } as const

const limits: Readonly<Record<FinishAnswer['groups'][number]['limitedBy'], string>> = {
  slots: 'send slots, schedules and retries',
  'site-rate': 'the rate of the site',
  'warm-up': 'a warm-up',
  none: '–',
}

export function registerFinish(queue: Command, context: CliContext): void {
  queue
    .command('finish')
    .addOption(
      new Option('--by <column>', 'one line per site, which is the default, or …').choices(Object.keys(columns)),
    )
    .option('--account <account>', 'only mail of one account')
    .option('--sender-domain <name>', 'only mail of one sender domain')
    .option('--domain <name>', 'only mail to one recipient domain')
    .option('--site <name>', 'only mail to one site, as "queue list --by site" names it')
    .description('tell when what waits will be done at the limits in force')
    .action(async ({ by = 'site', ...filter }: FinishOptions, command: Command) => {
      const api = connect(context, command)
      const account = filter.account === undefined ? {} : { account: await accountIdOf(api, filter.account) }
      const query = { ...filter, ...account, by: columns[by as keyof typeof columns] }
      const answer = await api.get<FinishAnswer>('/v1/queue/finish', query)
      const at = timesOf(context, command)
      const names = by === 'account' ? await accountNames(api) : null
      const rows = answer.groups.map(({ value, count, doneAt, limitedBy }) => [
        value,
        ...(names === null ? [] : [names.get(value) ?? null]),
        count,
        doneAt === null ? 'as fast as it is taken' : at(doneAt),
        limits[limitedBy],
      ])
      const headings = [by, ...(names === null ? [] : ['name']), 'waiting', 'done about', 'limited by']
      show(context, command, answer, () => table(headings, rows, 'nothing waits'))
    })
}
