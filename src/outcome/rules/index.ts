/**
 * Which class a 4xx or 5xx reply belongs to: all rules in order, the first that fits wins.
 *
 * What a provider says of its own replies comes first, then statuses that mean one thing, then the words that servers have
 * in common, then what is left of statuses and codes, which are coarser. To add a class: a rule in one of these files, its
 * sentences in `class-texts/`, a line in the test's table.
 */
import { freemailRules } from './freemail.ts'
import { gatewayRules, listRules } from './gateways.ts'
import { googleRules } from './google.ts'
import { japanRules } from './japan.ts'
import { microsoftRules } from './microsoft.ts'
import { ownSmtpRules } from './own-smtp.ts'
import type { RuleGroup } from './rule.ts'
import { codeRules, exactStatuses, statusRules } from './statuses.ts'
import { contentTexts } from './texts-content.ts'
import { earlyTexts } from './texts-early.ts'
import { lateTexts } from './texts-late.ts'
import { recipientTexts } from './texts-recipient.ts'
import { senderTexts } from './texts-sender.ts'
import { nameTexts, rateTexts } from './texts-session.ts'

export const ruleGroups: readonly RuleGroup[] = [
  ...ownSmtpRules,
  googleRules,
  ...microsoftRules,
  ...freemailRules,
  ...japanRules,
  ...gatewayRules,
  earlyTexts,
  exactStatuses,
  rateTexts,
  nameTexts,
  listRules,
  senderTexts,
  recipientTexts,
  contentTexts,
  lateTexts,
  statusRules,
  codeRules,
]
