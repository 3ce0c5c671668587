/**
 * Reports to the sender (DSN) as new messages: failure, delay, and success where the next hop doesn't report itself.
 *
 * multipart/report (RFC 6522) of a text for people, message/delivery-status (RFC 3464) and the original's header, or all
 * of it with RET=FULL; RFC 6533 variants for addresses beyond ASCII. Who is owed one stands in `report-case.ts`. Composing
 * can't fail on what a sender wrote: foreign text is made harmless field by field.
 */
import type { Config } from '../base/config.ts'
import { newId } from '../base/ids.ts'
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { NewEvent } from '../mail/event.ts'
import type { DomainName, HostName, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { NewMessage } from '../store/store.ts'
import { relayMail } from './relay-mail.ts'
import type { ReportCase, ReportKind } from './report-case.ts'
import { dateTime, encodedWords, field, originalRecipient, plain, typedAddress, xtext } from './report-fields.ts'
import { reportText, subjects } from './report-text.ts'

export interface ReportSettings {
  /** Reporting-MTA. */
  readonly hostname: HostName
  /** Domain of mailer-daemon, and the one that signs. */
  readonly relayDomain: DomainName
  /** For the times in the text. */
  readonly timeZone: string
  /** How long the report itself is tried, ms. */
  readonly expireAfterMs: number
  /** Named in one report; the others get reports of their own. */
  readonly maxRecipients: number
  /** False: suppressed recipients are reported on only where NOTIFY asks for it. Absent: like others. */
  readonly suppressed?: boolean
}

export function reportSettingsOf(config: Config): ReportSettings {
  return {
    hostname: config.hostname,
    relayDomain: config.relayDomain.name,
    timeZone: config.timeZone,
    expireAfterMs: config.queue.expireAfter,
    maxRecipients: config.queue.reportRecipients,
    suppressed: config.suppressions.report,
  }
}

export interface ReportRequest {
  readonly kind: ReportKind
  /** The message reported on; its reverse-path is not null. */
  readonly message: Message
  readonly cases: readonly ReportCase[]
  /** The beginning of the stored content, at most `bytesWanted`; null: it can't be had. */
  readonly original: Buffer | null
  readonly now: Instant
  readonly settings: ReportSettings
  /** Of a bounce that came back after the delivery. */
  readonly later?: LaterFacts
}

export interface LaterFacts {
  /** Who wrote it, as it calls itself; null: it doesn't say. */
  readonly reportingMta: HostName | null
  /** It was prose: we made a report of it. */
  readonly isTranslated: boolean
}

/**
 * A header is worth returning up to this size; a whole message too (RFC 3461 §4.3 leaves it to us). Senders know their
 * mail by its header, and a report must pass where the message may not have.
 */
export const bytesWanted = 65_536

const actions = { failure: 'failed', delay: 'delayed', success: 'relayed' } as const

export function composeReport(request: ReportRequest): NewMessage {
  const { message, kind, now, settings } = request
  const to = message.envelope.reversePath!
  const id = newId(now)
  const { bytes, eightBit } = render(request, id, to)
  // RFC 8689 §5: a report shows the header of what it reports on, and is protected like it.
  const tls = message.envelope.tls === 'required' ? message.envelope.tls : undefined
  const body = eightBit ? '8BITMIME' : '7BIT'
  return relayMail(
    { id, account: message.account, to, bytes, body, smtpUtf8: needsSmtpUtf8(to), tls, origin: 'dsn', now, settings },
    report => [acceptedEvent(report, kind, message.id)],
  )
}

function acceptedEvent(report: Message, kind: ReportKind, original: MessageId): NewEvent {
  const recipients = report.envelope.recipients.map(({ address }) => address)
  return {
    type: 'message.accepted',
    at: report.receivedAt,
    account: report.account,
    message: report.id,
    domain: report.senderDomain,
    data: { from: null, reversePath: null, recipients, size: report.size, report: kind, original },
  }
}

// ── The parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Part {
  readonly type: string
  readonly body: Buffer
}

