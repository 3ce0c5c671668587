/**
 * A message that is declared too big is refused before it is sent (RFC 1870 §6.1); one that grows too big, by
 * `reception.ts` while it comes.
 */
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const size: Check = {
  name: 'size',
  mail({ command, limits }) {
    if ((command.declaredSize ?? 0) > limits.maxMessageBytes)
      throw new SmtpError(replies.messageTooBig(limits.maxMessageBytes))
  },
}
