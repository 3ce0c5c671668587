/**
 * Checks all records of a domain in DNS and writes down what that means: checks, key states, events, the next check.
 *
 * Fails with NotFound and StoreUnavailable; DNS trouble is a judgement, never a failure.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { Authority } from '../dns/authority.ts'
import { boundedResolver } from '../dns/bounded-resolver.ts'
import { cachedResolver } from '../dns/cached-resolver.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { Check, DkimKey, DnsRecord, SenderDomain } from '../mail/sender-domain.ts'
import { dkimRecord } from '../signing/key-ring.ts'
import { type DomainStore, NotFound } from '../store/store.ts'
import { nextCheckAt } from './check-schedule.ts'
import { type CheckChange, checkEvents, keyMoveEvent } from './domain-events.ts'
import { sameFound } from './found-diff.ts'
import { isReady, type KeyMove, keyMoves, movedKeys, nextMoveTimes } from './key-states.ts'
import { type Look, lookEverywhere } from './look-everywhere.ts'
import { recordKinds } from './records/index.ts'
import { lastCheck, type RecordKind } from './records/record-kind.ts'

export interface VerifierParts {
  readonly store: DomainStore
  readonly resolver: Resolver
  /** Absent or null: only the resolver is asked. */
  readonly authority?: Authority | null
  readonly clock: Clock
  readonly config: Pick<Config, 'spf' | 'hostname' | 'domains' | 'queue' | 'relayDomain' | 'signing' | 'timeZone'>
  readonly log: Log
}

/** More questions than any SPF record may cost, kept for longer than they take. */
const onceInAVerification = { entries: 500, maxAgeMs: 60_000 }
/** RFC 7208 §4.6.4: evaluations should be given 20 s at least. Somebody waits for the answer, so no more than that. */
const verifiesWithinMs = 20_000

/** The authoritative servers' part of it, so that what is judged afterwards has its time. */
const authorityWithinMs = 10_000

interface Checked {
  readonly kind: RecordKind
  readonly check: Check
}

export async function verifyDomain(parts: VerifierParts, name: DomainName, now: Instant): Promise<void> {
  const { store, config } = parts
  const domain = await store.domain(name)
  if (!domain) throw new NotFound(`${name} is not registered`)
  const checked = await checkRecords(parts, domain, now)
  const moves = keyMoves(
    domain.keys,
    key => isReady(key, checkOf(key, checked), domain.keys, now),
    config.queue.expireAfter,
    now,
  )
  // A key signs before its predecessor steps back, and only then does the domain count as settled.
  await move(
    parts,
    domain,
    moves.filter(({ to }) => to === 'active'),
    now,
  )
  await record(parts, { ...domain, keys: movedKeys(domain.keys, moves, now) }, checked, now)
  await move(
    parts,
    domain,
    moves.filter(({ to }) => to !== 'active'),
    now,
  )
}

async function checkRecords(parts: VerifierParts, domain: SenderDomain, now: Instant): Promise<Checked[]> {
  const { config, clock, authority = null } = parts
  const wanted = recordKinds.flatMap(kind => kind.expected(domain, config).map(record => ({ kind, record })))
  using authorityEnd = endingAfter(authorityWithinMs, clock)
  const looking = {
    ...{ domain, config, authority, authoritySignal: authorityEnd.signal, now },
    resolver: seeingNow(parts),
    each: eachSeeingNow(parts),
    timeText: timesIn(config.timeZone),
  }
  return await Promise.all(
    wanted.map(async ({ kind, record }) => {
      const look = await lookEverywhere({ ...looking, kind, record })
      return { kind, check: asCheck(record, look, lastCheck(domain, record), now) }
    }),
  )
}

function endingAfter(ms: number, clock: Clock): Disposable & { readonly signal: AbortSignal } {
  const ending = new AbortController()
  const cancel = clock.after(ms, () => ending.abort())
  return { signal: ending.signal, [Symbol.dispose]: cancel }
}

/** For sentences: `2026-01-15 12:34 (Asia/Tokyo)`. */
function timesIn(timeZone: string): (at: Instant) => string {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  return at => `${format.format(at)} (${timeZone})`
}

/** Past our cache, since the record may just have been published; each question once in a verification, and all in time. */
export function seeingNow({ resolver, clock }: Pick<VerifierParts, 'resolver' | 'clock'>): Resolver {
  const bounded = boundedResolver(resolver.direct ?? resolver, { clock, withinMs: verifiesWithinMs })
  return cachedResolver(bounded, { ...onceInAVerification, clock })
}

