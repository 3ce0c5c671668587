/**
 * Systems that write delivery status reports (RFC 3464), each with its own habits.
 */
import { type BounceMail, bounce, originalHeader, type Reported, reportBounce, returnPath } from './shape.ts'

const postfix = (recipient: Reported, host: string, reason: string, late = false) =>
  reportBounce({
    from: `MAILER-DAEMON@${host} (Mail Delivery System)`,
    subject: late ? 'Delayed Mail (still being retried)' : 'Undelivered Mail Returned to Sender',
    fields: 'Auto-Submitted: auto-replied\n',
    mta: host,
    message: `X-Postfix-Queue-ID: 4dX1yZ2lPcz9s\nX-Postfix-Sender: rfc822; ${returnPath}\nArrival-Date: Thu, 15 Jan 2026 12:00:01 +0900 (JST)\n`,
    recipients: [recipient],
    text: `This is the mail system at host ${host}.

${late ? '####################################################################\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n####################################################################\n\nYour message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.' : "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below."}

For further assistance, please send mail to postmaster.

                   The mail system

<${recipient.final}>: ${reason}
`,
  })

const postfixMails: BounceMail[] = [
  bounce(
    'Postfix',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    postfix(
      {
        original: 'a@theirs.example',
        final: 'a@theirs.example',
        status: '5.1.1',
        remote: 'mx.theirs.example',
        diagnostic:
          'smtp; 550 5.1.1 <a@theirs.example>: Recipient address rejected: User unknown in\n    virtual mailbox table',
      },
      'mail.isp.example',
      'host mx.theirs.example[192.0.2.20] said: 550 5.1.1 <a@theirs.example>: Recipient\n    address rejected: User unknown in virtual mailbox table (in reply to RCPT TO\n    command)',
    ),
  ),
  bounce(
    'Postfix',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    postfix(
      {
        final: 'b@theirs.example',
        original: 'b@theirs.example',
        status: '5.1.1',
        diagnostic: 'X-Postfix; unknown user: "b"',
      },
      'mx.theirs.example',
      'unknown user: "b"',
    ),
  ),
  bounce(
    'Postfix',
    'c@theirs.example',
    '5.2.2',
    'mailbox-full',
    postfix(
      {
        final: 'c@theirs.example',
        original: 'c@theirs.example',
        status: '5.2.2',
        diagnostic: 'x-unix; maildir over quota',
      },
      'mx.theirs.example',
      'maildir delivery failed: mailbox is full: quota exceeded',
    ),
  ),
  bounce(
    'Postfix',
    'd@theirs.example',
    '4.4.7',
    'expired',
    postfix(
      {
        final: 'd@theirs.example',
        original: 'd@theirs.example',
        status: '4.4.7',
        diagnostic:
          'X-Postfix; delivery temporarily suspended: connect to mx.theirs.example[192.0.2.20]:25: Connection timed out; message expired',
      },
      'mail.isp.example',
      'connect to mx.theirs.example: Connection timed out',
    ),
  ),
  bounce(
    'Postfix',
    'e@theirs.example',
    '4.4.1',
    'network',
    postfix(
      {
        final: 'e@theirs.example',
        original: 'e@theirs.example',
        action: 'delayed',
        status: '4.4.1',
        diagnostic: 'X-Postfix; connect to mx.theirs.example[192.0.2.20]:25: Connection refused',
      },
      'mail.isp.example',
      'connect to mx.theirs.example[192.0.2.20]:25: Connection refused',
      true,
    ),
    'delay',
  ),
  bounce(
    'Postfix',
    'f@no-such.example',
    '5.4.4',
    'domain-unknown',
    postfix(
      {
        final: 'f@no-such.example',
        original: 'f@no-such.example',
        status: '5.4.4',
        diagnostic:
          'X-Postfix; Host or domain name not found. Name service error for name=no-such.example type=AAAA: Host not found',
      },
      'mail.isp.example',
      'Host or domain name not found.',
    ),
  ),
  bounce(
    'Postfix',
    'g@theirs.example',
    '5.7.1',
    'spam-content',
    postfix(
      {
        final: 'g@theirs.example',
        original: 'g@theirs.example',
        status: '5.7.1',
        remote: 'mx.theirs.example',
        diagnostic: 'smtp; 550 5.7.1 Message rejected as spam by Content Filtering.',
      },
      'mail.isp.example',
      'host mx.theirs.example said: 550 5.7.1 Message rejected as spam by Content Filtering. (in reply to end of DATA command)',
    ),
  ),
]

/** Forwarded: the recipient's own server sends on, and another one refuses. */
const forwarded = [
  bounce(
    'Postfix',
    'you@theirs.example',
    '5.1.1',
    'address-unknown',
    postfix(
      {
        original: 'you@theirs.example',
        final: 'elsewhere@third.example',
        status: '5.1.1',
        remote: 'mx.third.example',
        diagnostic: 'smtp; 550 5.1.1 No such user here',
      },
      'mx.theirs.example',
      'host mx.third.example said: 550 5.1.1 No such user here (in reply to RCPT TO command)',
    ),
  ),
]

