/**
 * Sends mail for the postmaster of the bounce hosts on to whoever the operator named (RFC 5321 §4.5.1, RFC 2142).
 *
 * Wrapped as an attachment of a mail of ours: passed on as it is, it would fail its sender's SPF and DMARC and cost the
 * relay's name. With the null reverse-path, to one fixed address, and so many a minute: nobody can make it answer or
 * flood somebody. Fails with StoreUnavailable.
 */
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import type { DomainName, HostName, Mailbox } from '../mail/ids.ts'
import { relayMail } from '../outcome/relay-mail.ts'
import { dateTime, encodedWords, field, plain } from '../outcome/report-fields.ts'
import { returnForwarded, returnIgnored } from '../outcome/return-log.ts'
import type { NewMessage, Store } from '../store/store.ts'
import { readFields } from './fields.ts'
import { RateByAddress } from './rate.ts'

export interface ForwardParts {
  readonly store: Pick<Store, 'settle'>
  readonly clock: Clock
  readonly log: Log
  readonly to: Mailbox
  readonly hostname: HostName
  readonly relayDomain: DomainName
  readonly expireAfterMs: number
}

export interface PostmasterMail {
  readonly role: 'postmaster' | 'abuse'
  readonly recipient: string
  readonly content: Buffer
  readonly client: string
}

export interface Forwarder {
  forward(mail: PostmasterMail): Promise<void>
}

/** More than people write; what floods the address is dropped, told in the log. */
const perMinute = 5

export function createForwarder(parts: ForwardParts): Forwarder {
  const rate = new RateByAddress(perMinute)
  return {
    async forward(mail) {
      const { client, recipient } = mail
      if (!rate.take('all', parts.clock.monotonic()))
        return returnIgnored(parts.log, { client, recipient, reason: 'too-many-for-postmaster' })
      const message = compose(mail, parts)
      // Like a report that is owed: queued, and delivery is told.
      await parts.store.settle({ outcomes: [], reports: [{ report: message, about: [] }], events: [] })
      returnForwarded(parts.log, message.message, client)
    },
  }
}

function compose(mail: PostmasterMail, parts: ForwardParts): NewMessage {
  const { to, relayDomain: domain, clock } = parts
  const now = clock.now()
  const id = newId(now)
  const bytes = render(mail, parts, id, now)
  const data = { from: null, reversePath: null, recipients: [to], size: bytes.length, forwarded: mail.recipient }
  return relayMail(
    { id, account: null, to, bytes, body: '8BITMIME', smtpUtf8: false, origin: 'dsn', now, settings: parts },
    () => [{ type: 'message.accepted', at: now, account: null, message: id, domain, data }],
  )
}

function render({ recipient, content, client }: PostmasterMail, parts: ForwardParts, id: string, now: number): Buffer {
  const { to, relayDomain, hostname } = parts
  const head = content.toString('latin1', 0, 65_536).replace(/\r\n?/g, '\n')
  const subject = decodeWords(readFields(head.split('\n\n', 1)[0]!).first('subject') ?? '').slice(0, 200)
  // The id holds 80 random bits nobody knew when the mail was written: it can't stand in there.
  const boundary = `=_${id}`
  const fields = [
    ...field('From', `"postmaster (Kitte)" <postmaster@${relayDomain}>`),
    ...field('To', to),
    `Subject: ${encodedWords(plain(`[${recipient}] ${subject}`, 'utf8'))}`,
    ...field('Date', dateTime(now)),
    ...field('Message-ID', `<${id}@${hostname}>`),
    ...field('Auto-Submitted', 'auto-generated'),
    ...field('MIME-Version', '1.0'),
    ...field('Content-Type', `multipart/mixed; boundary="${boundary}"`),
  ]
  const text = `${plain(client)} から ${plain(recipient)} 宛てに届いたメールを添付します。\r\nThe attached mail came from ${plain(client)} for ${plain(recipient)}.\r\n`
  return Buffer.concat([
    Buffer.from(`${fields.join('\r\n')}\r\n\r\n--${boundary}\r\n`),
    Buffer.from(`Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}`),
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n`),
    withCrlf(content),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
}

/** What is stored has CRLF only (design invariant 3). */
function withCrlf(content: Buffer): Buffer {
  return Buffer.from(content.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
}
