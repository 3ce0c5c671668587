/**
 * `kitte queue`: what waits and why, and hold, release, retry, reschedule, cancel.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { QueueAnswer, QueueCommandAnswer, QueueCountsAnswer, QueueOrderAnswer } from '../admin/routes/queue.ts'
import type { ApiClient } from './api-client.ts'
import { confirm } from './ask.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show } from './context.ts'
import { accountIdOf, accountNames } from './lists.ts'
import { registerFinish } from './queue-finish.ts'
import { inFlightText, operationText, registerOperations, waitFor } from './queue-operations.ts'
import { facts, table } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

interface FilterOptions {
  readonly message?: string
  readonly entry?: string
  readonly account?: string
  readonly senderDomain?: string
  readonly domain?: string
  readonly recipient?: string
  readonly state?: string
  readonly class?: string
  readonly site?: string
  readonly priority?: string
  readonly scheduled?: boolean
}

interface VerbOptions extends FilterOptions {
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly reason?: string
  readonly yes?: boolean
  readonly wait?: boolean
}

interface RescheduleOptions extends VerbOptions {
  readonly at?: string
  readonly now?: boolean
}

type QueueEntry = QueueAnswer['entries'][number]
type Verb = 'hold' | 'release' | 'retry' | 'cancel'

const verbs: readonly (readonly [Verb, string])[] = [
  ['hold', 'keep entries from being tried until they are released'],
  ['release', 'let held entries go again'],
  ['retry', 'make waiting entries due now'],
  ['cancel', 'take entries out of the queue for good, without a report to the sender'],
]
const done = {
  hold: 'held',
  release: 'released',
  retry: 'made due now',
  reschedule: 'rescheduled',
  cancel: 'cancelled',
} as const
const entriesShown = 50

export function register(program: Command, context: CliContext): void {
  const queue = program.command('queue').description('mail that waits for delivery')
  registerList(queue, context)
  registerShow(queue, context)
  for (const [verb, description] of verbs) registerVerb(queue, context, verb, description)
  registerReschedule(queue, context)
  registerOperations(queue, context)
  registerFinish(queue, context)
}

function registerList(queue: Command, context: CliContext): void {
  const list = queue
    .command('list')
    .option('--limit <entries>', `entries to list, ${entriesShown} when not given`, parseCount)
    .addOption(
      new Option('--by <column>', 'count by one column instead of listing entries').choices([
        'domain',
        'account',
        'sender-domain',
        'class',
        'site',
        'priority',
      ]),
    )
    .description('count and list what waits')
  addFilterOptions(list).action(async (options: FilterOptions & { by?: string; limit?: number }, command: Command) => {
    const api = connect(context, command)
    const query = { ...(await filterOf(api, options)), limit: options.limit ?? entriesShown }
    const answer = await api.get<QueueAnswer>('/v1/queue', query)
    const at = timesOf(context, command)
    const names = options.by === 'account' ? await accountNames(api) : new Map<string, string>()
    const text = (found: QueueAnswer) => `${countsText(found.counts, at)}\n\n${bodyText(found, options.by, names, at)}`
    show(context, command, answer, text)
  })
}

function registerShow(queue: Command, context: CliContext): void {
  queue
    .command('show')
    .argument('<id>', 'of an entry or a message')
    .description('tell everything about one entry, or the entries of one message')
    .action(async (id: string, _options: object, command: Command) => {
      const query = { ...idFilter(id), limit: 1000 }
      const answer = await connect(context, command).get<QueueAnswer>('/v1/queue', query)
      if (answer.entries.length === 0)
        throw new CliError(
          `nothing of ${id} is in the queue`,
          `"kitte explain ${id.split('.')[0]}" tells what happened`,
        )
      const at = timesOf(context, command)
      show(context, command, answer.entries, entries => entries.map(entry => entryText(entry, at)).join('\n\n'))
    })
}

function registerVerb(queue: Command, context: CliContext, verb: Verb, description: string): void {
  const command = queue
    .command(verb)
    .argument('[id]', 'of an entry or a message; or narrow it with options')
    .option('--all', 'really the whole queue')
    .option('--dry-run', 'only count what would be changed')
    .option('--no-wait', 'with more than 3,000 entries: print the operation and end')
    .description(description)
  if (verb === 'hold' || verb === 'cancel') command.option('--reason <text>', 'kept with the entries')
  if (verb === 'cancel') command.option('--yes', 'do not ask')
  addFilterOptions(command).action((id: string | undefined, options: VerbOptions, self: Command) =>
    runVerb(context, self, verb, id, options),
  )
}

function registerReschedule(queue: Command, context: CliContext): void {
  const command = queue
    .command('reschedule')
    .argument('[id]', 'of an entry or a message; or narrow it with options')
    .option('--at <time>', 'when to send, such as 2026-01-16T09:00:00+09:00')
    .option('--now', 'send now')
    .option('--all', 'really all that is scheduled')
    .option('--dry-run', 'only count what would be changed')
    .description('send scheduled mail at another moment')
  addFilterOptions(command).action(async (id: string | undefined, options: RescheduleOptions, self: Command) => {
    if ((options.at === undefined) === (options.now !== true))
      throw new CliError('when shall it be sent?', 'give either --at TIME or --now')
    const api = connect(context, self)
    const body = { ...(await bodyOf(api, id, options)), sendAt: options.at ?? null, dryRun: options.dryRun }
    const answer = await api.post<QueueCommandAnswer>('/v1/queue/reschedule', body)
    const at = timesOf(context, self)
    show(context, self, answer, result => verbText('reschedule', result, at))
  })
}

async function bodyOf(api: ApiClient, id: string | undefined, options: VerbOptions) {
  const filter = { ...(await filterOf(api, options)), ...(id === undefined ? {} : idFilter(id)) }
  if (Object.keys(filter).length === 0 && !options.all)
    throw new CliError(
      'which mail is meant?',
      'give an id, or options such as --domain; --all is really the whole queue',
    )
  return { filter, all: options.all }
}

async function runVerb(
  context: CliContext,
  command: Command,
  verb: Verb,
  id: string | undefined,
  options: VerbOptions,
): Promise<void> {
  const api = connect(context, command)
  const body = { ...(await bodyOf(api, id, options)), reason: options.reason }
  if (verb === 'cancel' && !options.dryRun && options.yes !== true && context.input.isTTY) {
    const { changed } = await api.post<QueueCommandAnswer>('/v1/queue/cancel', { ...body, dryRun: true })
    await confirm(context, `${changed} entries will be cancelled for good; their senders get no report.`, false)
  }
  const answer = await api.post<QueueOrderAnswer>(`/v1/queue/${verb}`, { ...body, dryRun: options.dryRun })
  if (answer.operation !== null) {
    const operation = options.wait === false ? answer.operation : await waitFor(context, api, answer.operation)
    show(context, command, operation, operationText)
    return
  }
  const at = timesOf(context, command)
  show(context, command, answer, result => verbText(verb, result, at))
}

function verbText(
  verb: Verb | 'reschedule',
  { dryRun, matched, changed, inFlight }: QueueCommandAnswer & Partial<Pick<QueueOrderAnswer, 'inFlight'>>,
  at: TimeText,
): string {
  const result = `${changed} entries ${dryRun ? 'would be ' : ''}${done[verb]}${inFlightText(inFlight)}`
  return `${result}; matched: ${countsText(matched, at)}`
}

function addFilterOptions(command: Command): Command {
  return command
    .option('--message <id>', 'of one message')
    .option('--entry <id>', 'one entry')
    .option('--account <account>', 'of one account')
    .option('--sender-domain <name>', 'from one sender domain')
    .option('--domain <name>', 'to one recipient domain')
    .option('--recipient <address>', 'to one recipient')
    .addOption(new Option('--state <state>', 'in one state').choices(['due', 'waiting', 'leased', 'held']))
    .option('--class <class>', 'deferred for one class of reasons')
    .option('--site <site>', 'to one site, as --by site prints it')
    .addOption(new Option('--priority <priority>', 'of one priority').choices(['transactional', 'normal', 'bulk']))
    .option('--scheduled', 'waiting for the moment its sender named')
    .option('--no-scheduled', 'not scheduled')
}

/** What was given of them; an account by its id. */
async function filterOf(api: ApiClient, options: FilterOptions) {
  const { message, entry, senderDomain, domain, recipient, state, site, priority, scheduled } = options
  const account = options.account === undefined ? undefined : await accountIdOf(api, options.account)
  const named = { message, entry, account, senderDomain, domain, recipient, state, class: options.class }
  const all = { ...named, site, priority, scheduled }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** An entry's id is its message's with the recipient's number. */
function idFilter(id: string): { entry: string } | { message: string } {
  return id.includes('.') ? { entry: id } : { message: id }
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,2}$|^1000$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number from 1 to 1000.')
}

