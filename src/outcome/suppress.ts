/**
 * Which outcomes and which reports suppress their recipient, by the rules of the configuration. Pure.
 *
 * A hard bounce is a final refusal whose class says that the address does not exist (`suppressible` in class-texts/);
 * nothing else keeps a recipient from mail, for a full mailbox or a blocked sender may be well tomorrow. The relay's own
 * reports belong to no account and suppress nobody.
 */
import type { AccountId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import { formatReply } from '../mail/reply.ts'
import { isOptOut, type Returned } from '../mail/returned.ts'
import type { AutomaticSuppression } from '../mail/suppression.ts'
import { classes } from './classes.ts'

/** `suppressions` of the configuration. */
export interface SuppressionRules {
  readonly hardBounces: boolean
  readonly complaints: boolean
  readonly afterHardBounces: number
  readonly countWithin: number
  /** Null: until removed. */
  readonly hardBounceFor: number | null
  readonly complaintFor: number | null
}

export function suppressionOfOutcome(
  outcome: Outcome,
  { account }: Pick<Message, 'account'>,
  rules: SuppressionRules,
): AutomaticSuppression | null {
  if (outcome.action !== 'bounced' || account === null || !classes[outcome.class].suppressible) return null
  const { at, entry, message, reply, recipient, facts } = outcome
  return {
    ...{ account, address: recipient, reason: 'hard-bounce', note: '', createdAt: at, entry },
    ...hardBounceRules(at, rules),
    evidence: {
      ...{ from: 'outcome', message, at, reply: formatReply(reply), class: outcome.class },
      remoteMta: reply.from === 'remote' ? (facts?.remoteMta ?? null) : null,
    },
  }
}

/** Null: a failure of this one message. */
export function suppressionOfReturned(
  returned: Returned,
  account: AccountId | null,
  rules: SuppressionRules,
): AutomaticSuppression | null {
  const { kind, permanent, at, message, recipient: address, reply, remoteMta } = returned
  if (account === null || (kind !== 'complaint' && !permanent)) return null
  const reason = kind !== 'complaint' ? 'hard-bounce' : isOptOut(returned) ? 'unsubscribed' : 'complaint'
  return {
    ...{ account, address, reason, note: '', createdAt: at, entry: null },
    ...(kind === 'complaint' ? complaintRules(at, rules) : hardBounceRules(at, rules)),
    evidence: {
      ...{ from: 'report', message, at, class: returned.class, remoteMta },
      reply: reply === null ? null : formatReply(reply),
    },
  }
}

function hardBounceRules(at: number, rules: SuppressionRules) {
  const { hardBounces: byDefault, afterHardBounces: after, countWithin: countWithinMs, hardBounceFor } = rules
  return { byDefault, after, countWithinMs, expiresAt: hardBounceFor === null ? null : at + hardBounceFor }
}

function complaintRules(at: number, { complaints: byDefault, complaintFor }: SuppressionRules) {
  return { byDefault, after: 1, countWithinMs: 0, expiresAt: complaintFor === null ? null : at + complaintFor }
}
