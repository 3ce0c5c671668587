/**
 * The acceptance policy, readable as a list: every check, in the order in which a client hears of it (RFC 6409 §6).
 */
import { SmtpError } from '../replies.ts'
import { accountActive } from './account-active.ts'
import { alignmentForecast } from './alignment-forecast.ts'
import { authenticated } from './authenticated.ts'
import type { Check, MailFacts, MessageFacts, RcptFacts } from './check.ts'
import { loop } from './loop.ts'
import { recipients } from './recipients.ts'
import { senderIsYours } from './sender-is-yours.ts'
import { size } from './size.ts'
import { storeReady } from './store-ready.ts'
import { utf8Addresses } from './utf8-addresses.ts'

const checks: readonly Check[] = [
  authenticated,
  accountActive,
  storeReady,
  size,
  senderIsYours,
  utf8Addresses,
  recipients,
  loop,
  alignmentForecast,
]

/** A refusal, and the check that made it, for the log. */
export class CheckRefusal extends SmtpError {
  readonly check: string
  constructor(check: string, { reply, cause }: SmtpError) {
    super(reply, { cause })
    this.check = check
  }
}

export function checkMail(facts: MailFacts): void {
  for (const check of checks) naming(check, () => check.mail?.(facts))
}

export function checkRcpt(facts: RcptFacts): void {
  for (const check of checks) naming(check, () => check.rcpt?.(facts))
}

/** Answers the warnings. */
export function checkMessage(facts: MessageFacts): string[] {
  return checks.map(check => naming(check, () => check.message?.(facts))).filter(warning => warning !== undefined)
}

function naming<T>(check: Check, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    throw error instanceof SmtpError ? new CheckRefusal(check.name, error) : error
  }
}
