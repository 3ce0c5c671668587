/**
 * An SMTP reply (RFC 5321 §4.2) with its enhanced status (RFC 3463), and who said it.
 *
 * The enhanced class is never stored: it is the first digit of the code, so the two can't disagree.
 */

export interface Reply {
  /** 200–599. */
  readonly code: number
  /** Subject and detail of the enhanced status without its class: `7.1` for 5.7.1. */
  readonly detail: string
  /** The text without code and status, lines joined by a space; at most `maxReplyText` characters. */
  readonly text: string
  /** `remote`: the other MTA said it. `relay`: Kitte says it. */
  readonly from: 'remote' | 'relay'
}

/** More than any honest reply needs (RFC 5321 §4.5.3.1.5: 512 octets a line); a log line must stay readable. */
export const maxReplyText = 1000

/** `5.7.1`: class from the code, detail from the reply. */
export function statusOf(reply: Reply): string {
  return `${Math.trunc(reply.code / 100)}.${reply.detail}`
}

/** `550 5.7.1 text`, as it stands on the wire and in the log. */
export function formatReply(reply: Reply): string {
  return `${reply.code} ${statusOf(reply)} ${reply.text}`.trimEnd()
}

/**
 * Reads a complete reply as received, lines separated by LF or CRLF.
 * Answers null when it is not a well-formed reply (RFC 5321 §4.2: three digits, first 2–5, then space, hyphen or the
 * end, all lines with the same code). Null means: temporary, never success. The second digit is 0 to 5 by §4.2, but refusals
 * with others are in use (571), and of those the first digit is to be believed (§4.2.1).
 */
export function parseReply(raw: string): Reply | null {
  const lines = raw.includes('\n') ? raw.split(/\r?\n/).filter((line, index) => line !== '' || index === 0) : [raw]
  const code = lines[0]?.slice(0, 3) ?? ''
  if (!/^(?:[23][0-5]|[45]\d)\d$/.test(code)) return null
  const wellFormed = lines.every((line, index) => {
    const separator = index === lines.length - 1 ? /^(?: |$)/ : /^-/
    return line.startsWith(code) && separator.test(line.slice(3))
  })
  if (!wellFormed) return null
  return buildReply(
    Number(code),
    lines.map(line => line.slice(4)),
  )
}

const status = /^([245])\.(\d{1,3}\.\d{1,3})(?:\s+|$)/

function buildReply(code: number, texts: readonly string[]): Reply {
  const first = status.exec(texts[0] ?? '')
  const honest = first !== null && first[1] === String(Math.trunc(code / 100))
  const text = texts
    .map(line => (honest ? line.replace(status, '') : line))
    .join(' ')
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim()
  return { code, detail: honest ? first[2]! : '0.0', text: text.slice(0, maxReplyText), from: 'remote' }
}
