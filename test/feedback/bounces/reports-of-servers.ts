/**
 * Mail servers that write delivery status reports (RFC 3464), each with its own habits.
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

export const reportsOfServers: readonly BounceMail[] = [
  ...postfixMails,
  ...forwarded,
  ...eximMails,
  ...sendmailMails,
  ...openSmtpd,
  ...internationalised,
]
