/**
 * `kitte domain`: sender domains, the records to publish, and why one does not count yet.
 */
import { type Command, Option } from 'commander'
import type { CheckAnswer } from '../admin/routes/domain-history.ts'
import type { DomainAnswer } from '../admin/routes/domains.ts'
import { confirm } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, colour, commonOptions, connect, show, tell } from './context.ts'
import { registerBulk, type VerifyAllOptions, verifyAll } from './domain-bulk.ts'
import { registerClaims } from './domain-claim.ts'
import { registerExplain } from './domain-explain.ts'
import { registerShares } from './domain-share.ts'
import { registerVolume } from './domain-volume.ts'
import { addLimitOptions, type LimitOptions, limitsOf, limitText } from './limits.ts'
import { accountIdOf, readAll } from './lists.ts'
import { poolOf, poolOption } from './pool.ts'
import { formsText, recordText, stateText } from './record-text.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface KeyOptions {
  readonly selector?: string
  readonly bits?: string
  readonly algorithm?: string
}

interface ChoiceOptions {
  readonly dkimForm?: string
  readonly returnPath?: boolean | string
  readonly tracking?: boolean | string
  readonly pool?: string
}

const pathOf = (name: string) => `/v1/domains/${encodeURIComponent(name)}`

export function register(program: Command, context: CliContext): void {
  const domain = program.command('domain').description('sender domains and their DNS records')
  registerCreate(domain, context)
  registerLook(domain, context)
  registerRecords(domain, context)
  registerExplain(domain, context)
  registerVolume(domain, context)
  registerKey(domain, context)
  registerEnd(domain, context)
  registerShares(domain, context)
  registerBulk(domain, context)
  registerClaims(domain, context)
}

function registerCreate(domain: Command, context: CliContext): void {
  const create = domain
    .command('create')
    .argument('<name>', 'domain of sender addresses, such as example.co.jp')
    .requiredOption('--account <account>', 'id or name of its account')
    .addOption(formOption())
    .option('--return-path', 'with a bounce host of its own, so that SPF aligns')
    .option('--tracking', 'with a host of its own for tracked links')
    .description('register a sender domain and issue its records')
  type Options = KeyOptions & ChoiceOptions & { readonly account: string }
  addKeyOptions(create).action(async (name: string, options: Options, command: Command) => {
    const api = connect(context, command)
    const account = await accountIdOf(api, options.account)
    const { dkimForm, returnPath, tracking } = options
    const wanted = { name, account, ...keyOf(options), dkimForm, returnPath, tracking }
    showDomain(context, command, await api.post<DomainAnswer>('/v1/domains', wanted))
  })
  domain
    .command('change')
    .argument('<name>', 'a registered sender domain')
    .addOption(formOption())
    .addOption(yesNoOption('--return-path <yes|no>', 'whether it has a bounce host of its own, so that SPF aligns'))
    .addOption(yesNoOption('--tracking <yes|no>', 'whether it has a host of its own for tracked links'))
    .addOption(poolOption())
    .description('change the form of its DKIM keys, what it opts in to, and the pool its mail leaves by')
    .action(async (name: string, { dkimForm, returnPath, tracking, pool }: ChoiceOptions, command: Command) => {
      const change = { pool: poolOf(pool), dkimForm, returnPath: isYes(returnPath), tracking: isYes(tracking) }
      showDomain(context, command, await connect(context, command).patch<DomainAnswer>(pathOf(name), change))
    })
}

function formOption(): Option {
  const option = new Option('--dkim-form <form>', 'txt: each key as a TXT record; cname: two fixed CNAMEs')
  return option.choices(['txt', 'cname'])
}

function yesNoOption(flags: string, description: string): Option {
  return new Option(flags, description).choices(['yes', 'no'])
}

function isYes(choice: boolean | string | undefined): boolean | undefined {
  return choice === undefined ? undefined : choice === 'yes'
}

