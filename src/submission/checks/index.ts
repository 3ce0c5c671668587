/**
 * The acceptance policy, readable as a list: every check, in the order in which a client hears of it (RFC 6409 §6).
 */
import type { Bilingual } from '../../outcome/classes.ts'
import { SmtpError } from '../replies.ts'
import { accountActive } from './account-active.ts'
import { alignmentForecast } from './alignment-forecast.ts'
import { authenticated } from './authenticated.ts'
import type { Check, MailFacts, MessageFacts, RcptFacts } from './check.ts'
import { loop } from './loop.ts'
import { recipients } from './recipients.ts'
import { requireTls } from './require-tls.ts'
import { schedule } from './schedule.ts'
import { senderIsYours } from './sender-is-yours.ts'
import { size } from './size.ts'
import { storeReady } from './store-ready.ts'
import { utf8Addresses } from './utf8-addresses.ts'

const checks: readonly Check[] = [
  authenticated,
  accountActive,
  storeReady,
  size,
  requireTls,
  senderIsYours,
  utf8Addresses,
  recipients,
  schedule,
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

const mailChecks = checks.filter(check => check.mail !== undefined)
const rcptChecks = checks.filter(check => check.rcpt !== undefined)
const messageChecks = checks.filter(check => check.message !== undefined)

export function checkMail(facts: MailFacts): void {
  for (const check of mailChecks) judged(check, 'mail', facts)
}

export function checkRcpt(facts: RcptFacts): void {
  for (const check of rcptChecks) judged(check, 'rcpt', facts)
}

/** Answers the warnings. */
export function checkMessage(facts: MessageFacts): Bilingual[] {
  const warnings: Bilingual[] = []
  for (const check of messageChecks) {
    const warning = judged(check, 'message', facts)
    if (warning !== undefined) warnings.push(warning)
  }
  return warnings
}

/** A refusal gets the check's name. */
function judged(check: Check, stage: 'mail' | 'rcpt' | 'message', facts: MailFacts | RcptFacts | MessageFacts) {
  try {
    return check[stage]!(facts as never)
  } catch (error) {
    throw error instanceof SmtpError ? new CheckRefusal(check.name, error) : error
  }
}
