/**
 * Takes one message to the hosts of its route in turn, until every recipient has an answer no other host can better.
 *
 * RFC 5321 §5.1: what goes wrong with a host before it has judged the recipients is a reason to try the next. What it
 * said about a recipient is final for this attempt. Judges nothing else, and never throws for what the network does.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Phase, RecipientResult } from '../mail/attempt-result.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { DomainName, HostName, Mailbox } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import { classify } from '../outcome/classify.ts'
import { tlsFallback } from '../outcome/delivery-log.ts'
import type { TlsResults } from '../tls/tls-result.ts'
import type { Connections } from './connections.ts'
import { insisting, insistsOnTls, lackOf } from './require-tls.ts'
import { endsOnlyConnection, speaksOfRate } from './site-signals.ts'
import { tlsResultOf } from './tls-notes.ts'
import type { Connection, HostSpec, OpenResult, Outgoing } from './transport.ts'

export interface Delivery {
  /** As in `AttemptFacts`. */
  readonly site: string
  /** What kept connections belong to. */
  readonly key: string
  readonly maxMessages: number
  /** Connections to the site at once. */
  readonly maxOpen: number
  readonly envelope: Envelope
  readonly reversePath: Mailbox | null
  readonly outgoing: Outgoing
  /** The recipient domain whose TLS reports count its connections; absent: nobody's, as with a sender's own server. */
  readonly domain?: DomainName
  /** An address that could not be connected to. */
  noteSilent(address: string): void
  /** A connection that was closed by the other side right after so many messages. */
  readonly noteHungUp?: (messages: number) => void
}

/** Which host answered, and how long that took. */
export interface HostFacts {
  readonly remoteMta: HostName
  readonly remoteIp: string
  readonly sourceIp: string | null
  readonly tls: string | null
  /** As in `AttemptFacts`. */
  readonly tlsPolicy: string | null
  /** The host announced DSN (RFC 3461 §4). */
  readonly dsn: boolean
  readonly connectMs: number
  readonly sendMs: number
  /** Of a connection that failed or refused something: what was said, a line each. */
  readonly conversation?: readonly string[]
}

export interface Answer {
  readonly result: RecipientResult
  readonly host: HostFacts
}

export interface HostParts {
  readonly connections: Connections
  readonly clock: Clock
  readonly log: Log
  readonly tlsResults?: TlsResults
  /** True once running attempts are being cut off: no further host then. */
  cutOff(): boolean
}

type Transaction = { readonly results: readonly RecipientResult[]; readonly host: HostFacts }

/** One answer per recipient of the envelope, in order. `specs` are tried in this order; never empty. */
export async function tryHosts(
  delivery: Delivery,
  specs: Iterable<HostSpec>,
  parts: HostParts,
): Promise<readonly Answer[]> {
  const { envelope } = delivery
  const answers: Answer[] = []
  const requiresTls = insistsOnTls(envelope, delivery.reversePath)
  let open = envelope.recipients.map((_, index) => index)
  for (const wished of specs) {
    const spec = requiresTls ? insisting(wished) : wished
    const { results, host } = await tryHost(reducedTo(open, delivery), spec, parts)
    for (const [i, index] of open.entries()) answers[index] = better(answers[index], { result: results[i]!, host })
    open = open.filter((_, i) => mayDoBetterElsewhere(results[i]!))
    if (open.length === 0 || parts.cutOff()) break
  }
  return answers
}

function reducedTo(open: readonly number[], delivery: Delivery): Delivery {
  const { envelope } = delivery
  if (open.length === envelope.recipients.length) return delivery
  return { ...delivery, envelope: { ...envelope, recipients: open.map(index => envelope.recipients[index]!) } }
}

/** A kept connection that turns out closed says nothing about the message: once more on a new one. */
async function tryHost(delivery: Delivery, spec: HostSpec, parts: HostParts): Promise<Transaction> {
  const first = await tryConnection(delivery, spec, parts, false)
  if (!first.stale || parts.cutOff()) return first
  return tryConnection(delivery, spec, parts, true)
}

