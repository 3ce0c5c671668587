/**
 * What a check is: a name and what it says to MAIL, to RCPT, or to a complete message.
 *
 * To add one: a file beside this one that exports a `Check`, a line in `index.ts`, a test that speaks the dialogue.
 * A check refuses by throwing SmtpError and lets pass by returning. It sees facts that were gathered for it and
 * changes nothing; what it throws beyond SmtpError is answered with 451 4.3.0.
 */
import type { Config } from '../../base/config.ts'
import type { Account, Credential } from '../../mail/account.ts'
import type { Recipient } from '../../mail/envelope.ts'
import type { HeaderBlock } from '../../mail/header.ts'
import type { Instant } from '../../mail/ids.ts'
import type { Bilingual } from '../../outcome/classes.ts'
import type { MailCommand } from '../commands.ts'
import type { Originators, OwnedAddress } from '../originators.ts'
import type { Wishes } from '../wishes.ts'

/** Who is submitting, as it stands in the directory now. */
export interface Submitter {
  readonly credential: Credential
  /** Null for a credential of scope `all`, until From has told the account. */
  readonly account: Account | null
}

export interface MailFacts {
  readonly limits: Config['submission']
  readonly submitter: Submitter | null
  /** Why there is no submitter, to say the right thing. */
  readonly missing: 'login' | 'tls' | 'revoked' | 'trusted'
  readonly command: MailCommand
  readonly reversePath: OwnedAddress | null
  readonly storeAcceptsMail: boolean
  readonly now: Instant
  /** The session runs under TLS. */
  readonly secured: boolean
}

export interface RcptFacts {
  readonly limits: Config['submission']
  readonly recipient: Recipient
  /** How many were accepted before. */
  readonly accepted: number
}

export interface MessageFacts {
  readonly limits: Config['submission']
  readonly config: Pick<Config, 'domains' | 'spf'>
  readonly now: Instant
  readonly submitter: Submitter
  /** The account the message belongs to; null when From belongs to nobody. */
  readonly account: Account | null
  readonly command: MailCommand
  readonly reversePath: OwnedAddress | null
  readonly header: HeaderBlock
  readonly originators: Originators
  readonly from: readonly OwnedAddress[]
  readonly sender: readonly OwnedAddress[]
  readonly hidden: readonly HiddenAddress[]
  readonly wishes: Wishes
}

export interface HiddenAddress {
  readonly field: 'From' | 'Sender'
  readonly text: string
  /** Null: not a mailbox. */
  readonly owned: OwnedAddress | null
}

export interface Check {
  readonly name: string
  readonly mail?: (facts: MailFacts) => void
  readonly rcpt?: (facts: RcptFacts) => void
  /** What is returned is a warning: the message is accepted, and the warning logged and told as an event. */
  readonly message?: (facts: MessageFacts) => Bilingual | undefined
}
