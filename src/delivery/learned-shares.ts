/**
 * What several workers have learned of one site, added up and divided among another number of them. Pure.
 */
import type { Instant } from '../mail/ids.ts'
import { type AdaptedLimit, divided, forgetMs } from '../policy/adaptive-limit.ts'
import type { Learned } from './site-limits.ts'

/**
 * The part of worker `number` of `count`. `known`: what some of `before` workers knew; the others are taken for their
 * average.
 */
export function dividedAmong(known: readonly Learned[], before: number, count: number, number: number): Learned {
  const part = (limits: readonly (AdaptedLimit | null)[]) => {
    const learned = limits.filter(limit => limit !== null)
    return learned.length === 0 ? null : divided(learned, before / learned.length, count, number)
  }
  const newest = known.reduce((best, one) => (saidAt(one) > saidAt(best) ? one : best))
  return {
    connections: part(known.map(({ connections }) => connections)),
    rate: part(known.map(({ rate }) => rate)),
    messages: known.reduce<Learned['messages']>((least, { messages }) => lesser(least, messages), null),
    evidence: newest.evidence,
  }
}

export function isOld(learned: Learned, now: Instant): boolean {
  return now - saidAt(learned) >= forgetMs
}

function saidAt({ connections, rate, messages }: Learned): Instant {
  return Math.max(connections?.loweredAt ?? 0, rate?.loweredAt ?? 0, messages?.at ?? 0)
}

function lesser(one: Learned['messages'], other: Learned['messages']): Learned['messages'] {
  return one === null || (other !== null && other.value < one.value) ? other : one
}
