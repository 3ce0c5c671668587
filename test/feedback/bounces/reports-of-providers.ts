/**
 * Providers, gateways and groupware that write delivery status reports (RFC 3464), each with its own habits.
 */
import { type BounceMail, bounce, type Reported, reportBounce, returnPath } from './shape.ts'

const exchange = (to: string, status: string, diagnostic: string, text: string) =>
  reportBounce({
    from: '<postmaster@theirs.example>',
    subject: 'Undeliverable: Quote',
    mta: 'TY2PR01MB0001.jpnprd01.prod.outlook.com',
    fields: 'X-MS-Exchange-Message-Is-Ndr:\nContent-Language: en-US\n',
    message: 'Received-From-MTA: dns;bounce.relay.example.jp\nArrival-Date: Thu, 15 Jan 2026 03:00:01 +0000\n',
    recipients: [{ final: to, status, diagnostic }],
    text,
  })

const exchangeMails: BounceMail[] = [
  bounce(
    'Exchange Online',
    'a@theirs.example',
    '5.1.10',
    'address-unknown',
    exchange(
      'a@theirs.example',
      '5.1.10',
      'smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
      "Your message to a@theirs.example couldn't be delivered.\n\na wasn't found at theirs.example.",
    ),
  ),
  bounce(
    'Exchange Online',
    'b@theirs.example',
    '5.2.2',
    'mailbox-full',
    exchange(
      'b@theirs.example',
      '5.2.2',
      'smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception',
      'The recipient mailbox is full.',
    ),
  ),
  bounce(
    'Exchange Online',
    'c@theirs.example',
    '5.7.133',
    'blocked-by-recipient',
    exchange(
      'c@theirs.example',
      '5.7.133',
      'smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group',
      'The group only accepts messages from people in its organization.',
    ),
  ),
  bounce(
    'Exchange Online',
    'd@theirs.example',
    '5.1.1',
    'address-unknown',
    exchange(
      'd@theirs.example',
      '5.1.1',
      'smtp;550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found',
      'Delivery has failed to these recipients or groups:\n\nd@theirs.example',
    ),
  ),
  bounce(
    'Exchange Online',
    'e@theirs.example',
    '5.2.3',
    'message-too-large',
    exchange(
      'e@theirs.example',
      '5.2.3',
      'smtp;550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient',
      "The message is larger than the recipient's limit.",
    ),
  ),
  bounce(
    'Exchange Online',
    'f@theirs.example',
    '4.4.7',
    'expired',
    exchange('f@theirs.example', '4.4.7', 'smtp;550 4.4.7 QUEUE.Expired; message expired', 'The message expired.'),
  ),
]

const gmail = (to: string, status: string, diagnostic: string, action = 'failed') =>
  reportBounce({
    from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
    subject: action === 'failed' ? 'Delivery Status Notification (Failure)' : 'Delivery Status Notification (Delay)',
    fields: `Auto-Submitted: auto-replied\nX-Failed-Recipients: ${to}\n`,
    mta: 'googlemail.com',
    message: `Received-From-MTA: dns; ${returnPath}\nArrival-Date: Wed, 14 Jan 2026 19:00:01 -0800 (PST)\nX-Original-Message-ID: <1@crm.example.jp>\n`,
    recipients: [
      {
        final: to,
        action,
        status,
        remote: 'gmail-smtp-in.l.google.com. (142.250.4.26, the server for the domain gmail.com.)',
        diagnostic,
      },
    ],
    text: `\n** ${action === 'failed' ? 'Address not found' : 'Delivery incomplete'} **\n\nYour message wasn't delivered to ${to} because the address couldn't be found, or is unable to receive mail.\n`,
  })

const gmailMails: BounceMail[] = [
  bounce(
    'Gmail',
    'a@gmail.com',
    '5.1.1',
    'address-unknown',
    gmail(
      'a@gmail.com',
      '5.1.1',
      "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking the recipient's email address for typos or\n 550-5.1.1 unnecessary spaces. For more information, go to\n 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser d9443c01a7336 - gsmtp",
    ),
  ),
  bounce(
    'Gmail',
    'b@gmail.com',
    '5.2.1',
    'mailbox-unavailable',
    gmail(
      'b@gmail.com',
      '5.2.1',
      'smtp; 550-5.2.1 The email account that you tried to reach is inactive. For more\n 550-5.2.1 information, go to\n 550 5.2.1  https://support.google.com/mail/?p=DisabledUser d9443c01a7336 - gsmtp',
    ),
  ),
  bounce(
    'Gmail',
    'c@gmail.com',
    '4.2.2',
    'mailbox-full',
    gmail(
      'c@gmail.com',
      '4.2.2',
      "smtp; 452-4.2.2 The recipient's inbox is out of storage space. Please direct the\n 452-4.2.2 recipient to\n 452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp d9443c01a7336 - gsmtp",
    ),
  ),
  bounce(
    'Gmail',
    'd@theirs.example',
    '4.4.1',
    'network',
    gmail(
      'd@theirs.example',
      '4.4.1',
      'smtp; The recipient server did not accept our requests to connect. [mx.theirs.example. 192.0.2.20: timed out]',
      'delayed',
    ),
    'delay',
  ),
]

