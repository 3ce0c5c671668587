/**
 * One attempt: takes entries of one message to one site, and says what each recipient was answered.
 *
 * Judges nothing (`outcome/classify.ts` does) and never throws: an error of our own is a temporary answer of ours to
 * every recipient that has none, with its stack in the log (design invariants 6 and 9). RFC 5321 §4.5.4.1, §5.1.
 */
import type { KeyObject } from 'node:crypto'
import type { Config } from '../base/config.ts'
import type { Seal } from '../base/seal.ts'
import type { LookupFailure } from '../dns/mx.ts'
import { DnsTrouble, type Resolver } from '../dns/resolver.ts'
import { verpAddress } from '../feedback/verp.ts'
import type { Mailbox } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { AttemptFacts } from '../mail/outcome.ts'
import type { Reply } from '../mail/reply.ts'
import type { SettledAttempt } from '../outcome/settled-attempt.ts'
import { returnPathHost } from '../policy/sending-mode.ts'
import type { LeasedEntry } from '../store/store.ts'
import type { AccountLevels } from '../tls/account-levels.ts'
import { requirementOf, type TlsRequirement } from '../tls/requirement.ts'
import { type Decision, type DecisionParts, decide } from './decision.ts'
import { type Answer, type Delivery, type HostFacts, type HostParts, tryHosts } from './hosts-in-turn.ts'
import { insistsOnTls } from './require-tls.ts'
import { hostSpecs, type Route, type Unrouted } from './route.ts'
import type { Group, Site } from './throttle.ts'
import type { HostSpec } from './transport.ts'
import { nobodyVouches, vouchedHosts } from './vouched-hosts.ts'

export interface AttemptParts extends DecisionParts, HostParts {
  readonly config: Pick<Config, 'hostname' | 'delivery' | 'relayDomain' | 'queue'>
  readonly seal: Seal
  readonly resolver: Resolver
  readonly verpKey: KeyObject
  readonly accountLevels?: Pick<AccountLevels, 'of'>
  /** A connection to the site was closed by the other side right after so many messages. */
  onHungUp(site: Site, messages: number): void
}

/** `untried`: the sender's own server came, went or changed since the route was chosen, or the worker stops. */
export type AttemptEnd = { readonly settled: readonly SettledAttempt[] } | { readonly untried: true }

const localTrouble: Reply = { code: 451, detail: '3.0', text: 'Temporary local problem', from: 'relay' }

/** Facts as far as they are known; the rest of them comes with the host. */
type Known = Pick<AttemptFacts, 'mode' | 'modeReason' | 'signatures' | 'reversePath' | 'startedAt'> & {
  readonly signMs: number
  readonly started: number
}

export async function attempt(group: Group, site: Site, parts: AttemptParts): Promise<AttemptEnd> {
  let known = nothingKnown(group.held.message, parts)
  try {
    const decision = await decide(group.held.message, parts)
    if (routeChanged(decision, group.route)) return { untried: true }
    const reversePath = reversePathFor(group, decision, parts)
    known = { ...known, mode: decision.mode, modeReason: decision.reason, reversePath }
    const vouched = insistsOnTls(group.held.message.envelope, reversePath) ? await onlyVouched(group, parts) : group
    if (vouched === null || 'kind' in vouched) return { settled: [withoutVouched(group, vouched, known, parts)] }
    const { outgoing, signatures } = await group.held.signed(decision)
    if (parts.cutOff()) return { untried: true }
    known = { ...known, signatures, signMs: parts.clock.monotonic() - known.started }
    const answers = await tryHosts(
      deliveryOf(group, site, { reversePath, outgoing }, parts),
      specsInTurn(vouched, site, requirementFor(group, reversePath, parts), parts),
      parts,
    )
    return { settled: settledByHost(group, answers, known, parts) }
  } catch (error) {
    return { settled: [internalError(group, error, parts, known)] }
  }
}

