/**
 * Priorities: which of an account's own mail goes first when not all can go at once.
 *
 * `transactional`: somebody waits for it (a password, a receipt). `bulk`: a mailing that may take hours. The numbers stand
 * in the store, smaller first. A priority orders mail within its account only: it gains nothing over anybody else's.
 */
export const priorities = ['transactional', 'normal', 'bulk'] as const
export type Priority = (typeof priorities)[number]

/** 0, 1, 2; absent: normal. */
export function rankOf(priority: Priority | undefined): number {
  return priority === undefined ? 1 : priorities.indexOf(priority)
}

export const ranks: readonly number[] = [0, 1, 2]
export const leastRank = 2

/** While both wait, so many of the more urgent go before one of the others: a share small enough, but never none. */
export const turnsBeforeLess = 7