function eachSeeingNow({ resolver, clock }: VerifierParts): NonNullable<Resolver['each']> {
  const servers = (resolver.direct ?? resolver).each ?? []
  return servers.map(({ server, lookups }) => {
    return { server, lookups: boundedResolver({ ...lookups, close() {} }, { clock, withinMs: verifiesWithinMs }) }
  })
}

/** While nobody can say, what was last seen stays on record: the value to publish is built on it. */
function asCheck({ purpose, name }: DnsRecord, look: Look, before: Check | null, now: Instant): Check {
  const { judgement, servers, resolvers, authorityFault, visibleAt } = look
  const { state, reason } = judgement
  const isUnknown = state === 'dns-error' && before !== null
  // Checks of a published record are a day apart: its grace time begins when it is missed, not when it was last seen.
  const isSame = before?.state === 'published' && sameFound(before.found, judgement.found)
  const publishedSince = isSame ? before.publishedSince : now
  const lastPublishedAt = state === 'published' || before?.state === 'published' ? now : before?.lastPublishedAt
  return {
    ...{ purpose, name, state, reason, checkedAt: now },
    found: isUnknown ? before.found : judgement.found,
    detail: isUnknown ? { ...before.detail, ...judgement.detail } : judgement.detail,
    ...(lastPublishedAt === undefined ? {} : { lastPublishedAt }),
    ...(state !== 'published' || publishedSince === undefined ? {} : { publishedSince }),
    ...(servers.length > 0 ? { servers } : {}),
    resolvers,
    ...(authorityFault === null || authorityFault === 'not-asked' ? {} : { authorityFault }),
    ...(visibleAt === null ? {} : { visibleAt }),
  }
}

async function move({ store, log }: VerifierParts, domain: SenderDomain, moves: readonly KeyMove[], now: Instant) {
  for (const step of moves) {
    const { key, to } = step
    await store.setKeyState(domain.name, key.selector, to, now, [keyMoveEvent(domain, step, now)])
    log.info({ domain: domain.name, selector: key.selector, from: key.state, to }, 'DKIM key changed its state')
  }
}

async function record(
  { store, config, log }: VerifierParts,
  domain: SenderDomain,
  checked: readonly Checked[],
  now: Instant,
) {
  const changes = checked.map(({ check }) => ({ before: lastCheck(domain, check), after: check })).filter(isChange)
  const isComplete = checked.every(({ kind, check }) => kind.isAdvice || check.state === 'published')
  const wasComplete = checked.every(
    ({ kind, check }) => kind.isAdvice || lastCheck(domain, check)?.state === 'published',
  )
  const isAwaiting = checked.some(({ kind, check }) => kind.isAwaited && check.state !== 'published')
  const complete = isComplete && !isAwaiting
  const outcome = { complete, changed: changes.some(isVerdict), visibleAt: firstVisible(checked) }
  const next = Math.min(nextCheckAt(domain, outcome, config.domains, now), ...keyTimes(domain, checked, config, now))
  const events = checkEvents(domain, changes, { wasComplete, isComplete }, config.domains.lostGrace, now)
  await store.recordChecks(
    domain.name,
    checked.map(({ check }) => check),
    next,
    events,
  )
  for (const { after } of changes)
    log.info({ domain: domain.name, record: after.name, state: after.state, reason: after.reason }, 'record checked')
}

/** Published everywhere, but caches have to forget first. */
function firstVisible(checked: readonly Checked[]): Instant | null {
  const waiting = checked.filter(({ check }) => check.reason === 'not-yet-visible')
  const moments = waiting.flatMap(({ check }) => check.visibleAt ?? [])
  return moments.length === 0 ? null : Math.min(...moments)
}

/** Also what somebody edited without consequence: the history tells when. */
function isChange(change: CheckChange): boolean {
  return isVerdict(change) || !sameFound(change.before?.found ?? [], change.after.found)
}

function isVerdict({ before, after }: CheckChange): boolean {
  return before?.state !== after.state || before.reason !== after.reason
}

function keyTimes(
  { keys }: SenderDomain,
  checked: readonly Checked[],
  { queue, signing }: VerifierParts['config'],
  now: Instant,
): Instant[] {
  const rotateAfterMs = signing.rotateAfter === 'off' ? null : signing.rotateAfter
  const times = nextMoveTimes(keys, key => checkOf(key, checked), { queueLifeMs: queue.expireAfter, rotateAfterMs })
  return times.filter(time => time > now)
}

function checkOf(key: DkimKey, checked: readonly Checked[]): Check | undefined {
  const { name } = dkimRecord(key)
  return checked.find(({ check }) => check.name === name && check.purpose === 'dkim')?.check
}
