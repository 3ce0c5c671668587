/**
 * The form of a rule: which replies it fits, the class they belong to, why, and whose documentation says so.
 */
import type { Phase } from '../../mail/attempt-result.ts'
import type { Actor, OutcomeClass } from '../../mail/outcome.ts'

export type Route = 'mx' | 'own-smtp'

/** All given conditions must hold; of a list, one. */
export interface Conditions {
  readonly digit?: 4 | 5 | undefined
  readonly codes?: readonly number[] | undefined
  /** Subject and detail of the enhanced status: `7.1`, or `7.*`; `0.0` when there was none. */
  readonly status?: readonly string[] | undefined
  /** Phrases (`base/phrase.ts`). */
  readonly text?: readonly string[] | undefined
  /** Phrases of which none may stand in the text. */
  readonly unless?: readonly string[] | undefined
  readonly phases?: readonly Phase[] | undefined
  readonly route?: Route | undefined
  /** Suffixes, in whole labels, of the site's host names or the recipient's domain. */
  readonly sites?: readonly string[] | undefined
}

export interface Rule {
  readonly id: string
  readonly class: OutcomeClass
  /** When it isn't the class's usual one. */
  readonly actor?: Actor
  readonly when: Conditions
  /** One clause. */
  readonly reason: string
}

/** Rules written from one source. */
export interface RuleGroup {
  /** The document, by its publisher and title. */
  readonly source: string
  readonly rules: readonly Rule[]
}

/** Where a message or a recipient is answered for, as opposed to the session. */
export const forRecipient: readonly Phase[] = ['rcpt', 'data', 'dot']
export const forContent: readonly Phase[] = ['data', 'dot']
export const forSender: readonly Phase[] = ['mail', 'rcpt']
export const beforeMail: readonly Phase[] = ['connect', 'banner', 'ehlo']
