/**
 * Finds the recipients of ours that a report or a complaint is about.
 *
 * The signed address leads to the message, and to the recipient where the transaction had one; otherwise the report must
 * name one of the message's. Complaints come to an address of their own: their message is known by the reverse-path of
 * ours that they quote, or by our id in its Received or Message-ID field: 80 random bits that only who saw the message can
 * know. A Message-ID that the sender made proves nothing, many can be guessed; and Feedback-ID names no message at all.
 */
import { parseMailbox } from '../mail/address.ts'
import type { HostName, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { Fields } from './fields.ts'
import type { Complaint, RecipientReport } from './reading.ts'
import { readVerp, type VerpSubject } from './verp.ts'

/** One recipient of the message and, for reports, what is said of it. */
export interface Match<Told> {
  readonly n: number
  readonly told: Told
}

/** The most telling report for each recipient, at most one. */
export function matchReports(
  subject: VerpSubject,
  { envelope: { recipients } }: Message,
  reports: readonly RecipientReport[],
): Match<RecipientReport>[] {
  const addresses = recipients.map(recipient => recipient.address)
  const sole = soleRecipient(subject, addresses)
  if (sole === 'none') return []
  if (sole !== null) {
    const told = bestOf(reports, addresses[sole]!)
    return told === null ? [] : [{ n: sole, told }]
  }
  const found = new Map<number, RecipientReport>()
  for (const told of [...reports].sort(byWeight)) {
    const n = told.addresses.map(address => indexOf(addresses, address)).find(index => index !== -1)
    if (n !== undefined && !found.has(n)) found.set(n, told)
  }
  return [...found].map(([n, told]) => ({ n, told }))
}

/** Null: the complaint names nobody, and the message had several. */
export function matchComplaint(subject: VerpSubject, { envelope }: Message, { addresses }: Complaint): number | null {
  const recipients = envelope.recipients.map(recipient => recipient.address)
  const sole = soleRecipient(subject, recipients)
  if (sole !== null) return sole === 'none' ? null : sole
  return addresses.map(address => indexOf(recipients, address)).find(index => index !== -1) ?? null
}

/** What a complaint quotes of us. */
export function subjectOfComplaint(
  { reversePaths, original }: Complaint,
  names: { readonly verpKey: Buffer; readonly hostname: HostName },
): VerpSubject | null {
  for (const path of reversePaths) {
    const subject = readVerp(path, names.verpKey)
    if (subject !== null) return subject
  }
  const message = original === null ? null : (idInTrace(original, names) ?? idInMessageId(original, names))
  return message === null ? null : { message, entry: null }
}

/** `by relay.example.jp with ESMTPSA id 01jhm…`, as submission/trace-fields.ts writes it. */
function idInTrace(original: Fields, { hostname }: { readonly hostname: HostName }): MessageId | null {
  for (const received of original.all('received')) {
    const [, by, id] = /\bby (\S{1,255}) with \w{1,20} id ([0-9a-z]{26})\b/i.exec(received) ?? []
    if (by?.toLowerCase() === hostname && id !== undefined) return id.toLowerCase()
  }
  return null
}

/** As submission/normalize.ts adds it where the sender gave none. */
function idInMessageId(original: Fields, { hostname }: { readonly hostname: HostName }): MessageId | null {
  const [, id, host] = /^<([0-9a-z]{26})@([^>\s]{1,255})>$/i.exec(original.first('message-id')?.trim() ?? '') ?? []
  return id !== undefined && host?.toLowerCase() === hostname ? id.toLowerCase() : null
}

/** Null: it may be any of several. */
function soleRecipient({ entry }: VerpSubject, addresses: readonly Mailbox[]): number | 'none' | null {
  if (entry === null) return addresses.length === 1 ? 0 : null
  const n = Number(entry.slice(entry.lastIndexOf('.') + 1))
  return n < addresses.length ? n : 'none'
}

/** The transaction had this recipient only: whoever the report names is the same under another address. */
function bestOf(reports: readonly RecipientReport[], address: Mailbox): RecipientReport | null {
  const sorted = [...reports].sort(byWeight)
  return sorted.find(report => indexOf([address], ...report.addresses) !== -1) ?? sorted[0] ?? null
}

const weights = { failed: 0, delayed: 1, delivered: 2, relayed: 2, expanded: 2 } as const

function byWeight(a: RecipientReport, b: RecipientReport): number {
  return weights[a.action] - weights[b.action]
}

function indexOf(recipients: readonly Mailbox[], ...addresses: readonly string[]): number {
  const wanted = new Set(addresses.map(address => (parseMailbox(address) ?? address).toLowerCase()))
  return recipients.findIndex(recipient => wanted.has(recipient.toLowerCase()))
}
