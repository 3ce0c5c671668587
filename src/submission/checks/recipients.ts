/**
 * The number of recipients is bounded; those above it can follow in another transaction (RFC 5321 §4.5.3.1.10).
 */
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const recipients: Check = {
  name: 'recipients',
  rcpt({ accepted, limits }) {
    if (accepted >= limits.maxRecipients) throw new SmtpError(replies.tooManyRecipients(limits.maxRecipients))
  },
}
