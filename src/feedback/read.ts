/**
 * Says what a mail that came back is: a report on recipients, a complaint, or nothing to us. Never fails, never answers.
 *
 * Complaints first (they contain whole mails, bounces among them), then what is written for machines, then what
 * auto-responders write, then prose.
 */
import { readComplaint } from './abuse-report.ts'
import { meaninglessReply } from './auto-reply.ts'
import { readDeliveryStatus } from './delivery-status.ts'
import { readMail } from './mime.ts'
import type { Reading } from './reading.ts'
import { readTextBounce } from './text-bounce.ts'

export function readReturned(content: Buffer): Reading {
  const mail = readMail(content)
  const found = readComplaint(mail) ?? readDeliveryStatus(mail)
  if (found !== null) return found
  const meaningless = meaninglessReply(mail)
  if (meaningless !== null) return { kind: meaningless }
  return readTextBounce(mail) ?? { kind: 'not-understood' }
}
