/**
 * A message that has passed too many servers is going in circles (RFC 5321 §6.3).
 */
import { fieldsNamed } from '../../mail/header.ts'
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const loop: Check = {
  name: 'loop',
  message({ header, limits }) {
    if (fieldsNamed(header, 'received').length > limits.maxReceivedFields)
      throw new SmtpError(replies.loop(limits.maxReceivedFields))
    return undefined
  },
}
