/**
 * How the keys of a domain move on: pending → active when its record is seen, active → retiring when a newer key took
 * over, retiring → retired when no mail signed with it can be under way any more.
 *
 * Pure, and computed from what is there, so a change that was half written is completed at the next check.
 */
import type { Instant } from '../mail/ids.ts'
import type { Check, DkimKey, KeyState } from '../mail/sender-domain.ts'

export interface KeyMove {
  readonly key: DkimKey
  readonly to: KeyState
}

/**
 * How long the key behind a fixed selector must have been seen before it signs: until no resolver remembers the key, or the
 * absence, that was there before. TTL and SOA minimum of the relay's zone are its operator's; an hour is long for either.
 */
export const settleMs = 3_600_000

/** Whether a key that waits can take over: its record is seen and, where another key had its name, by everybody. */
export function isReady(key: DkimKey, check: Check | undefined, keys: readonly DkimKey[], now: Instant): boolean {
  if (check?.state !== 'published') return false
  const isFirst = !keys.some(other => other.algorithm === key.algorithm && other.state === 'active')
  return key.form !== 'cname' || isFirst || now >= readyAt(check)
}

/** When time alone moves a key on, or makes the next one due; for who plans the next check. */
export function nextMoveTimes(
  keys: readonly DkimKey[],
  checkOf: (key: DkimKey) => Check | undefined,
  { queueLifeMs, rotateAfterMs }: { readonly queueLifeMs: number; readonly rotateAfterMs: number | null },
): Instant[] {
  return keys.flatMap(key => {
    if (key.state === 'retiring') return [key.stateSince + queueLifeMs]
    if (key.form !== 'cname') return []
    if (key.state === 'active') return rotateAfterMs === null ? [] : [key.stateSince + rotateAfterMs]
    const check = checkOf(key)
    return key.state === 'pending' && check?.state === 'published' ? [readyAt(check)] : []
  })
}

function readyAt(check: Check): Instant {
  return (check.publishedSince ?? check.checkedAt) + settleMs
}

/** The keys as they are after the moves. */
export function movedKeys(keys: readonly DkimKey[], moves: readonly KeyMove[], now: Instant): DkimKey[] {
  return keys.map(key => {
    const move = moves.find(candidate => candidate.key === key)
    return move ? { ...key, state: move.to, stateSince: now } : key
  })
}

/** `isPublished`: by the check just made. Moves are in the order to write: the new key first, so one always signs. */
export function keyMoves(
  keys: readonly DkimKey[],
  isPublished: (key: DkimKey) => boolean,
  queueLifeMs: number,
  now: Instant,
): KeyMove[] {
  const newestFirst = keys.toSorted((a, b) => b.createdAt - a.createdAt)
  const rsa = movesOf('rsa', newestFirst, isPublished)
  const rsaSigns = newestFirst.some(key => key.algorithm === 'rsa' && stateAfter(key, rsa) === 'active')
  // Large receivers don't verify Ed25519 (RFC 8463): alone it would leave the mail as good as unsigned.
  const ed25519 = rsaSigns ? movesOf('ed25519', newestFirst, isPublished) : []
  const retired = keys.filter(key => key.state === 'retiring' && now >= key.stateSince + queueLifeMs)
  return [...rsa, ...ed25519, ...retired.map(key => ({ key, to: 'retired' as const }))]
}

/** The newest published key signs; all other active and older pending ones step back. */
function movesOf(
  algorithm: DkimKey['algorithm'],
  newestFirst: readonly DkimKey[],
  isPublished: (key: DkimKey) => boolean,
) {
  const own = newestFirst.filter(key => key.algorithm === algorithm)
  const signer = own.find(key => key.state === 'pending' && isPublished(key)) ?? own.find(key => key.state === 'active')
  if (!signer) return []
  const moves: KeyMove[] = signer.state === 'pending' ? [{ key: signer, to: 'active' }] : []
  for (const key of own) {
    if (key !== signer && key.state === 'active') moves.push({ key, to: 'retiring' })
    if (key.state === 'pending' && key.createdAt < signer.createdAt) moves.push({ key, to: 'retired' })
  }
  return moves
}

function stateAfter(key: DkimKey, moves: readonly KeyMove[]): KeyState {
  return moves.find(move => move.key === key)?.to ?? key.state
}