function countsText(counts: QueueCountsAnswer, at: TimeText): string {
  const { total, due, waiting, leased, held, oldestReceivedAt } = counts
  const oldest = oldestReceivedAt === null ? '' : `, oldest from ${at(oldestReceivedAt)}`
  return `${total} entries: ${due} due, ${waiting} waiting, ${leased} under way, ${held} held${oldest}`
}

function bodyText(
  answer: QueueAnswer,
  by: string | undefined,
  names: ReadonlyMap<string, string>,
  at: TimeText,
): string {
  if (by === undefined) return entryTable(answer, at) + siteWaits(answer) + meanings(answer)
  const column = by === 'sender-domain' ? 'senderDomain' : (by as 'domain' | 'account' | 'class' | 'site' | 'priority')
  const name = (id: string) => (by === 'account' ? [names.get(id) ?? null] : [])
  const groups = table(
    [by, ...(by === 'account' ? ['name'] : []), 'entries', 'oldest'],
    answer.by[column].map(row => [row.value, ...name(row.value), row.count, at(row.oldestReceivedAt)]),
  )
  const untried = (by === 'site' || by === 'class') && answer.by[by].some(({ value }) => value === 'none')
  const counts = untried ? `${groups}\nnone: not tried yet / まだ送信していません` : groups
  return by === 'site' ? `${counts}\n\nunder way or closed now:\n${siteTable(answer, at)}` : counts
}

