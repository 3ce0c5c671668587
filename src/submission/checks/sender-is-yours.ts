/**
 * A sender uses only addresses of its account: in the reverse-path, in every From address and in Sender (design
 * invariant 4; RFC 6409 §6.1).
 *
 * An address is the account's when it is registered for it, or when its domain is. With a credential of the CRM itself
 * (scope `all`) the first From address decides the account and everything else must belong to the same one. The null
 * reverse-path is always allowed. Addresses hidden in display names and comments count too: some readers show them.
 */
import type { AccountId } from '../../mail/ids.ts'
import type { OwnedAddress } from '../originators.ts'
import { replies, SmtpError } from '../replies.ts'
import type { Check, MailFacts, MessageFacts } from './check.ts'

export const senderIsYours: Check = {
  name: 'sender-is-yours',
  mail({ submitter, reversePath }: MailFacts) {
    if (submitter === null || reversePath === null) return
    const account = submitter.credential.account
    if (account === null ? reversePath.owners.length === 0 : !owns(account, reversePath)) refuse(reversePath)
  },
  message({ account, from, sender, reversePath, hidden, originators }: MessageFacts) {
    const used = [...from, ...sender, ...(reversePath === null ? [] : [reversePath])]
    for (const owned of used) if (account === null || !owns(account.id, owned)) refuse(owned)
    for (const { field, text, owned } of hidden) {
      if (owned === null || account === null || !owns(account.id, owned))
        throw new SmtpError(replies.hiddenNotYours(field, text))
    }
    for (const field of originators.repeated) throw new SmtpError(replies.severalFields(field))
    if (sender.length > 1) throw new SmtpError(replies.severalSenders)
    return undefined
  },
}

function owns(account: AccountId, { owners }: OwnedAddress): boolean {
  return owners.includes(account)
}

function refuse({ address }: OwnedAddress): never {
  throw new SmtpError(replies.senderNotYours(address))
}
