/**
 * One judgement from many: what the authoritative servers and the resolvers say about a record, and when it is visible.
 *
 * Published is what every authoritative server that answers shows (design section 5). The resolvers stand for receivers:
 * where they still have something else, caches do, until the TTL is over (RFC 1034 §3.6) or, for an absence, the SOA
 * minimum (RFC 2308 §5). A DKIM key counts without that wait, because its name is new and no receiver has asked for it;
 * any other record changes what receivers know already. Pure.
 */
import type { Instant } from '../mail/ids.ts'
import type { Check, RecordPurpose, ServerAnswer } from '../mail/sender-domain.ts'
import { type Judgement, notPublished } from './records/record-kind.ts'
import type { RelayRecord } from './relay-records.ts'

/** A server's answer with the whole judgement behind it; null: it gave no answer that counts. */
export interface Sighting extends ServerAnswer {
  readonly judgement: Judgement | null
}

export interface Sightings {
  readonly purpose: RecordPurpose | RelayRecord['purpose']
  readonly servers: readonly Sighting[]
  readonly resolvers: readonly Sighting[]
  /** What the resolvers say together: it decides when no authoritative server answered. */
  readonly resolved: Judgement
  readonly before: Check | null
  readonly now: Instant
  /** A moment as people read it. */
  readonly timeText: (at: Instant) => string
}

export interface Verdict {
  readonly judgement: Judgement
  readonly visibleAt: Instant | null
}

/** RFC 8767 §4: longer TTLs are cut to a week. */
const longestTtl = 604_800
/** RFC 2308 §5: absence is kept for one to three hours at most. */
const longestAbsence = 10_800

export function judgeEverywhere(sightings: Sightings): Verdict {
  const { servers, resolved } = sightings
  const answering = servers.filter(isAnswer)
  const [having, lacking, unsure] = [
    answering.filter(({ state }) => state === 'published'),
    answering.filter(({ state }) => state === 'not-published'),
    answering.filter(({ state }) => state === 'dns-error'),
  ]
  if (answering.length === 0) return { judgement: resolved, visibleAt: null }
  if (having.length > 0 && lacking.length > 0) return notEverywhere(having, lacking, sightings)
  // A record with a mistake tells more than its absence.
  const told = lacking.find(({ found }) => found.length > 0) ?? lacking[0] ?? unsure[0]
  if (told) return { judgement: told.judgement, visibleAt: null }
  return publishedEverywhere(having[0]!.judgement, sightings)
}

type Answering = Sighting & { readonly judgement: Judgement }

function isAnswer(sighting: Sighting): sighting is Answering {
  return sighting.judgement !== null
}

/** `found` is the record where it stands: what to publish is built on it. */
function notEverywhere(having: readonly Answering[], lacking: readonly Answering[], sightings: Sightings): Verdict {
  const { now, timeText, resolvers } = sightings
  const visibleAt = now + longestWaitMs([...lacking, ...resolvers.filter(isStale)])
  const { found, detail } = having[0]!.judgement
  const told = { have: namesOf(having), lack: namesOf(lacking), visibleAt: timeText(visibleAt) }
  return { judgement: notPublished('not-everywhere', found, { ...detail, ...told }), visibleAt }
}

function publishedEverywhere(judgement: Judgement, sightings: Sightings): Verdict {
  const { purpose, resolvers, resolved, before, now, timeText } = sightings
  // Signatures that don't verify (RFC 4035 §5.5) hide a record from every validating receiver, though its servers show it.
  const isHidden = resolved.state === 'dns-error' && resolvers.every(({ state }) => state === 'dns-error')
  if (isHidden) return { judgement: { ...resolved, found: judgement.found }, visibleAt: null }
  const stale = resolvers.filter(isStale)
  const found = withSilent(judgement, sightings.servers)
  if (stale.length === 0) return { judgement: found, visibleAt: null }
  const visibleAt = Math.min(now + longestWaitMs(stale), waitOf(before) ?? Number.POSITIVE_INFINITY)
  const told = { resolvers: namesOf(stale), visibleAt: timeText(visibleAt) }
  // Its time is over for every cache: whoever still says otherwise does so of his own.
  if (visibleAt <= now && waitOf(before) !== null)
    return { judgement: noted(found, 'note-resolver-differs', told), visibleAt: null }
  if (purpose === 'dkim') return { judgement: noted(found, 'note-visible-later', told), visibleAt }
  if (before?.state === 'published') return { judgement: noted(found, 'note-visible-later', told), visibleAt }
  return { judgement: notPublished('not-yet-visible', found.found, { ...found.detail, ...told }), visibleAt }
}

/** Until when the last check waited for caches; a resolver with a zone of its own would move it on for ever. */
function waitOf(before: Check | null): Instant | null {
  const isWaiting =
    before?.reason === 'not-yet-visible' || /note-(?:visible-later|resolver-differs)/.test(before?.detail.notes ?? '')
  return isWaiting ? (before?.visibleAt ?? before?.checkedAt ?? null) : null
}

function isStale({ state }: Sighting): boolean {
  return state === 'not-published'
}

function longestWaitMs(sightings: readonly Sighting[]): number {
  return Math.max(0, ...sightings.map(longestMemory)) * 1000
}

/** Seconds for which a cache may hold this answer. */
export function longestMemory({ ttl, found }: ServerAnswer): number {
  return Math.min(ttl, found.length > 0 ? longestTtl : longestAbsence)
}

/** Published all the same, but mail that asks a dead server waits for it. */
function withSilent(judgement: Judgement, servers: readonly Sighting[]): Judgement {
  const silent = servers.filter(server => !isAnswer(server))
  if (silent.length === 0) return judgement
  return noted(judgement, 'note-silent-servers', { silent: namesOf(silent) })
}

function noted(judgement: Judgement, note: string, detail: Judgement['detail']): Judgement {
  const notes = [judgement.detail.notes, note].filter(Boolean).join(' ')
  return { ...judgement, detail: { ...judgement.detail, ...detail, notes } }
}

function namesOf(sightings: readonly Sighting[]): string {
  const names = sightings.map(({ server, address }) =>
    address === '' || server.includes(address) ? server : `${server} (${address})`,
  )
  return [...new Set(names)].join(', ')
}
