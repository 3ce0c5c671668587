/**
 * `kitte tail`: the delivery log for people, narrowed to what is wanted, as it is written.
 *
 * One line per thing that happened: when, what, to whom, what was said and what comes next. With --json the lines of the
 * log as they are.
 */
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { parseDomain, parseMailbox } from '../mail/address.ts'
import { logEvents } from '../outcome/log-fields.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, colour, commonOptions, configOf, connect, print, printable } from './context.ts'
import { accountIdOf } from './lists.ts'
import { followLines, type LogLine, recentLines } from './log-reader.ts'
import { sinceOf } from './since.ts'
import { type TimeText, timesOf } from './times.ts'

interface TailOptions {
  readonly domain?: string
  readonly senderDomain?: string
  readonly account?: string
  readonly site?: string
  readonly outcome?: readonly string[]
  readonly recipient?: string
  readonly message?: string
  readonly sender?: string
  readonly credential?: string
  readonly why?: string
  readonly since?: string
  readonly until?: string
  readonly lines?: number
  readonly follow: boolean
}

const idForm = /^[0-9a-hjkmnp-tv-z]{26}$/

/** A screenful. */
const linesShown = 20
const disorderMs = 60_000
/** Of a refused mail to several. */
const recipientsShown = 3
const events: readonly string[] = logEvents.map(([name]) => name)
const longestEvent = Math.max(...events.map(name => name.length))

const colours: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  delivered: 'green',
  deferred: 'yellow',
  'site-closed': 'yellow',
  warned: 'yellow',
  bounced: 'red',
  'bounced-later': 'red',
  complained: 'red',
  refused: 'red',
  'auth-failed': 'red',
  'delivery-paused': 'red',
}

/** `stop` ends following; without it the user does. */
export function register(
  program: Command,
  context: CliContext,
  stop: AbortSignal = new AbortController().signal,
): void {
  program
    .command('tail')
    .description('show the delivery log as it is written')
    .option('--domain <name>', 'to one recipient domain')
    .option('--sender-domain <name>', 'from one sender domain')
    .option('--account <account>', 'of one account')
    .option('--site <text>', 'to sites, hosts or addresses with this in their name')
    .option('--outcome <words>', 'delivered, deferred, bounced, refused …; several with commas', parseOutcomes)
    .option('--recipient <address>', 'to one recipient')
    .option('--sender <address>', 'with this reverse-path or From address')
    .option('--credential <name>', 'handed in with this credential: its id or username')
    .option('--message <id>', 'of one message: its id or its Message-ID')
    .option('--why <text>', 'with this as class, actor or check, or in reply or reason')
    .option('--since <time>', 'all lines since then: 2h (ago), or 2026-01-15T09:00:00+09:00')
    .option('--until <time>', 'none after that; does not follow')
    .option('--lines <count>', `lines of the past to begin with, ${linesShown} without --since`, parseLines)
    .option('--no-follow', 'end after these')
    .action((options: TailOptions, command: Command) => tail(context, command, options, stop))
}

async function tail(context: CliContext, command: Command, options: TailOptions, stop: AbortSignal): Promise<void> {
  const folder = join(configOf(context, command).dataDir, 'log')
  const { account } = options
  // One that looks like an id is taken for it, so that the log can be read without the API.
  const byName = account !== undefined && !idForm.test(account)
  const fits = matcher(
    byName ? { ...options, account: await accountIdOf(connect(context, command), account) } : options,
  )
  const since = sinceOf('--since', options.since, context.clock) ?? Number.NEGATIVE_INFINITY
  const until = sinceOf('--until', options.until, context.clock) ?? Number.POSITIVE_INFINITY
  const matches = (line: LogLine) => isBetween(since, line, until) && fits(line)
  const { json } = commonOptions(context, command)
  const at = timesOf(context, command)
  const show = (line: LogLine) => print(context, json ? line.raw : lineText(context, printable(line.fields), at))
  const wanted = options.lines ?? (options.since === undefined ? linesShown : Number.POSITIVE_INFINITY)
  // Threads hand in their lines together, so some stand a little after later ones.
  const isBefore = (line: LogLine) => momentOf(line) < since - disorderMs
  const { lines, position } = await recentLines(folder, wanted, matches, isBefore)
  for (const line of lines) show(line)
  if (!options.follow || options.until !== undefined) return
  for await (const line of followLines(folder, position, stop)) if (matches(line)) show(line)
}