function siteTable({ sites }: QueueAnswer, at: TimeText): string {
  return table(
    ['site', 'attempts', 'waiting', 'connections', 'per minute', 'closed until', 'because of'],
    sites.map(row => [
      row.site,
      row.running,
      row.waiting,
      row.connections,
      row.perMinute,
      at(row.closedUntil),
      row.closed?.reply ?? row.adapted?.reply ?? null,
    ]),
    'no site has work or is closed',
  )
}

function entryTable({ entries, next }: QueueAnswer, at: TimeText): string {
  const rows = table(
    ['entry', 'from', 'recipient', 'priority', 'state', 'waits for', 'tries', 'next try', 'class', 'last reply'],
    entries.map(row => [
      row.id,
      row.from ?? '<>',
      row.recipient,
      row.priority,
      row.state,
      row.waitReason,
      row.attempts,
      at(row.nextAttemptAt),
      row.class,
      row.heldReason ?? row.lastReply,
    ]),
    'nothing waits',
  )
  return next === null ? rows : `${rows}\n… and more; --limit lists up to 1000, --by counts them`
}

/** Which limit of which site makes some of them wait, and why; each once. */
function siteWaits({ entries }: QueueAnswer): string {
  const found = new Map(entries.flatMap(({ waitSite }) => (waitSite === null ? [] : [[keyOf(waitSite), waitSite]])))
  return [...found.values()].map(({ site, message }) => `\n\n${site}\n  ${message.ja}\n  ${message.en}`).join('')
}

function keyOf({ site, limit }: NonNullable<QueueEntry['waitSite']>): string {
  return `${limit} ${site}`
}

/** What the classes above mean, who must act and what to do; each once. */
function meanings({ entries }: QueueAnswer): string {
  const found = new Map(entries.map(entry => [entry.class, entry] as const))
  const texts = [...found].flatMap(([name, entry]) =>
    name === null || entry.classMessage === null
      ? []
      : [`\n\n${name}\n  ${meaningText(entry).replaceAll('\n', '\n  ')}`],
  )
  return texts.join('')
}

function meaningText({ classMessage, who, next }: QueueEntry): string {
  return [
    `${classMessage?.ja}対応者: ${who?.ja}。${next?.ja}`,
    `${classMessage?.en} To act: ${who?.en}. ${next?.en}`,
  ].join('\n')
}

function entryText(entry: QueueEntry, at: TimeText): string {
  return facts([
    ['entry', entry.id],
    ['from', entry.from ?? '<>'],
    ['sender domain', entry.senderDomain],
    ['account', entry.account],
    ['recipient', entry.recipient],
    ['state', entry.heldReason === null ? entry.state : `${entry.state}: ${entry.heldReason}`],
    ...(entry.waitMessage ? [['', `${entry.waitMessage.ja}\n${entry.waitMessage.en}`] as const] : []),
    ...(entry.suspension === null ? [] : [['suspension', entry.suspension] as const]),
    ['priority', entry.priority],
    ['received', at(entry.receivedAt)],
    ['tries', entry.attempts],
    ['next try', at(entry.nextAttemptAt)],
    ['given up', at(entry.expiresAt)],
    ['last reply', entry.lastReply],
    ['last host', entry.lastHost],
    ['last site', entry.lastSite],
    ['class', entry.class],
    ...(entry.classMessage ? [['', meaningText(entry)] as const] : []),
    ...(entry.inDoubt ? [['in doubt', 'it may have been taken once already: a duplicate is possible'] as const] : []),
  ])
}
