/**
 * A report on its way by mail: multipart/report of a text for people and the compressed JSON (RFC 8460 §5.3).
 *
 * A message of the relay itself, like a DSN: null reverse-path, signed by the relay's own domain. It must come through
 * although TLS with the receiver is what fails, so that it says `TLS-Required: No` (RFC 8460 §3, RFC 8689 §4.2.2), and
 * nobody counts the session it goes out by. Composing never fails.
 */
import { newId } from '../base/ids.ts'
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { DomainName, HostName, Instant, Mailbox, MessageId } from '../mail/ids.ts'
import type { TlsReport } from '../mail/tls-report.ts'
import { relayMail } from '../outcome/relay-mail.ts'
import { dateTime, plain } from '../outcome/report-fields.ts'
import type { NewMessage } from '../store/store.ts'
import { reportFile } from './report-body.ts'

export interface ReportMail {
  readonly to: Mailbox
  readonly report: Pick<TlsReport, 'day' | 'domain' | 'reportId'>
  /** gzip (RFC 1952). */
  readonly compressed: Buffer
  /** How many sessions went well, and not. */
  readonly successful: number
  readonly failed: number
  readonly now: Instant
  readonly settings: {
    readonly hostname: HostName
    /** Domain of the relay: it submits, it signs. */
    readonly relayDomain: DomainName
    readonly contact: string
    readonly expireAfterMs: number
  }
}

export function composeReportMail(mail: ReportMail): NewMessage {
  const { to, now, settings } = mail
  const id = newId(now)
  const bytes = Buffer.from(render(mail, id))
  const envelope = { body: '7BIT', smtpUtf8: needsSmtpUtf8(to), tls: 'optional' } as const
  const facts = { id, account: null, to, bytes, origin: 'tls-report', now, settings } as const
  return { ...relayMail({ ...facts, ...envelope }, () => []), announced: true }
}

function render(mail: ReportMail, id: MessageId): string {
  const { report, compressed, settings } = mail
  const boundary = `=_${id}`
  const file = reportFile(report.day, report.domain, settings.relayDomain)
  return [
    ...headerOf(mail, id, boundary),
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Content-Language: ja, en',
    '',
    base64Lines(Buffer.from(textOf(mail).replaceAll('\n', '\r\n'))),
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment;',
    ` filename="${file}"`,
    '',
    base64Lines(compressed),
    `--${boundary}--`,
    '',
  ].join('\r\n')
}

function headerOf({ to, report, now, settings }: ReportMail, id: MessageId, boundary: string): string[] {
  const { relayDomain, hostname, contact } = settings
  return [
    `Date: ${dateTime(now)}`,
    `From: "TLS reports" <mailer-daemon@${relayDomain}>`,
    `Reply-To: <${contact}>`,
    `To: <${plain(to, 'utf8')}>`,
    `Message-ID: <${id}@${hostname}>`,
    // The form is prescribed, folding is not.
    `Subject: Report Domain: ${report.domain}`,
    ` Submitter: ${relayDomain}`,
    ` Report-ID: <${report.reportId}>`,
    `TLS-Report-Domain: ${report.domain}`,
    `TLS-Report-Submitter: ${relayDomain}`,
    'TLS-Required: No',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type="tlsrpt";',
    ` boundary="${boundary}"`,
  ]
}

function textOf({ report, successful, failed, settings }: ReportMail): string {
  const { day, domain, reportId } = report
  return `${domain} のメールサーバーとのTLS接続の集計です（${day}、UTC）。
成功した接続: ${successful}　失敗した接続: ${failed}
このメールは、${domain} のDNSレコード _smtp._tls（RFC 8460）のご指定により ${settings.relayDomain} から自動送信しています。
詳細は添付ファイルをご覧ください。お問い合わせ先: ${settings.contact}

A summary of TLS connections with the mail servers of ${domain} (${day}, UTC).
Successful sessions: ${successful}, failed sessions: ${failed}
${settings.relayDomain} sends it because the DNS record _smtp._tls of ${domain} asks for it (RFC 8460).
The attached file has the details. Questions: ${settings.contact}

Report-ID: ${reportId}
`
}

function base64Lines(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')
}
