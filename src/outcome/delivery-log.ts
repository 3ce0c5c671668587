/**
 * The delivery log: one function per thing that can happen to a message, each writing one line.
 *
 * Nobody formats such lines elsewhere; what comes back has `return-log.ts`, suppressions `suppression-log.ts`. Only the fields of `log-fields.ts` are written; content, passwords and keys have
 * no field. Never fails: a line is plain facts that are at hand.
 */
import type { Log } from '../base/log.ts'
import { type Detour, siteOfDetour } from '../mail/detour.ts'
import type { AccountId, CredentialId, DomainName, HostName, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { AttemptFacts, Outcome } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import type { Suspension } from '../mail/suspension.ts'
import type { WarmUp, WarmUpChange } from '../mail/warm-up.ts'
import { capOf } from '../policy/warm-up.ts'
import type { LogEvent } from './log-fields.ts'
import { isoTime, type Line, messageFacts, pathOf, pick } from './log-line.ts'

/** The submitting side, as far as it is known at that point of the session. */
export interface ClientFacts {
  readonly client: string
  readonly ehlo?: string | undefined
  readonly tls?: string | null | undefined
  readonly username?: string | undefined
  readonly credential?: CredentialId | null | undefined
  readonly account?: AccountId | null | undefined
}

/** `reply` as it went over the wire: `550 5.7.1 text`. */
export interface Refusal extends ClientFacts {
  readonly reply: string
  readonly check?: string | undefined
  readonly message?: MessageId | undefined
  readonly senderDomain?: DomainName | undefined
  readonly sender?: Mailbox | null | undefined
  readonly from?: Mailbox | undefined
  readonly recipient?: string | undefined
  readonly recipients?: number | undefined
  /** Of a message to several: the first of them. */
  readonly to?: readonly string[] | undefined
  readonly size?: number | undefined
  /** What a stranger isn't told: the cause, one line. */
  readonly reason?: string | undefined
}

/** What an operator's command on the queue was narrowed to. */
export interface QueueCommand {
  readonly entries: number
  readonly message?: MessageId | undefined
  readonly account?: AccountId | undefined
  readonly senderDomain?: DomainName | undefined
  readonly site?: string | undefined
  readonly recipient?: Mailbox | undefined
  readonly reason?: string | undefined
}

export interface SiteFacts {
  readonly site: string
  readonly remoteMta?: HostName | null | undefined
  readonly remoteIp?: string | null | undefined
  /** Of the closed way, where there are several. */
  readonly sourceIp?: string | undefined
  readonly reply?: string | undefined
  readonly class?: string | undefined
  readonly reason?: string | undefined
}

/** `totalMs`: from the final dot to the commit. */
export function accepted(log: Log, message: Message, facts: { readonly totalMs?: number } = {}): void {
  const { recipients } = message.envelope
  const line: Line = {
    event: 'accepted',
    ...messageFacts(message),
    messageIdHeader: message.messageIdHeader,
    credential: message.credential ?? undefined,
    recipient: recipients.length === 1 ? recipients[0]!.address : undefined,
    recipients: recipients.length,
    priority: message.priority,
    releaseAt: message.releaseAt === undefined ? undefined : isoTime(message.releaseAt),
    client: message.client?.address,
    ehlo: message.client?.ehlo,
    tls: message.client?.tls,
    totalMs: facts.totalMs,
  }
  log.info(line, `accepted from ${pathOf(message.envelope.reversePath)} for ${recipientsOf(message)}`)
}

export function refused(log: Log, refusal: Refusal): void {
  const sender = refusal.sender === undefined ? undefined : pathOf(refusal.sender)
  const line: Line = { event: 'refused', ...pick(refusal), sender }
  log.info(line, `refused ${refusal.recipient ?? sender ?? refusal.client}: ${refusal.reply}`)
}

export function warned(log: Log, message: Message, reason: string): void {
  log.warn({ event: 'warned', ...messageFacts(message), reason } satisfies Line, `accepted with a warning: ${reason}`)
}

/** One outcome of an attempt, of expiry or of a cancellation. */
export function settled(log: Log, outcome: Outcome, message: Message): void {
  if (outcome.action === 'delivered') delivered(log, outcome, message)
  else if (outcome.action === 'deferred') deferred(log, outcome, message)
  else if (outcome.action === 'bounced') bounced(log, outcome, message)
  else cancelled(log, outcome satisfies { action: 'cancelled' }, message)
}

export function delivered(log: Log, outcome: Outcome & { action: 'delivered' }, message: Message): void {
  const line = outcomeFacts('delivered', outcome, message)
  log.info(line, `delivered to ${outcome.recipient}: ${line.reply}`)
}

export function deferred(log: Log, outcome: Outcome & { action: 'deferred' }, message: Message): void {
  const nextAttemptAt = isoTime(outcome.nextAttemptAt)
  const line: Line = { ...outcomeFacts('deferred', outcome, message), nextAttemptAt }
  log.info(line, `deferred ${outcome.recipient} until ${nextAttemptAt}: ${line.reply}`)
}

export function bounced(log: Log, outcome: Outcome & { action: 'bounced' }, message: Message): void {
  const line = outcomeFacts('bounced', outcome, message)
  log.info(line, `bounced ${outcome.recipient}: ${line.reply}`)
}

export function cancelled(log: Log, outcome: Outcome & { action: 'cancelled' }, message: Message): void {
  log.info(outcomeFacts('cancelled', outcome, message), `cancelled ${outcome.recipient}: ${outcome.reply.text}`)
}

/** A DSN of ours was queued. `original`: the message it reports on. */
export function reported(
  log: Log,
  report: Message,
  about: { readonly original: MessageId; readonly report: 'failure' | 'delay' | 'success' },
): void {
  const to = report.envelope.recipients[0]?.address
  const line: Line = { event: 'reported', ...messageFacts(report), ...about, recipient: to, recipients: 1 }
  log.info(line, `queued a ${about.report} report on ${about.original} to ${to}`)
}

export function held(log: Log, command: QueueCommand): void {
  log.info({ event: 'held', ...pick(command) } satisfies Line, `held ${command.entries} queue entries`)
}

export function released(log: Log, command: QueueCommand): void {
  log.info({ event: 'released', ...pick(command) } satisfies Line, `released ${command.entries} queue entries`)
}

export function retried(log: Log, command: QueueCommand): void {
  log.info({ event: 'retried', ...pick(command) } satisfies Line, `made ${command.entries} queue entries due at once`)
}

/** The address is not told: it is what was to be forgotten. */
export function erased(log: Log, command: Pick<QueueCommand, 'entries'>): void {
  log.info({ event: 'erased', ...command } satisfies Line, `erased a recipient from ${command.entries} messages`)
}

export function suspended(log: Log, { id, reason, until, filter }: Suspension): void {
  const { account, senderDomain, domain, site = domain, class: of } = filter
  const line: Line = {
    ...{ event: 'suspended', suspension: id, account, senderDomain, site, class: of, reason },
    until: until === null ? undefined : isoTime(until),
  }
  log.info(line, `suspended ${sliceOf(filter)}: ${reason}`)
}

export function resumed(log: Log, { id, reason, filter }: Suspension): void {
  const { account, senderDomain, domain, site = domain, class: of } = filter
  const line: Line = { event: 'resumed', suspension: id, account, senderDomain, site, class: of, reason }
  log.info(line, `resumed ${sliceOf(filter)}`)
}

function sliceOf(filter: Suspension['filter']): string {
  return Object.entries(filter)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

export function detourAdded(log: Log, detour: Detour): void {
  const until = detour.until === null ? undefined : isoTime(detour.until)
  const site = siteOfDetour(detour)
  const line: Line = { event: 'detour-added', detourOf: detour.domain, site, until, reason: detour.note }
  log.info(line, `mail for ${detour.domain} goes ${site}: ${detour.note}`)
}

export function detourRemoved(log: Log, detour: Detour): void {
  const line: Line = { event: 'detour-removed', detourOf: detour.domain, site: siteOfDetour(detour) }
  log.info(line, `mail for ${detour.domain} goes to its MX again`)
}

/** Scheduled entries were given another moment. */
export function rescheduled(log: Log, command: QueueCommand & { readonly releaseAt: Instant }): void {
  const { releaseAt, ...facts } = command
  const line: Line = { event: 'rescheduled', ...pick(facts), releaseAt: isoTime(releaseAt) }
  log.info(line, `rescheduled ${command.entries} queue entries to ${line.releaseAt}`)
}

export interface TlsReportFacts {
  readonly policyDomain: DomainName
  readonly day: string
  /** A mail address, or where an https receiver is. */
  readonly recipient?: string | undefined
  readonly message?: MessageId | undefined
  readonly reason?: string | undefined
  /** Null: never again. */
  readonly nextAttemptAt?: Instant | null
}

export function tlsReported(log: Log, facts: TlsReportFacts): void {
  const { policyDomain, day, recipient, message } = facts
  const line: Line = { event: 'tls-reported', policyDomain, day, recipient, message }
  log.info(line, `TLS report on ${policyDomain} for ${day} to ${recipient}`)
}

export function tlsReportFailed(log: Log, { nextAttemptAt, ...facts }: TlsReportFacts): void {
  const again = nextAttemptAt ? isoTime(nextAttemptAt) : undefined
  const line: Line = { event: 'tls-report-failed', ...facts, nextAttemptAt: again }
  log.warn(line, `TLS report on ${facts.policyDomain} for ${facts.day} failed: ${facts.reason}`)
}

export function siteClosed(log: Log, site: SiteFacts & { readonly until: Instant }): void {
  const { until, ...facts } = site
  const line: Line = { event: 'site-closed', ...pick(facts), closedUntil: isoTime(until) }
  log.warn(line, `site ${site.site} is closed until ${line.closedUntil}: ${site.reply ?? site.reason ?? 'trouble'}`)
}

/** What a site may get from now on. `lowered`: for a reason worth a look; on the way up only `debug` tells. */
export function limitsChanged(
  log: Log,
  site: SiteFacts & {
    readonly connections: number
    readonly perMinute: number | null
    readonly messagesPerConnection: number
  },
  direction: 'lowered' | 'raised',
): void {
  const { connections, perMinute, messagesPerConnection, ...facts } = site
  const line: Line = { event: 'limits-changed', ...pick(facts), connections, perMinute, messagesPerConnection }
  const rate = perMinute === null ? 'any rate' : `${perMinute} a minute`
  const told = `site ${site.site} gets ${connections} connections, ${messagesPerConnection} messages on each, ${rate}`
  if (direction === 'raised') log.debug(line, told)
  else log.info(line, `${told}: ${site.reply ?? site.reason ?? 'trouble'}`)
}

/** A site wants less of one sender domain; null: it goes at that rate already. */
export function senderSlowed(
  log: Log,
  {
    site,
    domain,
    perMinute,
    restsUntil,
    reply,
  }: Pick<SiteFacts, 'site'> & {
    readonly domain: DomainName
    readonly perMinute: number
    readonly restsUntil: Instant | null
    readonly reply: string
  },
): void {
  const rests = restsUntil === null ? undefined : isoTime(restsUntil)
  const line: Line = { event: 'sender-slowed', site, senderDomain: domain, perMinute, restsUntil: rests, reply }
  log.warn(line, `mail of ${domain} to ${site} rests until ${rests}, then ${perMinute} a minute: ${reply}`)
}

export function siteOpened(log: Log, site: SiteFacts): void {
  log.info({ event: 'site-opened', ...pick(site) } satisfies Line, `site ${site.site} is open again`)
}

export function sourceUnusable(log: Log, source: { readonly sourceIp: string; readonly reason: string }): void {
  log.warn({ event: 'source-unusable', ...source } satisfies Line, `${source.sourceIp} can't be used: ${source.reason}`)
}

export function clockSetBack(log: Log, { byMs, entries }: { readonly byMs: number; readonly entries: number }): void {
  const reason = `the clock was set back by ${Math.round(byMs / 1000)} s`
  log.warn(
    { event: 'clock-set-back', entries, reason } satisfies Line,
    `${reason}: ${entries} entries wait as long as before`,
  )
}

/** What waited for it is looked at at once. */
export function poolChanged(
  log: Log,
  { pool, entries, isGone }: { readonly pool: string; readonly entries: number; readonly isGone: boolean },
): void {
  const reason = isGone
    ? 'the configuration has no such pool any more: its mail leaves by the default one'
    : 'the configuration has other addresses in it'
  log.warn({ event: 'pool-changed', pool, entries, reason } satisfies Line, `pool ${pool}: ${reason}`)
}

export function warmUpChanged(log: Log, { type, warmUp }: WarmUpChange): void {
  const { kind, name, account } = warmUp
  const cap = capOf(warmUp) ?? undefined
  const reason = type === 'paused' ? troubleText(warmUp) : undefined
  const whose = kind === 'domain' ? { senderDomain: name, account: account ?? undefined } : { sourceIp: name }
  const line: Line = { event: `warm-up-${type}`, ...whose, cap, reason }
  const text = `warm-up of ${name} ${type}${reason === undefined ? '' : `: ${reason}`}`
  if (type === 'paused') log.warn(line, text)
  else log.info(line, text)
}

function troubleText({ pause }: WarmUp): string {
  if (!pause?.trouble) return 'by hand'
  const { kind, share, of } = pause.trouble
  return `${(share * 100).toFixed(1)} % of ${of} answers were ${kind === 'complained' ? 'followed by complaints' : kind}`
}

/** Opportunistic TLS failed and the host is tried again in plain text (RFC 7435). */
export function tlsFallback(log: Log, site: SiteFacts & { readonly reason: string }): void {
  const line: Line = { event: 'tls-fallback', ...pick(site) }
  log.warn(line, `TLS with ${site.remoteMta ?? site.site} failed, trying plain text: ${site.reason}`)
}

export function authFailed(log: Log, client: ClientFacts & Pick<Refusal, 'reply' | 'reason'>): void {
  const line: Line = { event: 'auth-failed', ...pick(client) }
  log.warn(line, `login of ${client.username ?? 'somebody'} from ${client.client} failed: ${client.reply}`)
}

export function connectionRefused(log: Log, client: ClientFacts & { readonly reply: string }): void {
  const line: Line = { event: 'connection-refused', ...pick(client) }
  log.warn(line, `turned away ${client.client}: ${client.reply}`)
}

export function connectionLost(log: Log, client: ClientFacts & { readonly reason: string }): void {
  const line: Line = { event: 'connection-lost', ...pick(client) }
  log.info(line, `lost the connection of ${client.client}: ${client.reason}`)
}

export function deliveryPaused(log: Log, facts: { readonly reason: string; readonly entries?: number }): void {
  log.warn({ event: 'delivery-paused', ...facts } satisfies Line, `delivery is paused: ${facts.reason}`)
}

export function deliveryResumed(log: Log, facts: { readonly entries?: number } = {}): void {
  log.info({ event: 'delivery-resumed', ...facts } satisfies Line, 'delivery goes on')
}

/** The janitor took back what nobody renewed. */
export function leasesReclaimed(log: Log, entries: number): void {
  log.warn(
    { event: 'leases-reclaimed', entries } satisfies Line,
    `${entries} leases had run out; their entries wait again`,
  )
}

function outcomeFacts(event: LogEvent, outcome: Outcome, message: Message): Line {
  return {
    event,
    ...messageFacts(message),
    entry: outcome.entry,
    recipient: outcome.recipient,
    ...(outcome.facts === null ? {} : attemptFacts(outcome.facts)),
    reply: formatReply(outcome.reply),
    repliedBy: outcome.reply.from,
    class: outcome.class,
    actor: outcome.actor,
    attempt: outcome.attempt,
    inDoubt: outcome.inDoubt,
    queuedMs: Math.max(0, outcome.at - message.receivedAt),
  }
}

function attemptFacts(facts: AttemptFacts) {
  const { signMs, connectMs, sendMs, totalMs } = facts.durations
  return {
    mode: facts.mode,
    modeReason: facts.modeReason,
    signatures: facts.signatures,
    reversePath: pathOf(facts.reversePath),
    site: facts.site,
    remoteMta: facts.remoteMta ?? undefined,
    remoteIp: facts.remoteIp ?? undefined,
    sourceIp: facts.sourceIp ?? undefined,
    tls: facts.tls,
    tlsPolicy: facts.tlsPolicy,
    signMs: Math.round(signMs),
    connectMs: Math.round(connectMs),
    sendMs: Math.round(sendMs),
    totalMs: Math.round(totalMs),
  }
}

function recipientsOf({ envelope: { recipients } }: Message): string {
  return recipients.length === 1 ? recipients[0]!.address : `${recipients.length} recipients`
}
