/**
 * What a client hears of an error: the refusal it is, or, when it is trouble of ours, a reply that asks to try again.
 *
 * A bug must never become a permanent refusal or show internals (design invariants 6 and 9): its stack is in the log.
 */
import type { Log } from '../base/log.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { replies, SmtpError } from './replies.ts'

export function replyTo(error: unknown, otherwise: Reply, log: Log): Reply {
  if (error instanceof SmtpError) {
    if (error.cause !== undefined) log.error({ err: error.cause }, `answered ${error.message}`)
    return error.reply
  }
  const reply = isStoreTrouble(error) ? replies.storeTrouble : otherwise
  log.error({ err: error }, `answered ${formatReply(reply)}`)
  return reply
}

/** The disk is full or gone, database and spool alike. */
function isStoreTrouble(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null | undefined)?.code === 'store-unavailable'
}
