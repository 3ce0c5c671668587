/**
 * Makes of what a client sent what is stored, signed and sent: one and the same bytes (design invariant 3).
 *
 * Line ends are CRLF by then (`line-ends.ts`). Here the header block is found and edited: Bcc, Resent-Bcc, Return-Path
 * and the wishes of `wishes.ts` go, Received comes on top, a missing Date and Message-ID are added at its end (RFC 6409 §8). Fields keep
 * their bytes and order, body bytes are untouched: long lines, NUL and 8-bit stay (RFC 5321 §2.3.8 lets a relay alter
 * nothing else). What RFC 5322 leaves open is decided here:
 *
 * - a message without an empty line is a header without body; the empty line is added;
 * - a line in the header that is no field begins the body, and the empty line is put before it, so that everybody
 *   sees the header end where we saw it (Postfix does the same). An empty message, or one that starts with text, thus
 *   has no From and is refused by a check.
 */
import { fieldsNamed, type HeaderBlock, readHeader, unfoldedValue } from '../mail/header.ts'
import type { HostName, MessageId } from '../mail/ids.ts'
import { campaignField, priorityField, sendAtField } from './wishes.ts'

const emptyLine = Buffer.from('\r\n')
const headerEnd = Buffer.from('\r\n\r\n')
const nothing = Buffer.alloc(0)
/**
 * RFC 5321 §4.4: Return-Path is for the one who delivers. RFC 5322 §3.6.3: Bcc is for nobody else to see. The others are
 * for us.
 */
const removedFields: ReadonlySet<string> = new Set([
  'bcc',
  'resent-bcc',
  'return-path',
  priorityField,
  sendAtField,
  campaignField,
])
/** RFC 5322 §2.1.1. */
const maxMessageIdLength = 998

/** The header block as the client sent it, and where the body begins. */
export interface SplitMessage {
  readonly header: Buffer
  /** What came behind the empty line, in the same bytes. */
  readonly body: Buffer
}

export interface NormalizedHeader {
  /** The fields as the client sent them, for the checks. */
  readonly header: HeaderBlock
  /** Everything up to the body: fields, the empty line, and a body that began without one. */
  readonly parts: readonly Buffer[]
  /** Without angle brackets. */
  readonly messageId: string
}

export interface AddedFields {
  readonly received: string
  /** With its line end; empty: none. */
  readonly feedbackId?: string
  readonly date: string
  readonly id: MessageId
  readonly hostname: HostName
}

/** Null while the empty line has not come. `from`: where to look on, a hint from the last call. */
export function splitAtEmptyLine(bytes: Buffer, from: number): SplitMessage | null {
  if (bytes.length >= 2 && bytes[0] === 0x0d && bytes[1] === 0x0a) return { header: nothing, body: bytes.subarray(2) }
  const at = bytes.indexOf(headerEnd, Math.max(0, from - 3))
  return at === -1 ? null : { header: bytes.subarray(0, at + 2), body: bytes.subarray(at + 4) }
}

/** `block`: complete lines without the empty one. */
export function normalizeHeader(block: Buffer, added: AddedFields, maxFields: number): NormalizedHeader {
  return normalizeRead(block, readClientHeader(block, maxFields), added)
}

/** With more than `maxFields` in it, one more than that is read. */
export function readClientHeader(block: Buffer, maxFields: number): HeaderBlock {
  return readHeader(block, maxFields + 1)
}

/** `header`: the block as `readClientHeader` reads it. */
export function normalizeRead(block: Buffer, header: HeaderBlock, added: AddedFields): NormalizedHeader {
  const messageId = messageIdOf(header)
  const missing =
    (fieldsNamed(header, 'date').length === 0 ? `Date: ${added.date}\r\n` : '') +
    (messageId === null ? `Message-ID: <${added.id}@${added.hostname}>\r\n` : '') +
    (added.feedbackId ?? '')
  const parts = [Buffer.from(added.received), ...keptFields(block, header), Buffer.from(`${missing}\r\n`)]
  // The body began without an empty line: the one that came later is part of it.
  if (header.length < block.length) parts.push(block.subarray(header.length), emptyLine)
  return { header, parts, messageId: messageId ?? `${added.id}@${added.hostname}` }
}

/** The client's fields without those that go: slices of the original bytes. */
function keptFields(block: Buffer, header: HeaderBlock): Buffer[] {
  const kept: Buffer[] = []
  let from = 0
  for (const field of header.fields) {
    if (!removedFields.has(field.name)) continue
    if (field.start > from) kept.push(block.subarray(from, field.start))
    from = field.end
  }
  if (header.length > from) kept.push(block.subarray(from, header.length))
  return kept
}

/** Null when there is no such field; an empty one is the client's affair. */
function messageIdOf(header: HeaderBlock): string | null {
  const field = header.fields.find(({ name }) => name === 'message-id')
  if (!field) return null
  return unfoldedValue(header, field).trim().replace(/^<|>$/g, '').slice(0, maxMessageIdLength)
}
