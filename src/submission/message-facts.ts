/**
 * Gathers what the checks of a complete message look at, and what the message is once they are content.
 */
import type { Config } from '../base/config.ts'
import type { Account, Credential } from '../mail/account.ts'
import { domainOf } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { fieldsNamed, type HeaderBlock, unfoldedValue } from '../mail/header.ts'
import type { Instant, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Priority } from '../mail/priority.ts'
import type { Directory } from '../store/directory.ts'
import type { NewContent } from '../store/store.ts'
import type { HiddenAddress, MessageFacts, Submitter } from './checks/check.ts'
import type { MailCommand } from './commands.ts'
import { isOneClick } from './one-click.ts'
import { findOwners, findOwnersOfText, type OwnedAddress, readOriginators } from './originators.ts'
import type { ReceivedContent } from './reception.ts'
import { readWishes, releaseOf, type Wishes } from './wishes.ts'

export interface Transaction {
  readonly command: MailCommand
  readonly submitter: Submitter
  readonly reversePath: OwnedAddress | null
  /** By address: domains are in one case already, local parts count as written (RFC 5321 §2.4). */
  readonly recipients: Map<string, Recipient>
}

export async function gatherFacts(
  { directory, config, now }: { readonly directory: Directory; readonly config: Config; readonly now: Instant },
  { command, submitter, reversePath }: Transaction,
  { header }: ReceivedContent,
): Promise<MessageFacts> {
  const originators = readOriginators(header, config.submission)
  const find = (address: string) => (address === reversePath?.address ? reversePath : findOwners(directory, address))
  // One after the other: all but the first are found in memory, and mail of several authors is rare.
  const from: OwnedAddress[] = []
  for (const address of originators.from) from.push(await find(address))
  const sender: OwnedAddress[] = []
  for (const address of originators.sender) sender.push(await find(address))
  const hidden: HiddenAddress[] = []
  for (const { field, address: text } of originators.hidden)
    hidden.push({ field, text, owned: await findOwnersOfText(directory, text) })
  const account = await accountOf(directory, submitter, from)
  const { submission: limits } = config
  return {
    limits,
    config,
    now,
    submitter,
    account,
    command,
    reversePath,
    header,
    originators,
    from,
    sender,
    hidden,
    wishes: readWishes(header),
  }
}

/** With a credential of the CRM itself the first From address decides the account (design invariant 4). */
async function accountOf(
  directory: Directory,
  { credential, account }: Submitter,
  from: readonly OwnedAddress[],
): Promise<Account | null> {
  if (credential.scope === 'account') return account
  const owner = from[0]?.owners[0]
  return owner === undefined ? null : directory.account(owner)
}

export function toMessage(
  id: MessageId,
  { command, recipients }: Transaction,
  { account, submitter, from, now, header, limits, wishes }: MessageFacts,
  received: ReceivedContent,
  content: NewContent,
  client: NonNullable<Message['client']>,
): Message {
  const { declaredSize: _, hold, ...envelope } = command
  const tlsOptional = envelope.tls === undefined && limits.tlsRequiredNo === 'honour' && saysTlsRequiredNo(header)
  const author = from[0]!.address
  const priority = priorityOf(wishes, submitter.credential, limits.listMailIsBulk)
  const releaseAt = releaseOf(hold, wishes.sendAt, now)
  return {
    id,
    account: account!.id,
    credential: submitter.credential.id,
    // RFC 6152: what holds 8-bit bytes is 8BITMIME, whatever MAIL said.
    envelope: {
      ...envelope,
      recipients: [...recipients.values()],
      body: received.eightBit ? '8BITMIME' : command.body,
      ...(tlsOptional ? { tls: 'optional' as const } : {}),
    },
    content: content.kind === 'file' ? content : { kind: 'inline' },
    size: received.size,
    from: author,
    senderDomain: domainOf(author),
    messageIdHeader: received.messageId,
    receivedAt: now,
    origin: 'submission',
    ...(isOneClick(received.header) ? { oneClick: true as const } : {}),
    ...(priority === 'normal' ? {} : { priority }),
    ...(releaseAt === null ? {} : { releaseAt }),
    client,
  }
}

/** What is said counts before what was configured, and that before what can be guessed. */
export function priorityOf(wishes: Wishes, { priority }: Credential, listMailIsBulk: boolean): Priority {
  return wishes.priority ?? priority ?? (listMailIsBulk && wishes.isMailing ? 'bulk' : 'normal')
}

/** RFC 8689 §3: the one value there is. A field that stands twice says nothing certain, and so nothing. */
function saysTlsRequiredNo(header: HeaderBlock): boolean {
  const fields = fieldsNamed(header, 'tls-required')
  return fields.length === 1 && /^no$/i.test(unfoldedValue(header, fields[0]!).trim())
}
