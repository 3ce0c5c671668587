/**
 * Says what a mail that came back is: a report on recipients, a complaint, or nothing to us. Never fails, never answers.
 *
 * Complaints first (they contain whole mails, bounces among them), then what is written for machines, then what
 * auto-responders write, then prose.
 */
import { originalOf, readComplaint } from './abuse-report.ts'
import { meaninglessReply } from './auto-reply.ts'
import { readDeliveryStatus } from './delivery-status.ts'
import { type Part, partsOf, readMail } from './mime.ts'
import type { Reading, StatusReport } from './reading.ts'
import { readTextBounce } from './text-bounce.ts'

export function readReturned(content: Buffer): Reading {
  const mail = readMail(content)
  const complaint = readComplaint(mail)
  if (complaint !== null) return complaint
  const report = readDeliveryStatus(mail)
  if (report !== null) return withOriginal(report, mail)
  const meaningless = meaninglessReply(mail)
  if (meaningless !== null) return { kind: meaningless }
  const bounce = readTextBounce(mail)
  return bounce === null ? { kind: 'not-understood' } : withOriginal(bounce, mail)
}

function withOriginal(report: StatusReport, mail: Part): StatusReport {
  return { ...report, original: originalOf([...partsOf(mail)]) }
}