const exim = (to: string, status: string, diagnostic: string, action = 'failed') =>
  reportBounce({
    from: 'Mail Delivery System <Mailer-Daemon@mx.exim.example>',
    subject:
      action === 'failed'
        ? 'Mail delivery failed: returning message to sender'
        : 'Warning: message 1vg0Xy-000000001Ab-2cDe delayed 24 hours',
    fields: `Auto-Submitted: auto-replied\nX-Failed-Recipients: ${to}\n`,
    mta: 'mx.exim.example',
    returned: 'text/rfc822-headers',
    recipients: [{ final: to, action, status, remote: 'mx.theirs.example', diagnostic }],
    text: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ${to}
    host mx.theirs.example [192.0.2.20]
    SMTP error from remote mail server after RCPT TO:<${to}>:
    ${diagnostic.replace(/^smtp; /, '')}
`,
  }).replace('Final-Recipient: rfc822; ', 'Final-Recipient: rfc822;')

const eximMails: BounceMail[] = [
  bounce(
    'Exim',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    exim('a@theirs.example', '5.0.0', 'smtp; 550 5.1.1 <a@theirs.example>: Recipient address rejected: User unknown'),
  ),
  bounce(
    'Exim',
    'b@theirs.example',
    '5.0.0',
    'address-unknown',
    exim('b@theirs.example', '5.0.0', 'smtp; 550 No Such User Here'),
  ),
  bounce(
    'Exim',
    'c@theirs.example',
    '5.7.26',
    'authentication',
    exim(
      'c@theirs.example',
      '5.0.0',
      'smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.',
    ),
  ),
  bounce(
    'Exim',
    'd@theirs.example',
    '4.0.0',
    'greylisted',
    exim('d@theirs.example', '4.0.0', 'smtp; 451 Greylisted, please try again in 300 seconds', 'delayed'),
    'delay',
  ),
]

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

const sendmail = (to: string, status: string, diagnostic: string, transcript: string, action = 'failed') =>
  reportBounce({
    from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.sendmail.example>',
    subject:
      action === 'failed'
        ? 'Returned mail: see transcript for details'
        : 'Warning: could not send message for past 4 hours',
    fields: 'Auto-Submitted: auto-generated (failure)\n',
    mta: 'mx.sendmail.example',
    message: 'Received-From-MTA: DNS; relay.example.jp\nArrival-Date: Thu, 15 Jan 2026 12:00:01 +0900\n',
    recipients: [{ final: to, action, status, remote: 'mx.theirs.example', diagnostic }],
    text: `The original message was received at Thu, 15 Jan 2026 12:00:01 +0900
from relay.example.jp [192.0.2.1]

   ----- The following addresses had permanent fatal errors -----
<${to}>
    (reason: ${transcript})

   ----- Transcript of session follows -----
... while talking to mx.theirs.example.:
>>> RCPT To:<${to}>
<<< ${transcript}
`,
  })

const sendmailMails: BounceMail[] = [
  bounce(
    'sendmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    sendmail(
      'a@theirs.example',
      '5.1.1',
      'SMTP; 550 5.1.1 <a@theirs.example>... User unknown',
      '550 5.1.1 <a@theirs.example>... User unknown',
    ),
  ),
  bounce(
    'sendmail',
    'b@theirs.example',
    '5.7.1',
    'relay-denied',
    sendmail(
      'b@theirs.example',
      '5.7.1',
      'SMTP; 550 5.7.1 <b@theirs.example>... Relaying denied',
      '550 5.7.1 <b@theirs.example>... Relaying denied',
    ),
  ),
  bounce(
    'sendmail',
    'c@theirs.example',
    '5.3.4',
    'message-too-large',
    sendmail(
      'c@theirs.example',
      '5.2.3',
      'SMTP; 552 5.3.4 Message size exceeds fixed maximum message size (10485760)',
      '552 5.3.4 Message size exceeds fixed maximum message size (10485760)',
    ),
  ),
  bounce(
    'sendmail',
    'd@theirs.example',
    '4.4.3',
    'dns-trouble',
    sendmail(
      'd@theirs.example',
      '4.4.3',
      'SMTP; 451 4.4.3 theirs.example: Name server timeout',
      '451 4.4.3 Name server timeout',
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

/** The reply stands in the text only, and the mail is no multipart/report. */
const openSmtpd: BounceMail[] = [
  bounce(
    'OpenSMTPD',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    reportBounce({
      from: 'Mailer Daemon <MAILER-DAEMON@mx.opensmtpd.example>',
      subject: 'Delivery status notification: failed',
      mta: 'mx.opensmtpd.example',
      returned: 'text/rfc822-headers',
      recipients: [{ final: 'b@theirs.example', status: '5.0.0' }],
      text: `    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

b@theirs.example: 550 5.1.1 no such user

    Below is a copy of the original message:
`,
    }).replace('multipart/report; report-type=delivery-status;', 'multipart/mixed;'),
  ),
]

/** RFC 6533: addresses beyond ASCII, in both forms. */
const internationalised: BounceMail[] = [
  bounce(
    'Postfix',
    '用户@xn--fsqu00a.example',
    '5.1.1',
    'address-unknown',
    global('\\x{7528}\\x{6237}@xn--fsqu00a.example'),
  ),
  bounce(
    'Coremail',
    '用户@xn--fsqu00a.example',
    '5.1.1',
    'address-unknown',
    Buffer.from(global('用户@xn--fsqu00a.example'), 'utf8'),
  ),
]

function global(address: string): string {
  return `From: postmaster@xn--fsqu00a.example
To: ${returnPath}
Subject: Delivery failure
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=xx

--xx
Content-Type: text/plain; charset=utf-8

Failed.

--xx
Content-Type: message/global-delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; mx.xn--fsqu00a.example

Original-Recipient: utf-8;${address}
Final-Recipient: utf-8;${address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no mailbox here by that name

--xx
Content-Type: message/global-headers

${originalHeader('x@xn--fsqu00a.example')}
--xx--
`
}

export const reports: readonly BounceMail[] = [
  ...postfixMails,
  ...forwarded,
  ...eximMails,
  ...exchangeMails,
  ...gmailMails,
  ...sendmailMails,
  ...others,
  ...openSmtpd,
  ...internationalised,
]
