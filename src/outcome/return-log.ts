/**
 * The delivery log of what comes back: bounces, notices and complaints after a delivery, and what means nothing.
 *
 * Never fails: a line is plain facts that are at hand.
 */
import type { Log } from '../base/log.ts'
import type { Message } from '../mail/message.ts'
import { formatReply } from '../mail/reply.ts'
import type { Returned } from '../mail/returned.ts'
import { type Line, messageFacts } from './log-line.ts'

/** A bounce, a notice of delay or a complaint that came back for a recipient. */
export function returned(log: Log, found: Returned, message: Message): void {
  const event = returnedLogEvents[found.kind]
  const reply = found.reply === null ? undefined : formatReply(found.reply)
  const line: Line = {
    event,
    ...messageFacts(message),
    entry: found.entry,
    recipient: found.recipient,
    reply,
    class: found.class ?? undefined,
    actor: found.actor,
    permanent: found.kind === 'bounce' ? found.permanent : undefined,
    reportFormat: found.format,
    reportSystem: found.system ?? undefined,
    reportingMta: found.reportingMta ?? undefined,
    remoteMta: found.remoteMta ?? undefined,
    finalRecipient: found.finalRecipient ?? undefined,
    feedbackType: found.feedbackType ?? undefined,
    client: found.client,
    queuedMs: Math.max(0, found.at - message.receivedAt),
  }
  log.info(line, `${returnedWords[found.kind]} ${found.recipient}: ${reply ?? found.feedbackType}`)
}

const returnedLogEvents = { bounce: 'bounced-later', delay: 'delayed-later', complaint: 'complained' } as const
const returnedWords = { bounce: 'bounced later', delay: 'delayed at the next host', complaint: 'complaint of' } as const

/** A mail to the bounce host that changed nothing. */
export function returnIgnored(
  log: Log,
  mail: { readonly client: string; readonly recipient: string; readonly reason: string },
  message?: Message,
): void {
  const about = message === undefined ? {} : { message: message.id, account: message.account ?? undefined }
  log.info(
    { event: 'return-ignored', ...about, ...mail } satisfies Line,
    `a mail to ${mail.recipient} changed nothing: ${mail.reason}`,
  )
}

/** A mail to the postmaster of the bounce host goes on to the operator, wrapped in one of ours. */
export function returnForwarded(log: Log, forward: Message, client: string): void {
  const recipient = forward.envelope.recipients[0]?.address
  const line: Line = { event: 'return-forwarded', ...messageFacts(forward), recipient, client }
  log.info(line, `queued a mail to the postmaster for ${recipient}`)
}