const plain =
  (system: string, mta: string, from: string) =>
  (to: string, recipient: Omit<Reported, 'final'>, text = 'Your message could not be delivered.') =>
    reportBounce({
      from,
      subject: `Undeliverable message (${system})`,
      mta,
      recipients: [{ final: to, ...recipient }],
      text,
      fields: 'Auto-Submitted: auto-replied\n',
    })

const icloud = plain('iCloud', 'st43p00im-zteg1.me.com', 'postmaster@icloud.com')
const ses = plain('Amazon SES', 'a8-50.smtp-out.amazonses.com', 'MAILER-DAEMON@amazonses.com')
const powerMta = plain('PowerMTA', 'mta1.esp.example', 'mailer-daemon@mta1.esp.example')
const iij = plain('IIJ SMX', 'mbox.iij.example', 'postmaster@mbox.iij.example')
const mimecast = plain('Mimecast', 'eu-smtp-inbound-1.mimecast.com', 'postmaster@theirs.example')
const haraka = plain('Haraka', 'mx.haraka.example', 'MAILER-DAEMON@mx.haraka.example')
const zimbra = plain('Zimbra', 'mta.zimbra.example', 'MAILER-DAEMON@mta.zimbra.example')
const proofpoint = plain('Proofpoint', 'mx0a.pphosted.com', 'MAILER-DAEMON@mx0a.pphosted.com')
const communigate = plain('CommuniGate', 'cgp.example', 'MAILER-DAEMON@cgp.example')

const others: BounceMail[] = [
  bounce(
    'iCloud',
    'a@icloud.com',
    '5.1.1',
    'address-unknown',
    icloud('a@icloud.com', { status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 <a@icloud.com>: user does not exist' }),
  ),
  bounce(
    'iCloud',
    'b@icloud.com',
    '5.2.2',
    'mailbox-full',
    icloud('b@icloud.com', { status: '5.2.2', diagnostic: 'smtp; 552 5.2.2 <b@icloud.com>: user is over quota' }),
  ),
  bounce(
    'Amazon SES',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    ses('a@theirs.example', {
      status: '5.1.1',
      remote: 'mx.theirs.example',
      diagnostic: 'smtp; 550 5.1.1 user unknown',
    }),
  ),
  bounce(
    'Amazon SES',
    'b@theirs.example',
    '5.4.4',
    'dns-trouble',
    ses('b@theirs.example', {
      status: '5.4.4',
      diagnostic: 'smtp; 550 5.4.4 Unable to lookup DNS for theirs.example: Invalid domain',
    }),
  ),
  bounce(
    'PowerMTA',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    powerMta('a@theirs.example', {
      original: 'a@theirs.example',
      status: '5.1.1 (bad destination mailbox address)',
      remote: 'mx.theirs.example (192.0.2.20)',
      diagnostic: 'smtp;550 5.1.1 unknown user',
    }),
  ),
  bounce(
    'PowerMTA',
    'b@theirs.example',
    '5.7.1',
    'spam-block',
    powerMta('b@theirs.example', {
      status: '5.7.1 (delivery not authorized)',
      diagnostic: 'smtp;554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
    }),
  ),
  bounce(
    'IIJ',
    'a@theirs.example',
    '5.2.1',
    'mailbox-unavailable',
    iij('a@theirs.example', {
      status: '5.2.1',
      diagnostic: 'smtp; 550 5.2.1 mailbox disabled, not accepting messages',
    }),
  ),
  bounce(
    'Mimecast',
    'a@theirs.example',
    '5.7.1',
    'blocked-by-recipient',
    mimecast('a@theirs.example', {
      status: '5.7.1',
      diagnostic:
        'smtp; 550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550',
    }),
  ),
  bounce(
    'Haraka',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    haraka('a@theirs.example', {
      status: '5.1.1',
      diagnostic: 'smtp; 550 5.1.1 I cannot deliver mail for <a@theirs.example>: no such user',
    }),
  ),
  bounce(
    'Zimbra',
    'a@theirs.example',
    '5.2.2',
    'mailbox-full',
    zimbra('a@theirs.example', {
      original: 'a@theirs.example',
      status: '5.2.2',
      remote: 'mbox1.zimbra.example',
      diagnostic: 'smtp; 552 5.2.2 Over quota',
    }),
  ),
  bounce(
    'Proofpoint',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    proofpoint('a@theirs.example', { status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 User Unknown' }),
  ),
  bounce(
    'CommuniGate',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    communigate('a@theirs.example', {
      original: 'a@theirs.example',
      status: '5.1.1',
      diagnostic: 'smtp; 550 a@theirs.example account is unknown',
    }).replace('Action: failed', 'Action: failed (bad account)'),
  ),
]

export const reportsOfProviders: readonly BounceMail[] = [...exchangeMails, ...gmailMails, ...others]
