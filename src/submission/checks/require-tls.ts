/**
 * REQUIRETLS is a wish for the whole way, the first step included: it is taken under TLS only (RFC 8689 §2).
 */
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const requireTls: Check = {
  name: 'require-tls',
  mail({ command, secured }) {
    if (command.tls === 'required' && !secured) throw new SmtpError(replies.requireTlsWithoutTls)
  },
}
