/**
 * Reads complaints: abuse reports (ARF, RFC 5965), redacted or not, and what Outlook.com's JMRP sends instead.
 *
 * Providers take the recipient out of their reports, from the fields and from the attached message; what is left (a
 * reverse-path of ours, the id in our Received field) is enough for `matching.ts`. Reports that something is no spam, or
 * that authentication failed (RFC 6591), are no complaints. Null: it is none of these.
 */
import { type Fields, readFields, typedAddress } from './fields.ts'
import { attachedHeader, type Part, partsOf, plainBody } from './mime.ts'
import type { Complaint, Reading } from './reading.ts'

/** RFC 5965 §7.3 and RFC 6591 §3.1: reports that nobody complained. */
const harmless: ReadonlySet<string> = new Set(['not-spam', 'auth-failure', 'dmarc'])
const attached = /^(?:message\/(?:rfc822|global|rfc822-headers|global-headers)|text\/rfc822-headers?)$/
const maxAddresses = 50

export function readComplaint(mail: Part): Reading | null {
  const parts = [...partsOf(mail)]
  const original = originalOf(parts)
  const report = parts.find(({ contentType }) => contentType.value === 'message/feedback-report')
  if (report) return readArf(readFields(plainBody(report)), original)
  return original === null ? null : readJmrp(mail, original)
}

/** The header of the message a report is about. */
export function originalOf(parts: readonly Part[]): Fields | null {
  const part = parts.find(({ contentType: { value } }) => attached.test(value))
  return part ? attachedHeader(part) : null
}

function readArf(report: Fields, original: Fields | null): Reading {
  const feedbackType = report.first('feedback-type')?.trim().toLowerCase() ?? ''
  if (feedbackType === '') return { kind: 'not-understood' }
  if (harmless.has(feedbackType)) return { kind: 'no-complaint' }
  return {
    kind: 'complaint',
    format: 'arf',
    system: report.first('user-agent')?.slice(0, 60) ?? null,
    feedbackType: feedbackType.slice(0, 40),
    addresses: addressesIn(report.all('original-rcpt-to'), recipientsOf(original)),
    reversePaths: addressesIn(report.all('original-mail-from'), original?.all('return-path') ?? []),
    original,
  }
}

/** A plain mail from Microsoft with the message attached, and a field in that one that names the recipient. */
function readJmrp(mail: Part, original: Fields): Complaint | null {
  const recipients = original.all('x-hmxmroriginalrecipient')
  if (
    recipients.length === 0 ||
    !/@(?:\w+\.)*(?:hotmail|outlook|microsoft)\.com\b/i.test(mail.fields.first('from') ?? '')
  )
    return null
  return {
    kind: 'complaint',
    format: 'jmrp',
    system: 'Outlook.com JMRP',
    feedbackType: 'abuse',
    addresses: addressesIn(recipients),
    reversePaths: addressesIn(original.all('return-path'), original.all('x-sid-pra')),
    original,
  }
}

function recipientsOf(original: Fields | null): readonly string[] {
  return original === null
    ? []
    : [...original.all('x-hmxmroriginalrecipient'), ...original.all('delivered-to'), ...original.all('to')]
}

function addressesIn(...lists: readonly (readonly string[])[]): string[] {
  const found = lists.flat().flatMap(text => {
    const typed = typedAddress(text.replace(/^<|>$/g, '')) ?? ''
    return typed.match(/[^\s<>,;:"()]{1,128}@[^\s<>,;:"()]{1,190}/g) ?? []
  })
  return [...new Set(found)].slice(0, maxAddresses)
}