/** Null: nobody vouches for any of its hosts. */
async function onlyVouched(group: Group, { resolver }: AttemptParts): Promise<Group | LookupFailure | null> {
  const { route, leased } = group
  const hosts = await vouchedHosts(route, leased[0]!.entry.domain, resolver)
  if (hosts instanceof DnsTrouble) return { kind: 'dns-trouble', detail: hosts.message }
  return hosts.length === 0 ? null : { ...group, route: { ...route, hosts } }
}

function withoutVouched(
  { leased, route }: Group,
  lookup: LookupFailure | null,
  known: Known,
  { clock }: AttemptParts,
): SettledAttempt {
  const reply = nobodyVouches(leased[0]!.entry.domain, route)
  return {
    facts: factsOf(known, route.site, null, clock.monotonic() - known.started),
    route: route.kind,
    results: leased.map(one =>
      lookup === null
        ? { leased: one, result: { address: one.entry.recipient.address, reply, phase: 'lookup' } }
        : { leased: one, lookup },
    ),
  }
}

/** An attempt that ended before there was a host to go to. */
export function lookupFailed(
  { leased, kind, site, failure }: Unrouted,
  decision: Decision,
  parts: Pick<AttemptParts, 'clock'>,
): SettledAttempt {
  const { message } = leased[0]!
  const known = { ...nothingKnown(message, parts), mode: decision.mode, modeReason: decision.reason }
  return {
    facts: factsOf(known, site, null, 0),
    route: kind,
    results: leased.map(one => ({ leased: one, lookup: failure })),
  }
}

/** What becomes of entries when an unexpected error ends their attempt, or their way to one. Logs it. */
export function internalError(
  { leased, route }: { readonly leased: readonly LeasedEntry[]; readonly route: Route | null },
  error: unknown,
  parts: Pick<AttemptParts, 'clock' | 'log'>,
  known: Known = nothingKnown(leased[0]!.message, parts),
): SettledAttempt {
  const message = leased[0]!.message.id
  parts.log.error({ message, site: route?.site, err: error }, 'an attempt was ended by an error of the relay itself')
  return {
    facts: factsOf(known, route?.site ?? '', null, parts.clock.monotonic() - known.started),
    route: route?.kind ?? 'mx',
    results: leased.map(one => ({
      leased: one,
      result: { address: one.entry.recipient.address, reply: localTrouble, phase: 'lookup' },
    })),
  }
}

function nothingKnown({ envelope }: Message, { clock }: Pick<AttemptParts, 'clock'>): Known {
  return {
    mode: 'sender-only',
    modeReason: 'not decided: an error came first',
    signatures: [],
    reversePath: envelope.reversePath,
    startedAt: clock.now(),
    signMs: 0,
    started: clock.monotonic(),
  }
}

function routeChanged(decision: Decision, route: Route): boolean {
  if (decision.own === null || route.own === null) return decision.own !== route.own
  const [now, then] = [decision.own.smtp, route.own.smtp]
  const settings = ['host', 'port', 'tls', 'username', 'sealedPassword'] as const
  return settings.some(setting => now[setting] !== then[setting])
}

/** The null reverse-path stays null: a bounce must never be bounced (RFC 5321 §4.5.5). */
function reversePathFor(group: Group, decision: Decision, parts: AttemptParts): Mailbox | null {
  const { config, verpKey, clock, lostGraceMs } = parts
  const { id, envelope } = group.held.message
  if (decision.reversePath === 'as-submitted' || envelope.reversePath === null) return envelope.reversePath
  const sole = group.leased.length === 1 ? group.leased[0]!.entry.id : null
  const own = returnPathHost(decision.domain, { now: clock.now(), lostGraceMs })
  return verpAddress({ message: id, entry: sole, bounceHost: own ?? config.relayDomain.bounceHost, key: verpKey })
}