/** NaN: it has no time. */
function momentOf({ fields: { time } }: LogLine): number {
  return typeof time === 'string' ? Date.parse(time) : Number.NaN
}

/** What has no time is there unless a time is asked for. */
function isBetween(since: number, line: LogLine, until: number): boolean {
  if (since === Number.NEGATIVE_INFINITY && until === Number.POSITIVE_INFINITY) return true
  const at = momentOf(line)
  return at >= since && at <= until
}

// ── What is wanted ──────────────────────────────────────────────────────────────────────────────────────────────────

function matcher(options: TailOptions): (line: LogLine) => boolean {
  const tests = [
    wants(inAscii(options.domain), (line, domain) => recipientsIn(line).some(one => one.endsWith(`@${domain}`))),
    wants(inAscii(options.senderDomain), (line, domain) => isFrom(line, domain)),
    wants(options.account, (line, account) => text(line.account) === account),
    wants(options.site, (line, site) =>
      [line.site, line.remoteMta, line.remoteIp].some(one => text(one).includes(site)),
    ),
    wants(mailboxOf(options.recipient), (line, recipient) => recipientsIn(line).includes(recipient)),
    wants(mailboxOf(options.sender), (line, sender) => [line.sender, line.from].some(one => text(one) === sender)),
    wants(options.credential, (line, name) => [line.credential, line.username].some(one => text(one) === name)),
    wants(options.message, isAbout),
    wants(options.why, (line, why) => {
      const exact = [line.class, line.actor, line.check].some(one => text(one) === why)
      return exact || [line.reply, line.reason, line.modeReason].some(one => text(one).includes(why))
    }),
  ]
  const { outcome } = options
  return ({ fields }) => {
    if (outcome && !outcome.includes(String(fields.event))) return false
    return isForOperators(fields) && tests.every(test => test(fields))
  }
}

type Fields = LogLine['fields']

/** As the log has it: `例え.jp` is `xn--r8jz45g.jp` there. */
function inAscii(domain: string | undefined): string | undefined {
  return domain === undefined ? undefined : (parseDomain(domain) ?? domain)
}

function mailboxOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (parseMailbox(address) ?? address)
}

/** True when the option wasn't given. Letter case never matters. */
function wants(given: string | undefined, test: (line: Fields, given: string) => boolean): (line: Fields) => boolean {
  if (given === undefined) return () => true
  return line => test(line, given.toLowerCase())
}

/** A refused mail may have got no further than its reverse-path. */
function isFrom(line: Fields, domain: string): boolean {
  if (line.senderDomain !== undefined) return text(line.senderDomain) === domain
  return [line.from, line.sender].some(one => text(one).endsWith(`@${domain}`))
}

/** A refused mail may have several. */
function recipientsIn({ recipient, to }: Fields): string[] {
  return [recipient, ...(Array.isArray(to) ? to : [])].map(text)
}

function isAbout(line: Fields, given: string): boolean {
  const id = given.replace(/^<(.*)>$/, '$1')
  return [line.message, line.original, line.entry, line.messageIdHeader].some(one => text(one) === id)
}

/** Events, and what went wrong in the relay itself; not the SMTP transcripts of level debug. */
function isForOperators({ event, level }: Fields): boolean {
  return event !== undefined || level === 'warn' || level === 'error'
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : ''
}

function parseOutcomes(given: string): string[] {
  const words = given.split(',').map(word => word.trim())
  const unknown = words.find(word => !events.includes(word))
  if (unknown === undefined) return words
  throw new CliError(`there is no outcome ${unknown}`, `these are written: ${events.join(', ')}`)
}

