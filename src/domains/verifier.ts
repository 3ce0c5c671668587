/**
 * Checks all records of a domain in DNS and writes down what that means: checks, key states, events, the next check.
 *
 * Fails with NotFound and StoreUnavailable; DNS trouble is a judgement, never a failure.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { DomainName, Instant } from '../mail/ids.ts'
import type { Check, DkimKey, DnsRecord, SenderDomain } from '../mail/sender-domain.ts'
import { dkimRecord } from '../signing/key-ring.ts'
import { type DomainStore, NotFound } from '../store/store.ts'
import { nextCheckAt } from './check-schedule.ts'
import { type CheckChange, checkEvents, keyMoveEvent } from './domain-events.ts'
import { sameFound } from './found-diff.ts'
import { isReady, type KeyMove, keyMoves, movedKeys, nextMoveTimes } from './key-states.ts'
import { type Look, lookEverywhere, witnessesOf } from './look-everywhere.ts'
import { type LookingParts, lookingNow } from './looking-now.ts'
import { recordKinds } from './records/index.ts'
import { lastCheck, type RecordKind } from './records/record-kind.ts'

export interface VerifierParts extends LookingParts {
  readonly store: DomainStore
  readonly clock: Clock
  readonly config: Pick<Config, 'spf' | 'hostname' | 'domains' | 'queue' | 'relayDomain' | 'signing' | 'timeZone'>
  readonly log: Log
}

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
  const { config } = parts
  const wanted = recordKinds.flatMap(kind => kind.expected(domain, config).map(record => ({ kind, record })))
  using looking = lookingNow(parts, now)
  return await Promise.all(
    wanted.map(async ({ kind, record }) => {
      const before = lastCheck(domain, record)
      const look = await lookEverywhere({ ...looking, domain, config, kind, record, before })
      return { kind, check: asCheck(record, look, before, now) }
    }),
  )
}

/** While nobody can say, what was last seen stays on record: the value to publish is built on it. */
function asCheck({ purpose, name }: DnsRecord, look: Look, before: Check | null, now: Instant): Check {
  const { judgement } = look
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
    ...witnessesOf(look),
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
