/**
 * How the keys of a domain move on: pending → active when its record is seen, active → retiring when a newer key took
 * over, retiring → retired when no mail signed with it can be under way any more.
 *
 * Pure, and computed from what is there, so a change that was half written is completed at the next check.
 */
import type { Instant } from '../mail/ids.ts'
import type { DkimKey, KeyState } from '../mail/sender-domain.ts'

export interface KeyMove {
  readonly key: DkimKey
  readonly to: KeyState
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