function registerLook(domain: Command, context: CliContext): void {
  domain
    .command('list')
    .option('--account <account>', 'only those of one account, by id or name')
    .option('--deleted', 'deleted ones that can be restored')
    .description('list sender domains')
    .action(async (options: { account?: string; deleted?: boolean }, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? null : await accountIdOf(api, options.account)
      const archived = options.deleted === true ? true : null
      const domains = await readAll<DomainAnswer>(api, '/v1/domains', 'domains', { account, archived })
      show(context, command, { domains }, answer => listText(context, answer.domains))
    })
  domain
    .command('show')
    .argument('<name>', 'a registered sender domain')
    .description('print the records to publish, their state, the reason and the fix')
    .action(async (name: string, _options: object, command: Command) => {
      showDomain(context, command, await connect(context, command).get<DomainAnswer>(pathOf(name)))
    })
  domain
    .command('verify')
    .argument('[name]', 'a registered sender domain')
    .option('--all', 'all sender domains instead, one after the other')
    .option('--account <account>', 'with --all: only those of one account, by id or name')
    .option('--no-wait', 'with --all: queue the checks and end')
    .description('check the records in DNS now')
    .action(async (name: string | undefined, options: VerifyAllOptions & { all?: boolean }, command: Command) => {
      if ((name === undefined) !== (options.all === true))
        throw new CliError('which domain?', 'give the name of one, or --all')
      if (name === undefined) return verifyAll(context, command, options)
      showDomain(context, command, await connect(context, command).post<DomainAnswer>(`${pathOf(name)}/verify`))
    })
  domain
    .command('history')
    .argument('<name>', 'a registered sender domain')
    .description('list how its records changed')
    .action(async (name: string, _options: object, command: Command) => {
      const checks = await readAll<CheckAnswer>(connect(context, command), `${pathOf(name)}/history`, 'checks', {}, 500)
      const at = timesOf(context, command)
      show(context, command, { checks }, answer => historyText(context, answer.checks, at))
    })
}

function registerRecords(domain: Command, context: CliContext): void {
  domain
    .command('records')
    .argument('<name>', 'a registered sender domain')
    .option('--zone', 'as lines of a zone file')
    .description('print the records to publish in the forms that panels and zone files want')
    .action(async (name: string, { zone }: { zone?: boolean }, command: Command) => {
      const api = connect(context, command)
      if (zone === true && !commonOptions(context, command).json)
        return void context.output.write(await api.text(`${pathOf(name)}/zone`))
      const { records } = await api.get<DomainAnswer>(pathOf(name))
      show(context, command, { records }, answer => answer.records.map(formsText).join('\n\n'))
    })
}

function registerKey(domain: Command, context: CliContext): void {
  const issue = domain
    .command('issue-dkim')
    .argument('<name>', 'a registered sender domain')
    .addOption(new Option('--algorithm <which>', 'rsa when not given').choices(['rsa', 'ed25519']))
    .description('issue a DKIM key, or a new one beside the old (rotation)')
  addKeyOptions(issue).action(async (name: string, options: KeyOptions, command: Command) => {
    const api = connect(context, command)
    showDomain(context, command, await api.post<DomainAnswer>(`${pathOf(name)}/dkim`, keyOf(options)))
  })
  const limit = domain
    .command('limit')
    .argument('<name>', 'a registered sender domain')
    .description('change how much it may send')
  addLimitOptions(limit).action(async (name: string, options: LimitOptions, command: Command) => {
    const api = connect(context, command)
    const answer = await api.patch<DomainAnswer>(pathOf(name), { limits: limitsOf(options) ?? {} })
    show(context, command, answer, ({ limits }) =>
      facts([
        ['domain', answer.name],
        ['limits', limitText(limits)],
      ]),
    )
  })
}

function registerEnd(domain: Command, context: CliContext): void {
  domain
    .command('delete')
    .argument('<name>', 'a registered sender domain')
    .option('--yes', 'do not ask')
    .description('delete a sender domain; "domain restore" brings it back with its keys')
    .action(async (name: string, options: { yes?: boolean }, command: Command) => {
      const api = connect(context, command)
      const { dkimForm } = await api.get<DomainAnswer>(pathOf(name))
      await confirm(context, deletionWarning(name, dkimForm), options.yes === true)
      await api.delete(pathOf(name))
      tell(context, command, `deleted sender domain ${name}`)
    })
  domain
    .command('restore')
    .argument('<name>', 'a registered sender domain')
    .description('bring a deleted sender domain back with its keys')
    .action(async (name: string, _options: object, command: Command) => {
      showDomain(context, command, await connect(context, command).post<DomainAnswer>(`${pathOf(name)}/restore`))
    })
}