function render(request: ReportRequest, id: MessageId, to: Mailbox): { bytes: Buffer; eightBit: boolean } {
  const global = needsSmtpUtf8(to)
  const returned = returnedPart(request, global)
  const parts = [textPart(request), statusPart(request, global), ...(returned === null ? [] : [returned])]
  const eightBit = parts.some(part => isEightBit(part.body)) || global
  // The id holds 80 random bits nobody knew when the original was written: it can't stand in there.
  const boundary = `=_${id}`
  const header = headerOf(request, id, to, global, boundary, eightBit)
  const open = (part: Part) => Buffer.from(`--${boundary}\r\n${part.type}\r\n\r\n`)
  const bytes = Buffer.concat([
    Buffer.from(`${header}\r\n\r\n`),
    ...parts.flatMap(part => [open(part), part.body, Buffer.from('\r\n')]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return { bytes, eightBit }
}

function headerOf(
  { kind, message, now, settings }: ReportRequest,
  id: MessageId,
  to: Mailbox,
  global: boolean,
  boundary: string,
  eightBit: boolean,
): string {
  const thread = /^[\x21-\x3b\x3d\x3f-\x7e]{3,250}$/.test(message.messageIdHeader)
    ? [`In-Reply-To: <${message.messageIdHeader}>`, `References: <${message.messageIdHeader}>`]
    : []
  return [
    `Date: ${dateTime(now)}`,
    `From: "Mail Delivery System" <mailer-daemon@${settings.relayDomain}>`,
    `To: <${plain(to, 'utf8')}>`,
    `Message-ID: <${id}@${settings.hostname}>`,
    `Subject: ${encodedWords(subjects[kind])}`,
    ...thread,
    // RFC 3834 §5: no vacation notice, no ticket for this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    // RFC 6522 §3: report-type is the subtype of the second part.
    `Content-Type: multipart/report; report-type=${global ? 'global-delivery-status' : 'delivery-status'};`,
    ` boundary="${boundary}"`,
    `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`,
  ].join('\r\n')
}

/** Base64, because Japanese in 8 bit would need a path of 8BITMIME servers all the way back. */
function textPart({ kind, message, cases, settings, later }: ReportRequest): Part {
  const text = reportText(later ? 'later' : kind, message, cases, settings).replaceAll('\n', '\r\n')
  return {
    type: 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nContent-Language: ja, en',
    body: Buffer.from(base64Lines(Buffer.from(text))),
  }
}

function statusPart(request: ReportRequest, global: boolean): Part {
  const blocks = [messageFields(request, global), ...request.cases.map(one => recipientFields(one, request, global))]
  const body = Buffer.from(`${blocks.map(lines => lines.join('\r\n')).join('\r\n\r\n')}\r\n`)
  const encoding = isEightBit(body) ? '8bit' : '7bit'
  const type = global ? 'message/global-delivery-status' : 'message/delivery-status'
  return { type: `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}`, body }
}

/** RFC 3464 §2.2. When the message arrived at another host, which then gave up, is not known. */
function messageFields({ message, settings, later }: ReportRequest, global: boolean): string[] {
  const { envid } = message.envelope
  const ours = `dns; ${settings.hostname}`
  const theirs = later?.reportingMta ? `dns; ${plain(later.reportingMta)}` : null
  return [
    ...field('Original-Envelope-Id', envid === undefined ? null : xtext(envid, global)),
    ...field('Reporting-MTA', theirs ?? ours),
    ...field('DSN-Gateway', later?.isTranslated ? ours : null),
    ...field('Received-From-MTA', theirs && ours),
    ...field('X-Kitte-Message-Id', message.id),
    ...field('Arrival-Date', theirs === null ? dateTime(message.receivedAt) : null),
  ]
}

/** RFC 3464 §2.3. */
function recipientFields(one: ReportCase, { kind }: ReportRequest, global: boolean): string[] {
  const { orcpt, address } = one.entry.recipient
  const charset = global ? 'utf8' : 'ascii'
  return [
    ...field('Original-Recipient', orcpt === undefined ? null : originalRecipient(orcpt, global)),
    ...field('Final-Recipient', typedAddress(address, global)),
    // Final-Recipient is what senders look up: an address that they never wrote to goes beside it, as sendmail does.
    ...field('X-Actual-Recipient', one.forwardedTo === undefined ? null : typedAddress(one.forwardedTo, global)),
    ...field('Action', actions[kind]),
    ...field('Status', one.status),
    ...field('Remote-MTA', one.remoteMta === null ? null : `dns; ${plain(one.remoteMta)}`),
    ...field('Diagnostic-Code', one.reply === null ? null : `smtp; ${plain(one.reply, charset)}`),
    ...field('Last-Attempt-Date', one.lastAttemptAt === null ? null : dateTime(one.lastAttemptAt)),
    ...field('Will-Retry-Until', kind === 'delay' ? dateTime(one.entry.expiresAt) : null),
  ]
}

/**
 * RET applies to failures only; otherwise, without it, and when it is large, the header comes back (RFC 3461 §4.3). Of a
 * message with REQUIRETLS never more than that (RFC 8689 §5).
 */
function returnedPart({ kind, message, original }: ReportRequest, global: boolean): Part | null {
  if (original === null) return null
  const { ret, tls } = message.envelope
  const full = kind === 'failure' && ret === 'FULL' && tls !== 'required' && original.length === message.size
  const body = full && message.size <= bytesWanted ? original : headerBlock(original)
  const subtypes = message.envelope.smtpUtf8
    ? { full: 'message/global', header: 'message/global-headers' }
    : { full: 'message/rfc822', header: 'text/rfc822-headers' }
  const type = body === original ? subtypes.full : subtypes.header
  if (!isEightBit(body)) return { type: `Content-Type: ${type}\r\nContent-Transfer-Encoding: 7bit`, body }
  // Only message/global may be encoded (RFC 6532 §3.7); message/rfc822 may not (RFC 2046 §5.2.1).
  if (message.envelope.smtpUtf8 && !global)
    return {
      type: `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64`,
      body: Buffer.from(base64Lines(body)),
    }
  return { type: `Content-Type: ${type}\r\nContent-Transfer-Encoding: 8bit`, body }
}

/** Up to and without the empty line; a header that is longer than what was read is cut at a line. */
function headerBlock(original: Buffer): Buffer {
  const end = original.indexOf('\r\n\r\n')
  if (end !== -1) return original.subarray(0, end + 2)
  const cut = original.lastIndexOf('\r\n')
  return cut === -1 ? original.subarray(0, 0) : original.subarray(0, cut + 2)
}

function isEightBit(bytes: Buffer): boolean {
  return /[\x80-\xff]/.test(bytes.toString('latin1'))
}

function base64Lines(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')
}