async function tryConnection(
  delivery: Delivery,
  spec: HostSpec,
  parts: HostParts,
  fresh: boolean,
): Promise<Transaction & { readonly stale: boolean }> {
  const { clock, connections } = parts
  const started = clock.monotonic()
  const opened = await openConnection(delivery, spec, parts, fresh)
  const connected = clock.monotonic()
  const connectMs = connected - started
  const lack = insistsOnTls(delivery.envelope, delivery.reversePath) ? lackOf(spec, opened) : null
  if (lack !== null) return withoutSending(delivery, spec, opened, lack, connectMs, parts)
  if (!('connection' in opened)) {
    const results = delivery.envelope.recipients.map(({ address }) => unopened(address, spec, opened))
    return { results, host: telling(factsOf(spec, null, connectMs, 0), opened), stale: false }
  }
  const { connection } = opened
  const carried = connection.sent
  try {
    const results = await sendToAll(connection, delivery)
    const facts = factsOf(spec, connection, connectMs, clock.monotonic() - connected)
    const allTaken = results.every(isTaken)
    const host = allTaken ? facts : telling(facts, connection)
    const stale = carried > 0 && results.every(isStale)
    if (stale && connections.wasPrompt(connection)) delivery.noteHungUp?.(carried)
    if (!connection.reusable && allTaken) delivery.noteHungUp?.(connection.sent)
    return { results, host, stale }
  } finally {
    // Content that can't be read throws; the connection must still come back, or it counts as open for ever.
    connections.release(connection)
  }
}

/**
 * RFC 5321 §4.5.3.1.10: those who were too many for one transaction have the next, while each takes somebody. Gmail asks for one
 * per domain (451 4.3.0); waiting for `queue.retryAfter` each time would keep the last of them for hours.
 */
async function sendToAll(connection: Connection, delivery: Delivery): Promise<readonly RecipientResult[]> {
  const { envelope, reversePath, outgoing, maxMessages } = delivery
  const first = await connection.send(envelope, reversePath, outgoing)
  if (first.length === 1 || !first.some(wereTooMany)) return first
  const results = [...first]
  for (let last = first; last.some(isTaken) && connection.reusable && connection.sent < maxMessages; ) {
    const left = results.flatMap((result, index) => (wereTooMany(result) ? [index] : []))
    if (left.length === 0) break
    const recipients = left.map(index => envelope.recipients[index]!)
    try {
      last = await connection.send({ ...envelope, recipients }, reversePath, outgoing)
    } catch {
      // Content that can't be read any more: what was taken before counts all the same.
      break
    }
    for (const [i, index] of left.entries()) if (isWordOnRecipient(last[i]!)) results[index] = last[i]!
  }
  return results
}

function wereTooMany(result: RecipientResult): boolean {
  if ('failure' in result || result.phase !== 'rcpt' || result.reply.code < 400) return false
  const { action, class: found } = classify({ result, route: 'mx' })
  return action === 'deferred' && found === 'too-many-recipients'
}

/** A host that wants no more transactions on this connection says nothing about those who wait for theirs. */
function isWordOnRecipient(result: RecipientResult): boolean {
  return 'failure' in result ? result.failure.inDoubt : result.phase !== 'mail' && result.reply.code !== 421
}

/** With what was said, for whoever asks why. */
function telling(host: HostFacts, { conversation }: { readonly conversation?: readonly string[] }): HostFacts {
  return conversation === undefined || conversation.length === 0 ? host : { ...host, conversation }
}

/** The connection was good for nothing but to hear what the host can't do. */
function withoutSending(
  { envelope }: Delivery,
  spec: HostSpec,
  opened: OpenResult,
  reply: Reply,
  connectMs: number,
  { connections }: HostParts,
): Transaction & { readonly stale: boolean } {
  const connection = 'connection' in opened ? opened.connection : null
  const facts = factsOf(spec, connection, connectMs, 0)
  const host = connection === null ? facts : telling(facts, connection)
  if (connection !== null) connections.release(connection)
  const results = envelope.recipients.map(({ address }): RecipientResult => ({ address, reply, phase: 'ehlo' }))
  return { results, host, stale: false }
}

function factsOf(spec: HostSpec, connection: Connection | null, connectMs: number, sendMs: number): HostFacts {
  return {
    remoteMta: spec.host,
    remoteIp: connection?.spec.address ?? spec.address,
    sourceIp: spec.sourceIp ?? null,
    tls: connection?.tls ?? null,
    tlsPolicy: spec.plan?.policy ?? null,
    dsn: connection?.extensions.has('DSN') ?? false,
    connectMs,
    sendMs,
  }
}

