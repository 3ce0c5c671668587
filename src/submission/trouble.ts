/**
 * What a client hears of an error: the refusal it is, or, when it is trouble of ours, a reply that asks to try again.
 *
 * A bug must never become a permanent refusal or show internals (design invariants 6 and 9): its stack is in the log.
 * A store that can't write says so there itself, once; a refusal then only names the reason, or clients that try again and
 * again would fill the log of a full disk with stacks.
 */
import type { Log } from '../base/log.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { replies, SmtpError } from './replies.ts'

export function replyTo(error: unknown, otherwise: Reply, log: Log): Reply {
  if (error instanceof SmtpError) {
    if (error.cause !== undefined) log.error({ err: error.cause }, `answered ${error.message}`)
    return error.reply
  }
  if (isStoreTrouble(error)) return replies.storeTrouble
  log.error({ err: error }, `answered ${formatReply(otherwise)}`)
  return otherwise
}

/** For the line of the refusal: what a stranger isn't told. */
export function reasonOf(error: unknown): string | undefined {
  return isStoreTrouble(error) ? error.message : undefined
}

/** The disk is full or gone, database and spool alike. */
function isStoreTrouble(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'store-unavailable'
}
