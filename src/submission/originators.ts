/**
 * Reads who a message says it is from, and finds whose these addresses are.
 *
 * From and Sender must be readable in one way only (`mail/address-list.ts`); otherwise the message is refused with
 * 550 5.6.0, naming the field. Judging whether the addresses are the sender's is left to a check.
 */
import type { Config } from '../base/config.ts'
import type { SenderAddress } from '../mail/account.ts'
import { domainOf, parseMailbox } from '../mail/address.ts'
import { parseAddressList } from '../mail/address-list.ts'
import { fieldsNamed, type HeaderBlock, unfoldedValue } from '../mail/header.ts'
import type { AccountId, Mailbox } from '../mail/ids.ts'
import type { SenderDomain } from '../mail/sender-domain.ts'
import type { Directory } from '../store/directory.ts'
import { replies, SmtpError } from './replies.ts'

export type OriginatorLimits = Pick<Config['submission'], 'maxAuthors' | 'maxOriginatorBytes'>

/**
 * Where some reader ends a line: control characters, U+0085 and U+2028 f. The octet 85 counts alone (Latin-1) and behind
 * C2, but not as the end of another UTF-8 character: that of 内 in `Subject: 社内 From: …`. Letter case matters, for C2 is
 * the capital of E2 in Latin-1.
 */
const strangeLineEnd = /[\x00\x0b\x0c\x1c-\x1e]|(?<![\x80-\xbf\xc3-\xf4])\x85|\xe2\x80[\xa8\xa9]/
/** The name of a field that says who a message is from. */
const originatorField = /[ \t]*(?:resent-)?(?:from|sender|reply-to)[ \t]*:/i

export interface Originators {
  /** Of all From fields, in order. Never empty. */
  readonly from: readonly Mailbox[]
  readonly sender: readonly Mailbox[]
  /** What a careless reader could take for an address, per field. */
  readonly hidden: readonly { readonly field: 'From' | 'Sender'; readonly address: string }[]
  /** Fields that stand more than once although they must not (RFC 5322 §3.6). */
  readonly repeated: readonly ('From' | 'Sender')[]
}

/** An address with what is registered about it. */
export interface OwnedAddress {
  readonly address: Mailbox
  /** The accounts that may use it: of the registered address first, then of its domain. */
  readonly owners: readonly AccountId[]
  readonly domain: SenderDomain | null
  readonly sender: SenderAddress | null
}

export function readOriginators(header: HeaderBlock, limits: OriginatorLimits): Originators {
  const { maxAuthors } = limits
  if (/^[ \t]/.test(header.text)) throw new SmtpError(replies.leadingSpace)
  if (hidesField(header)) throw new SmtpError(replies.hiddenField)
  const from = readField(header, 'From', limits)
  const sender = readField(header, 'Sender', limits)
  if (from.count === 0) throw new SmtpError(fromMissing(header))
  if (from.mailboxes.length > maxAuthors) throw new SmtpError(replies.tooManyAuthors(maxAuthors))
  if (sender.mailboxes.length > maxAuthors) throw new SmtpError(replies.severalSenders)
  return {
    from: from.mailboxes,
    sender: sender.mailboxes,
    hidden: [...from.hidden, ...sender.hidden],
    repeated: [from, sender].filter(({ count }) => count > 1).map(({ name }) => name),
  }
}

function readField(header: HeaderBlock, name: 'From' | 'Sender', { maxAuthors, maxOriginatorBytes }: OriginatorLimits) {
  const fields = fieldsNamed(header, name.toLowerCase())
  const refuse = (problem: string) => new SmtpError(replies.unreadableField(name, problem))
  const octets = fields.reduce((sum, { start, end }) => sum + end - start, 0)
  if (octets > maxOriginatorBytes) throw refuse(`it is longer than ${maxOriginatorBytes} bytes`)
  const lists = fields.map(field => {
    if (field.spaceBeforeColon) throw refuse('a space stands before the colon')
    const list = parseAddressList(unfoldedValue(header, field))
    if ('problem' in list) throw refuse(list.problem)
    return list
  })
  const hidden = [...new Set(lists.flatMap(list => list.hidden))]
  if (hidden.length > maxAuthors) throw refuse(`its names and comments hold more than ${maxAuthors} addresses`)
  return {
    name,
    count: fields.length,
    mailboxes: lists.flatMap(list => list.mailboxes),
    hidden: hidden.map(address => ({ field: name, address })),
  }
}

function hidesField({ text }: HeaderBlock): boolean {
  if (!strangeLineEnd.test(text)) return false
  const lineEnd = new RegExp(strangeLineEnd, 'g')
  const field = new RegExp(originatorField, 'iy')
  while (lineEnd.test(text)) {
    field.lastIndex = lineEnd.lastIndex
    if (field.test(text)) return true
  }
  return false
}

function fromMissing(header: HeaderBlock) {
  const line = header.text.slice(header.length).split('\r\n', 1)[0]
  return line ? replies.fromMissingBehind(line.replace(/[^\x20-\x7e]/g, '?')) : replies.fromMissing
}

/** The registered address is found whatever its case: `Sales@` and `sales@` are one mailbox everywhere. */
export async function findOwners(directory: Directory, address: Mailbox): Promise<OwnedAddress> {
  const domain = await directory.domain(domainOf(address))
  const sender = await directory.sender(address)
  const owners: AccountId[] = []
  if (sender) owners.push(sender.account)
  if (domain) owners.push(domain.account)
  return { address, owners, domain, sender }
}

/** Of something that may be no mailbox at all: then nobody owns it. */
export async function findOwnersOfText(directory: Directory, text: string): Promise<OwnedAddress | null> {
  const address = parseMailbox(text)
  return address === null ? null : findOwners(directory, address)
}
