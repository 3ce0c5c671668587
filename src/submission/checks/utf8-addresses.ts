/**
 * A From or Sender address beyond ASCII travels only as internationalised mail (RFC 6531 §3.4); the envelope's own
 * addresses are judged when MAIL and RCPT are read.
 */
import { needsSmtpUtf8 } from '../../mail/address.ts'
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const utf8Addresses: Check = {
  name: 'utf8-addresses',
  message({ command, originators }) {
    if (command.smtpUtf8) return undefined
    const address = [...originators.from, ...originators.sender].find(needsSmtpUtf8)
    if (address !== undefined) throw new SmtpError(replies.utf8FromWithoutExtension(address))
    return undefined
  },
}