function deliveryOf(
  { held, leased, route }: Group,
  site: Site,
  { reversePath, outgoing }: Pick<Delivery, 'reversePath' | 'outgoing'>,
  { config, onHungUp }: AttemptParts,
): Delivery {
  const { envelope, origin } = held.message
  // RFC 8460 §3: a report's own session is in no report, or two domains would report to each other for ever.
  // A detour's hosts are not the domain's: its reports are not about them.
  const isCounted = route.own === null && route.detour === undefined && origin !== 'tls-report'
  const isWhole = leased.length === 1 && envelope.recipients.length === 1
  return {
    site: route.site,
    key: site.limits.key,
    maxMessages: site.limits.messagesPerConnection,
    maxOpen: site.limits.connections,
    envelope: isWhole ? envelope : { ...envelope, recipients: leased.map(({ entry }) => entry.recipient) },
    reversePath,
    outgoing,
    ...(isCounted && { domain: leased[0]!.entry.domain }),
    noteSilent: address => site.noteSilent(address, config.queue.siteClosed),
    noteHungUp: messages => onHungUp(site, messages),
  }
}

/** Addresses that did not answer lately go last, or every message would wait for a dead first host. */
function specsInTurn(
  { route }: Group,
  site: Site,
  requirement: TlsRequirement,
  { config, seal }: AttemptParts,
): Iterable<HostSpec> {
  const places = route.hosts.flatMap(({ host, addresses, port }) =>
    addresses.map(address => (port === undefined ? { host, address } : { host, address, port })),
  )
  if (!site.hasSilent) return hostSpecs(route, places, config, seal, requirement)
  const silent = places.filter(({ address }) => site.isSilent(address))
  return hostSpecs(route, [...places.filter(place => !silent.includes(place)), ...silent], config, seal, requirement)
}

/** A bounce is protected where that can be had and sent all the same where not (RFC 8689 §5). */
function requirementFor({ held, route }: Group, reversePath: Mailbox | null, parts: AttemptParts): TlsRequirement {
  const { account, envelope } = held.message
  const message = envelope.tls === 'required' && reversePath === null ? undefined : envelope.tls
  return requirementOf({ site: route.siteTls, account: parts.accountLevels?.of(account), message })
}

/** One settled attempt for each host that gave answers: they differ in their facts. */
function settledByHost(
  { held, leased, route }: Group,
  answers: readonly Answer[],
  known: Known,
  { clock }: AttemptParts,
): SettledAttempt[] {
  const totalMs = clock.monotonic() - known.started
  // A report of theirs on success would come to a reverse-path of ours, and end there.
  const isHeard = known.reversePath === held.message.envelope.reversePath
  const settledBy = (host: HostFacts, results: SettledAttempt['results']): SettledAttempt => ({
    facts: factsOf(known, route.site, host, totalMs),
    route: route.kind,
    dsnPassedOn: host.dsn && isHeard,
    results,
  })
  if (leased.length === 1) return [settledBy(answers[0]!.host, [{ leased: leased[0]!, result: answers[0]!.result }])]
  return [...new Set(answers.map(({ host }) => host))].map(host =>
    settledBy(
      host,
      leased.flatMap((one, i) => (answers[i]!.host === host ? [{ leased: one, result: answers[i]!.result }] : [])),
    ),
  )
}

function factsOf(known: Known, site: string, host: HostFacts | null, totalMs: number): AttemptFacts {
  const { mode, modeReason, signatures, reversePath, startedAt, signMs } = known
  const facts = {
    mode,
    modeReason,
    signatures,
    site,
    remoteMta: host?.remoteMta ?? null,
    remoteIp: host?.remoteIp ?? null,
    sourceIp: host?.sourceIp ?? null,
    tls: host?.tls ?? null,
    ...(host?.tlsPolicy && { tlsPolicy: host.tlsPolicy }),
    reversePath,
    startedAt,
    durations: { signMs, connectMs: host?.connectMs ?? 0, sendMs: host?.sendMs ?? 0, totalMs },
  }
  return host?.conversation ? { ...facts, conversation: host.conversation } : facts
}