function deletionWarning(name: string, dkimForm: DomainAnswer['dkimForm']): string {
  const again = {
    txt: [
      `Registered again later, ${name} gets a new selector and the published DKIM record no longer fits.`,
      '再登録するとセレクタが新しくなり、公開済みのDKIMレコードは使えなくなります。',
    ],
    cname: [
      `Registered again later by the same account with --dkim-form cname, ${name} finds its published CNAMEs fitting; by another account, or in the form txt, they no longer fit.`,
      '同じアカウントで --dkim-form cname を指定して再登録すれば、公開済みのCNAMEをそのまま使えます。別のアカウントや txt 形式では使えません。',
    ],
  }
  const restore = [
    `Until it is purged "kitte domain restore ${name}" brings it back with its keys.`,
    `完全に削除されるまでは「kitte domain restore ${name}」で鍵とともに元に戻せます。`,
  ]
  return [...again[dkimForm], ...restore].join('\n')
}

function addKeyOptions(command: Command): Command {
  return command
    .option('--selector <name>', 'the date of issue when not given')
    .addOption(new Option('--bits <number>', 'length of an RSA key').choices(['1024', '2048']))
}

function keyOf({ selector, bits, algorithm }: KeyOptions) {
  return { selector, bits: bits === undefined ? undefined : Number(bits), algorithm }
}

function showDomain(context: CliContext, command: Command, domain: DomainAnswer): void {
  const at = timesOf(context, command)
  show(context, command, domain, answer => domainText(context, answer, at))
}

function domainText(context: CliContext, domain: DomainAnswer, at: TimeText): string {
  const head = facts([
    ['domain', domain.name],
    ['account', domain.account],
    ['SPF', stateText(context, domain.spf)],
    ['DKIM', stateText(context, domain.dkim)],
    ['mode', `${domain.mode}: ${domain.modeMessage.ja} / ${domain.modeMessage.en}`],
    ['limits', limitText(domain.limits)],
    ...(domain.pool === null ? [] : [['pool', domain.pool] as const]),
    ['keys', domain.keys.map(keyText).join('\n') || 'none'],
    ...domain.keys.flatMap(adviceText),
  ])
  const failure = domain.keyFailure === null ? [] : [keyFailureText(domain.name, domain.keyFailure)]
  return [head, ...failure, ...domain.records.map(record => recordText(context, record, at))].join('\n\n')
}

function keyText({ selector, algorithm, form, bits, state, weak }: DomainAnswer['keys'][number]): string {
  const alias = form === 'cname' ? ', by CNAME' : ''
  return `${selector} ${algorithm}${algorithm === 'rsa' ? ` ${bits}` : ''} ${state}${alias}${weak ? ', weak' : ''}`
}

/** What to do with the records of keys that don't sign any more. */
function adviceText({ selector, state, advice }: DomainAnswer['keys'][number]) {
  if (state !== 'retiring' && state !== 'retired') return []
  return [[selector, `${advice.ja}\n${advice.en}`] as const]
}

function keyFailureText(name: string, failure: string): string {
  return `There is no DKIM key: ${failure}\n"kitte domain issue-dkim ${name}" tries again.`
}

function listText(context: CliContext, domains: readonly DomainAnswer[]): string {
  return table(
    ['domain', 'account', 'SPF', 'DKIM', 'mode', 'limits'],
    domains.map(row => [
      row.name,
      row.account,
      stateText(context, row.spf),
      stateText(context, row.dkim),
      row.mode,
      limitText(row.limits),
    ]),
    'no sender domains; "kitte domain create NAME --account ACCOUNT" registers one',
  )
}

function historyText(context: CliContext, checks: readonly CheckAnswer[], at: TimeText): string {
  return checks.map(check => changeText(context, check, at)).join('\n\n') || 'no changes yet'
}

function changeText(context: CliContext, check: CheckAnswer, at: TimeText): string {
  const { before, diff, message } = check
  const states = [...(before ? [before.state] : []), check.state].map(state => stateText(context, state))
  const lines = [
    ...[...new Set([message.ja, message.en])].map(text => `  ${text}`),
    ...diff.removed.map(part => colour(context, 'red', `  - ${part}`)),
    ...diff.added.map(part => colour(context, 'green', `  + ${part}`)),
    ...(diff.reordered ? ['  順序の変更 / in another order', ...check.found.map(value => `    ${value}`)] : []),
  ]
  const head = `${at(check.checkedAt)}  ${check.purpose} ${check.name}  ${[...new Set(states)].join(' → ')}`
  return [head, ...lines].join('\n')
}
