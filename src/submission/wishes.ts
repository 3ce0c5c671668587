/**
 * What a message asks of the relay itself in its header: its priority, and when it shall be sent.
 *
 * `X-Kitte-Priority` and `X-Kitte-Send-At` are taken out of what is stored (normalize.ts). Without the first, mail
 * that says it is a mailing (List-Unsubscribe, RFC 2369 and 8058; Precedence, RFC 3834 §3.1.8) is bulk where the
 * configuration says so, unless its credential has a priority. Never fails: what can't be read is kept for the check.
 */
import { fieldsNamed, type HeaderBlock, unfoldedValue } from '../mail/header.ts'
import type { Instant } from '../mail/ids.ts'
import { readMoment } from '../mail/moment.ts'
import { type Priority, priorities } from '../mail/priority.ts'
import type { Reply } from '../mail/reply.ts'
import { replies } from './replies.ts'

export interface Wishes {
  readonly priority: Priority | null
  readonly sendAt: Instant | null
  /** Says so itself. */
  readonly isMailing: boolean
  /** The first thing that can't be read. */
  readonly refusal: Reply | null
}

/** A wish to have it later (RFC 4865 §4): seconds from its acceptance, or a moment. */
export type Hold = { readonly forSeconds: number } | { readonly until: Instant }

export const priorityField = 'x-kitte-priority'
export const sendAtField = 'x-kitte-send-at'
/** For Feedback-ID (feedback-id.ts). */
export const campaignField = 'x-kitte-campaign'
const none: Wishes = { priority: null, sendAt: null, isMailing: false, refusal: null }
const wishes: ReadonlySet<string> = new Set([priorityField, sendAtField, 'list-unsubscribe', 'precedence'])

export function readWishes(header: HeaderBlock): Wishes {
  if (!header.fields.some(({ name }) => wishes.has(name))) return none
  const priority = read(header, priorityField, 'X-Kitte-Priority', readPriority, replies.badPriority)
  const sendAt = read(header, sendAtField, 'X-Kitte-Send-At', readMoment, replies.badSendAt)
  return {
    priority: priority.value,
    sendAt: sendAt.value,
    isMailing: isMailing(header),
    refusal: priority.refusal ?? sendAt.refusal,
  }
}

/** When it may be tried: what MAIL and the header ask, the later of both; null: at once. */
export function releaseOf(hold: Hold | undefined, sendAt: Instant | null, now: Instant): Instant | null {
  const at = Math.max(holdEnd(hold, now), sendAt ?? 0)
  return at > now ? at : null
}

export function holdEnd(hold: Hold | undefined, now: Instant): Instant {
  if (hold === undefined) return 0
  return 'until' in hold ? hold.until : now + hold.forSeconds * 1000
}

function read<T>(
  header: HeaderBlock,
  name: string,
  shown: string,
  parse: (text: string) => T | null,
  bad: (text: string) => Reply,
): { readonly value: T | null; readonly refusal: Reply | null } {
  const fields = fieldsNamed(header, name)
  if (fields.length === 0) return { value: null, refusal: null }
  if (fields.length > 1) return { value: null, refusal: replies.severalFields(shown) }
  const text = unfoldedValue(header, fields[0]!).trim()
  const value = parse(text)
  // A header is read an octet a character; people read UTF-8.
  return { value, refusal: value === null ? bad(Buffer.from(text, 'latin1').toString()) : null }
}

function readPriority(text: string): Priority | null {
  return priorities.find(priority => priority === text.toLowerCase()) ?? null
}

function isMailing(header: HeaderBlock): boolean {
  return header.fields.some(field => {
    if (field.name === 'list-unsubscribe') return true
    return field.name === 'precedence' && /^\s*(?:bulk|list|junk)\s*$/i.test(unfoldedValue(header, field))
  })
}