function parseLines(given: string): number {
  if (/^\d{1,6}$/.test(given)) return Number(given)
  throw new InvalidArgumentError('Write a whole number from 0 to 999999.')
}

// ── One line ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `2026-01-15 12:00:00 delivered b@example.com  mx1.example.com: 250 2.0.0 ok  [01jhm…] 113 ms, spf-dkim`. */
function lineText(context: CliContext, line: Fields, at: TimeText): string {
  const event = String(line.event ?? line.level)
  const style = colours[event] ?? (line.level === 'error' ? 'red' : null)
  const word = style === null ? event : colour(context, style, event)
  const padding = ' '.repeat(Math.max(1, longestEvent + 1 - event.length))
  const parts = [what(line, at), id(line), next(line, at)].filter(part => part !== '')
  return `${at(timeIn(line.time))} ${word}${padding}${parts.join('  ').replaceAll('\n', ' ')}`
}

/** Null: a line of another version, or of another program, has none. */
function timeIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The log writes its times in UTC, also within sentences. */
const utcTime = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g

/** The recipient and what was said about it; for what has none, the sentence of the log. */
function what(line: Fields, at: TimeText): string {
  if (typeof line.attempt !== 'number') return sentence(line, at)
  const host = line.repliedBy === 'remote' && line.remoteMta !== undefined ? `${line.remoteMta}: ` : ''
  return `${line.recipient}  ${host}${line.reply}`
}

function id(line: Fields): string {
  const about = line.entry ?? line.message
  return about === undefined ? '' : `[${about}]`
}

/** The word of the event stands in its own column already. */
function sentence({ event, text: given }: Fields, at: TimeText): string {
  const told = String(given ?? '').replace(utcTime, time => at(time))
  return told.startsWith(`${event} `) ? told.slice(`${event} `.length) : told
}

/** What is out of the ordinary in when it goes. */
function orderText({ priority, releaseAt }: Fields, at: TimeText): string {
  const urgency = typeof priority === 'string' && priority !== 'normal' ? `, ${priority}` : ''
  return typeof releaseAt === 'string' ? `${urgency}, to be sent at ${at(releaseAt)}` : urgency
}

/** What comes next, or who must act. */
function next(line: Fields, at: TimeText): string {
  const doubt = line.inDoubt === true ? ', in doubt: may come twice' : ''
  switch (line.event) {
    case 'accepted':
      return `${line.size} octets from ${line.client ?? 'the relay'}${orderText(line, at)}`
    case 'delivered':
      return `${line.totalMs ?? 0} ms, ${line.mode}${Number(line.attempt) > 1 ? `, try ${line.attempt}` : ''}${doubt}`
    case 'deferred':
      return `${line.class}; try ${Number(line.attempt) + 1} at ${at(timeIn(line.nextAttemptAt))}${doubt}`
    case 'bounced':
      return `${line.class}; to act: ${line.actor}${doubt}`
    case 'refused':
    case 'auth-failed':
      return whoseText(line)
    default:
      return ''
  }
}

/** Who was refused, and by which check: what the other side of the connection needs to hear is in the reply. */
function whoseText({ event, sender, from, recipient, to, username, client, check, reason }: Fields): string {
  const others = Array.isArray(to) ? to : []
  const more = others.length > recipientsShown ? ' …' : ''
  const parts = [
    // What has no recipient is told of its sender already.
    sender === undefined || recipient === undefined ? '' : `from ${sender}`,
    from === undefined || from === sender ? '' : `From: ${from}`,
    others.length === 0 ? '' : `to ${others.slice(0, recipientsShown).join(', ')}${more}`,
    event === 'auth-failed' ? '' : `${username === undefined ? '' : `${username} `}at ${client}`,
    check === undefined ? '' : `check ${check}`,
    reason === undefined ? '' : String(reason),
  ]
  return parts.filter(part => part !== '').join('; ')
}
