/**
 * HELO and EHLO: the client's name, and the extensions it is told of (RFC 5321 §4.1.1.1).
 */
import type { Instant } from '../mail/ids.ts'

/** RFC 5321 §4.5.3.1.2. */
const maxNameLength = 255

/**
 * The one argument; null when there is none or it can't be kept. Names that are no domain are accepted (RFC 5321
 * §4.1.4: a server must not refuse them), control characters are not.
 */
export function readGreeting(command: Buffer): string | null {
  const [, name, ...more] = command.toString().trim().split(/\s+/)
  const usable = name !== undefined && more.length === 0 && name.length <= maxNameLength
  return usable && !/[\x00-\x1f\x7f-\x9f]/.test(name) ? name : null
}

/** AUTH is shown only where a password is safe (RFC 4954 §4), REQUIRETLS only under TLS (RFC 8689 §2). */
export function extensionsFor(session: {
  readonly maxMessageBytes: number
  readonly startTls: boolean
  readonly login: boolean
  readonly secured: boolean
  /** Ms; 0: mail is not kept for later. */
  readonly maxFutureRelease: number
  readonly now: Instant
}): string[] {
  return [
    'PIPELINING',
    `SIZE ${session.maxMessageBytes}`,
    ...(session.startTls ? ['STARTTLS'] : []),
    ...(session.login ? ['AUTH PLAIN LOGIN'] : []),
    '8BITMIME',
    'SMTPUTF8',
    'DSN',
    ...futureRelease(session),
    ...(session.secured ? ['REQUIRETLS'] : []),
    'ENHANCEDSTATUSCODES',
  ]
}

/** RFC 4865 §3: the longest time in seconds, and the latest moment. */
function futureRelease({
  maxFutureRelease,
  now,
}: {
  readonly maxFutureRelease: number
  readonly now: Instant
}): string[] {
  if (maxFutureRelease === 0) return []
  const latest = new Date(now + maxFutureRelease).toISOString().replace(/\.\d+Z$/, 'Z')
  return [`FUTURERELEASE ${Math.floor(maxFutureRelease / 1000)} ${latest}`]
}
