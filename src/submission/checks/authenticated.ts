/**
 * Only who has logged in, or whose network is trusted, may send (RFC 6409 §4.3, RFC 4954 §6).
 */
import { replies, SmtpError } from '../replies.ts'
import type { Check, MailFacts } from './check.ts'

const replyWhenMissing = {
  login: replies.loginRequired,
  tls: replies.tlsRequiredForMail,
  revoked: replies.credentialRevoked,
  trusted: replies.trustedCredentialMissing,
} as const satisfies Record<MailFacts['missing'], unknown>

export const authenticated: Check = {
  name: 'authenticated',
  mail({ submitter, missing }) {
    if (submitter === null) throw new SmtpError(replyWhenMissing[missing])
  },
}