/**
 * Opportunistic TLS that breaks is no reason not to deliver (RFC 7435 §3): once more in plain text. Not with a login:
 * whoever can break a handshake must not get a password for it.
 */
async function openConnection(
  { key, maxMessages, maxOpen, site, domain, noteSilent, noteHungUp }: Delivery,
  spec: HostSpec,
  { connections, log, tlsResults }: HostParts,
  fresh: boolean,
): Promise<OpenResult> {
  const refused = spec.plan?.refused?.failure
  let opened = refused
    ? { failure: refused, tlsFailed: true }
    : await connections.acquire(spec, { key, maxMessages, maxOpen, fresh, noteHungUp })
  if (domain !== undefined) noteTls(domain, spec, opened, tlsResults)
  if (refused) return opened
  if ('failure' in opened && opened.tlsFailed && spec.tls === 'opportunistic' && !spec.implicitTls && !spec.auth) {
    tlsFallback(log, { site, remoteMta: spec.host, remoteIp: spec.address, reason: opened.failure.detail })
    opened = await connections.acquire({ ...spec, tls: 'off' }, { key, maxMessages, maxOpen, fresh, noteHungUp })
  }
  if ('failure' in opened && opened.failure.phase === 'connect') noteSilent(spec.address)
  return opened
}

/** Before a second try in plain text: what is reported is what became of TLS. */
function noteTls(domain: DomainName, spec: HostSpec, opened: OpenResult, results: TlsResults | undefined): void {
  const result = results && tlsResultOf(domain, spec, opened)
  if (result) results.note(result)
}

function unopened(
  address: Mailbox,
  { plan }: HostSpec,
  opened: Exclude<OpenResult, { connection: Connection }>,
): RecipientResult {
  if ('reply' in opened) return { address, reply: opened.reply, phase: opened.phase }
  const { failure } = opened
  if (plan?.tls !== 'required' || failure.kind !== 'tls') return { address, failure }
  const seen = /^[45]\d\d /.test(failure.detail) ? `no STARTTLS: ${failure.detail}` : failure.detail
  return { address, failure: { ...failure, kind: 'tls-policy', detail: `${plan.policy}: ${seen}` } }
}

/** Before the first recipient; `mail` only when the host says "not now" (RFC 5321 §4.2.1). */
const hostPhases: ReadonlySet<Phase> = new Set(['connect', 'banner', 'ehlo', 'starttls', 'idle'])

function mayDoBetterElsewhere(result: RecipientResult): boolean {
  if ('failure' in result) return !result.failure.inDoubt && result.failure.kind !== 'unsupported'
  const { reply, phase } = result
  // What this host's EHLO reply lacks (SMTPUTF8, a large enough SIZE) another may have.
  if (reply.from === 'relay' && reply.code >= 500) return true
  if (hostPhases.has(phase)) return true
  // 421 ends the session whatever it answered (RFC 5321 §3.8); after the dot it is this message's answer all the same.
  if (reply.code === 421) return phase !== 'dot' && !speaksOfRate(result)
  return phase === 'mail' && reply.code >= 400 && reply.code < 500 && !speaksOfRate(result)
}

function isTaken(result: RecipientResult): boolean {
  return 'reply' in result && result.phase === 'dot' && result.reply.code < 400
}

/** Servers close idle connections silently, or with a 421 that waits to be read (RFC 5321 §3.8). */
function isStale(result: RecipientResult): boolean {
  if ('reply' in result) return endsOnlyConnection(result)
  const { phase, kind, inDoubt } = result.failure
  return !inDoubt && (phase === 'idle' || phase === 'mail') && (kind === 'closed' || kind === 'reset')
}

/** When no host takes it, the one that said most stands: a temporary reply, else silence, else a refusal. */
function better(old: Answer | undefined, now: Answer): Answer {
  if (old === undefined || !mayDoBetterElsewhere(now.result)) return now
  return weight(now.result) >= weight(old.result) ? now : old
}

function weight(result: RecipientResult): number {
  if ('failure' in result) return 1
  return result.reply.code < 500 ? 2 : 0
}
