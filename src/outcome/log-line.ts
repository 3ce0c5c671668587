/**
 * What lines of the delivery log are made of, whichever file writes them.
 */
import type { Instant, Mailbox } from '../mail/ids.ts'
import type { Message } from '../mail/message.ts'
import type { LogEvent, LogField } from './log-fields.ts'

/** pino writes `level`, `time` and `text` itself, and the log of a thread `thread`. Undefined fields are left out. */
export type Line = { event: LogEvent } & {
  readonly [field in Exclude<LogField, 'level' | 'time' | 'text' | 'thread' | 'event'>]?: unknown
}

export function messageFacts(message: Message) {
  return {
    message: message.id,
    account: message.account ?? undefined,
    senderDomain: message.senderDomain,
    sender: pathOf(message.envelope.reversePath),
    from: message.from ?? undefined,
    size: message.size,
    tlsAsked: message.envelope.tls,
  }
}

/** The facts of a caller, field by field: an object with more in it than its type says must not reach the log. */
export function pick(facts: Omit<Line, 'event'>): Omit<Line, 'event'> {
  return {
    client: facts.client,
    ehlo: facts.ehlo,
    tls: facts.tls,
    username: facts.username,
    credential: facts.credential ?? undefined,
    account: facts.account ?? undefined,
    reply: facts.reply,
    check: facts.check,
    message: facts.message,
    senderDomain: facts.senderDomain,
    from: facts.from,
    recipient: facts.recipient,
    recipients: facts.recipients,
    to: facts.to,
    entries: facts.entries,
    size: facts.size,
    site: facts.site,
    remoteMta: facts.remoteMta ?? undefined,
    remoteIp: facts.remoteIp ?? undefined,
    sourceIp: facts.sourceIp,
    class: facts.class,
    reason: facts.reason,
  }
}

export function pathOf(reversePath: Mailbox | null): string {
  return reversePath ?? '<>'
}

export function isoTime(at: Instant): string {
  return new Date(at).toISOString()
}
