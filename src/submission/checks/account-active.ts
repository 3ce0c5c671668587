/**
 * A suspended account sends nothing, and hears why.
 *
 * Asked at MAIL where the credential tells the account, and again at the end: From may have told it only then.
 */
import type { Account } from '../../mail/account.ts'
import { replies, SmtpError } from '../replies.ts'
import type { Check } from './check.ts'

export const accountActive: Check = {
  name: 'account-active',
  mail({ submitter }) {
    if (submitter === null) return
    if (submitter.account !== null) refuseSuspended(submitter.account)
    else if (submitter.credential.scope === 'account') throw new SmtpError(replies.accountGone)
  },
  message({ account }) {
    if (account !== null) refuseSuspended(account)
    return undefined
  },
}

function refuseSuspended({ suspendedReason }: Account): void {
  if (suspendedReason !== null) throw new SmtpError(replies.accountSuspended(suspendedReason))
}
