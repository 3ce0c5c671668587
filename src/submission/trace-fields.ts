/**
 * Writes the fields that acceptance adds: Received (RFC 5321 §4.4), Date and Message-ID (RFC 6409 §8.2, §8.3).
 */
import type { HostName, Instant, Mailbox, MessageId } from '../mail/ids.ts'

export interface TraceFacts {
  readonly id: MessageId
  readonly hostname: HostName
  /** As given with HELO or EHLO. */
  readonly ehlo: string
  readonly extended: boolean
  readonly address: string
  readonly tls: string | null
  readonly authenticated: boolean
  readonly smtpUtf8: boolean
  /** Set when the message has exactly one: more would tell recipients about each other (RFC 5321 §7.6). */
  readonly onlyRecipient: Mailbox | null
  /** RFC 5322 §3.3 date-time. */
  readonly date: string
}

export function receivedField(facts: TraceFacts): string {
  const via = facts.tls === null ? '' : `\r\n\t(using ${facts.tls})`
  const recipient = facts.onlyRecipient === null ? '' : `\r\n\tfor <${facts.onlyRecipient}>`
  return (
    `Received: from ${clientName(facts)} (${addressLiteral(facts.address)})${via}` +
    `\r\n\tby ${facts.hostname} with ${protocolOf(facts)} id ${facts.id}${recipient};\r\n\t${facts.date}\r\n`
  )
}

/** RFC 3848 and RFC 6531 §4.3. */
function protocolOf({ extended, smtpUtf8, tls, authenticated }: TraceFacts): string {
  if (!extended) return 'SMTP'
  return `${smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${tls === null ? '' : 'S'}${authenticated ? 'A' : ''}`
}

/** What the client calls itself, when it can stand in a field; its address otherwise. */
function clientName({ ehlo, address }: TraceFacts): string {
  return /^(?:[a-z0-9._-]{1,255}|\[[a-z0-9.:]{1,60}\])$/i.test(ehlo) ? ehlo : addressLiteral(address)
}

/** RFC 5321 §4.1.3. */
function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

const offsetName = /^GMT(?:([+-]\d{2}):(\d{2}))?/

/** Dates in one time zone; the last one is kept, because all mail of a second has the same. */
export function createDateWriter(timeZone: string): (at: Instant) => string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  })
  let second = Number.NaN
  let text = ''
  return at => {
    if (Math.trunc(at / 1000) === second) return text
    second = Math.trunc(at / 1000)
    text = dateTime(new Map(parts.formatToParts(at).map(({ type, value }) => [type, value])))
    return text
  }
}

/** en-GB writes September as Sept; RFC 5322 wants three letters. */
function dateTime(part: ReadonlyMap<string, string>): string {
  const [, hours = '+00', minutes = '00'] = offsetName.exec(part.get('timeZoneName') ?? '') ?? []
  const day = `${part.get('weekday')}, ${part.get('day')} ${part.get('month')?.slice(0, 3)} ${part.get('year')}`
  return `${day} ${part.get('hour')}:${part.get('minute')}:${part.get('second')} ${hours}${minutes}`
}
