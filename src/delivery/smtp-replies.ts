/**
 * Cuts the bytes a host sends into replies (RFC 5321 §4.2), strictly and within bounds.
 *
 * Fails by reporting the first line that is no reply, or one that never ends, as `malformed`; the reader is spent then.
 * What a well-formed reply may say in which phase stands here too: anything else must not be taken for an answer.
 */
import type { Phase } from '../mail/attempt-result.ts'
import { parseReply, type Reply } from '../mail/reply.ts'

/** RFC 5321 §4.5.3.1.5 allows 512 octets a line; 2048 is what Postfix reads, and large EHLO answers stay below 4 KB. */
const maxLineBytes = 2048
const maxReplyBytes = 32_768
/** Enough of an odd line to recognise it in the log. */
const maxExcerpt = 120

export interface Received {
  readonly reply: Reply
  /** As it came, one character per byte, lines separated by LF. */
  readonly raw: string
}

export interface Heard {
  readonly replies: readonly Received[]
  /** The line that is no reply, fit for a log line. It came after `replies`. */
  readonly malformed: string | null
}

/** A host says `250 2.1.0 Ok` at every message: what it said before need not be read again. */
const maxKnown = 8

export class ReplyReader {
  readonly #known = new Map<string, Received>()
  readonly #conceal: (line: string) => string
  #lines: string[] = []
  #rest = ''
  #bytes = 0

  /** `conceal`: takes out of a line what must not be told on. */
  constructor(conceal: (line: string) => string = line => line) {
    this.#conceal = conceal
  }

  /** Whether the last chunk ended within a reply. */
  get midReply(): boolean {
    return this.#lines.length > 0 || this.#rest !== ''
  }

  push(chunk: Buffer): Heard {
    const replies: Received[] = []
    const text = this.#rest + chunk.toString('latin1')
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = this.#conceal(text.slice(start, text[end - 1] === '\r' ? end - 1 : end))
      start = end + 1
      const received = this.#line(line)
      if (received === 'malformed') return { replies, malformed: excerptOf(line) }
      if (received === 'endless') return { replies, malformed: `a reply of more than ${maxReplyBytes} bytes` }
      if (received) replies.push(received)
    }
    this.#rest = text.slice(start)
    return { replies, malformed: this.#rest.length > maxLineBytes ? excerptOf(this.#conceal(this.#rest)) : null }
  }

  #line(line: string): Received | 'malformed' | 'endless' | null {
    this.#bytes += line.length
    if (line.length > maxLineBytes) return 'malformed'
    if (this.#bytes > maxReplyBytes) return 'endless'
    if (line[3] === '-' || this.#lines.length > 0) {
      this.#lines.push(line)
      if (/^\d{3}-/.test(line)) return null
    }
    const raw = this.#lines.length === 0 ? line : this.#lines.join('\n')
    if (this.#lines.length > 0) this.#lines = []
    this.#bytes = 0
    return this.#read(raw)
  }

  #read(raw: string): Received | 'malformed' {
    const known = this.#known.get(raw)
    if (known) return known
    const reply = parseReply(decode(raw))
    if (!reply) return 'malformed'
    const received = { reply, raw }
    if (this.#known.size < maxKnown) this.#known.set(raw, received)
    return received
  }
}

/** Replies have no charset (RFC 5321 §4.2.1); modern hosts write UTF-8, the rest is kept byte for byte. */
function decode(raw: string): string {
  if (!/[\x80-\xff]/.test(raw)) return raw
  const text = Buffer.from(raw, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? raw : text
}

/** The code that lets a phase go on. `starttls` is the command; `idle` is the answer to QUIT. */
const success: Readonly<Record<Phase, RegExp>> = {
  lookup: /^$/,
  connect: /^$/,
  banner: /^220$/,
  ehlo: /^2/,
  starttls: /^220$/,
  auth: /^(?:235|334)$/,
  mail: /^2/,
  rcpt: /^2/,
  // Some clients take 250 here; a body sent to a host that did not ask for it would be read as commands.
  data: /^354$/,
  dot: /^2/,
  idle: /^2/,
}

/** False: a reply that phase can't get, so it belongs to something else and the dialogue is out of step. */
export function fits(phase: Phase, reply: Reply): boolean {
  return reply.code >= 400 || success[phase].test(String(reply.code))
}

/** Printable and short. */
export function excerptOf(line: string): string {
  const printable = line.slice(0, maxExcerpt).replace(/[^\x20-\x7e]/g, '?')
  return line.length > maxExcerpt ? `${printable}… (${line.length} bytes)` : printable
}
