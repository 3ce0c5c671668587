/**
 * Mail servers that write their bounces in prose.
 */
import { type BounceMail, bounce, originalHeader, textBounce } from './shape.ts'

const qmail = (to: string, reason: string) =>
  textBounce({
    from: 'MAILER-DAEMON@mx.qmail.example',
    subject: 'failure notice',
    text: `Hi. This is the qmail-send program at mx.qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<${to}>:
${reason}

--- Below this line is a copy of the message.

${originalHeader(to)}
550 5.7.1 is what this mail is about, says <other@ours.example>:
`,
  })

const qmailMails: BounceMail[] = [
  bounce(
    'qmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    qmail('a@theirs.example', 'Sorry, no mailbox here by that name. (#5.1.1)'),
  ),
  bounce(
    'qmail',
    'b@theirs.example',
    '5.0.0',
    'address-unknown',
    qmail(
      'b@theirs.example',
      '192.0.2.20 does not like recipient.\nRemote host said: 550 User unknown\nGiving up on 192.0.2.20.',
    ),
  ),
  bounce(
    'qmail',
    'c@no-such.example',
    '5.1.2',
    'domain-unknown',
    qmail('c@no-such.example', "Sorry, I couldn't find any host named no-such.example. (#5.1.2)"),
  ),
  bounce(
    'qmail',
    'd@theirs.example',
    '5.2.2',
    'mailbox-full',
    qmail('d@theirs.example', 'user is over quota (#5.2.2)'),
  ),
  bounce(
    'qmail',
    'e@theirs.example',
    '4.4.1',
    'network',
    qmail(
      'e@theirs.example',
      "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.",
    ),
  ),
]

const eximText = (to: string, reason: string) =>
  textBounce({
    from: 'Mail Delivery System <Mailer-Daemon@mx.exim.example>',
    subject: 'Mail delivery failed: returning message to sender',
    fields: `X-Failed-Recipients: ${to}\nAuto-Submitted: auto-replied\n`,
    text: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ${to}
${reason}

------ This is a copy of the message, including all the headers. ------

${originalHeader(to)}
`,
  })

const eximMails: BounceMail[] = [
  bounce(
    'Exim',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    eximText(
      'a@theirs.example',
      '    SMTP error from remote mail server after RCPT TO:<a@theirs.example>:\n    host mx.theirs.example [192.0.2.20]: 550 5.1.1 <a@theirs.example>: Recipient address rejected:\n    User unknown in relay recipient table',
    ),
  ),
  bounce(
    'Exim',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    eximText('b@theirs.example', '    Unrouteable address'),
  ),
  bounce(
    'Exim',
    'c@theirs.example',
    '5.2.2',
    'mailbox-full',
    eximText(
      'c@theirs.example',
      '    mailbox is full (MTA-imposed quota exceeded while writing to /home/c/Maildir/tmp)',
    ),
  ),
  bounce('Exim', 'd@theirs.example', '4.4.7', 'expired', eximText('d@theirs.example', '    retry timeout exceeded')),
  bounce(
    'Exim',
    'e@theirs.example',
    '4.4.1',
    'network',
    textBounce({
      from: 'Mail Delivery System <Mailer-Daemon@mx.exim.example>',
      subject: 'Warning: message 1vg0Xy-000000001Ab-2cDe delayed 24 hours',
      fields: 'Auto-Submitted: auto-replied\n',
      text: `This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.exim.example.

The message identifier is:     1vg0Xy-000000001Ab-2cDe
The subject of the message is: Quote
The date of the message is:    Thu, 15 Jan 2026 12:00:00 +0900

The address to which the message has not yet been delivered is:

  e@theirs.example
    host mx.theirs.example [192.0.2.20]
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
`,
    }),
    'delay',
  ),
]

const postfixText = (to: string, reason: string) =>
  textBounce({
    from: 'MAILER-DAEMON@mx.postfix.example (Mail Delivery System)',
    subject: 'Undelivered Mail Returned to Sender',
    text: `This is the Postfix program at host mx.postfix.example.

I'm sorry to have to inform you that the message returned
below could not be delivered to one or more destinations.

For further assistance, please send mail to <postmaster>

If you do so, please include this problem report. You can
delete your own text from the message returned below.

			The Postfix program

<${to}>: ${reason}
`,
  })

const postfixMails: BounceMail[] = [
  bounce(
    'Postfix',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    postfixText(
      'a@theirs.example',
      'host mx.theirs.example[192.0.2.20] said: 550 5.1.1\n    <a@theirs.example>: Recipient address rejected: User unknown (in reply to RCPT\n    TO command)',
    ),
  ),
  bounce(
    'Postfix',
    'b@theirs.example',
    '5.1.1',
    'address-unknown',
    postfixText('b@theirs.example', 'unknown user: "b"'),
  ),
  bounce(
    'Postfix',
    'c@no-such.example',
    '5.1.2',
    'domain-unknown',
    postfixText('c@no-such.example', 'Name service error for name=no-such.example type=A: Host not found'),
  ),
  bounce(
    'Postfix',
    'd@theirs.example',
    '5.7.1',
    'spam-content',
    postfixText(
      'd@theirs.example',
      'host mx.theirs.example[192.0.2.20] said: 554 5.7.1 This message looks like spam (in reply to end of DATA command)',
    ),
  ),
]

const sendmailText = (to: string, head: string, transcript: string) =>
  textBounce({
    from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.sendmail.example>',
    subject: 'Returned mail: User unknown',
    text: `The original message was received at Thu, 15 Jan 2026 12:00:01 +0900
from relay.example.jp [192.0.2.1]

   ----- ${head} -----
<${to}>

   ----- Transcript of session follows -----
${transcript}

   ----- Original message follows -----
${originalHeader(to)}
`,
  })

const sendmailMails: BounceMail[] = [
  bounce(
    'sendmail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    sendmailText(
      'a@theirs.example',
      'The following addresses had permanent fatal errors',
      '... while talking to mx.theirs.example.:\n>>> RCPT To:<a@theirs.example>\n<<< 550 5.1.1 <a@theirs.example>... User unknown\n550 <a@theirs.example>... User unknown',
    ),
  ),
  bounce(
    'sendmail',
    'b@no-such.example',
    '5.1.2',
    'domain-unknown',
    sendmailText(
      'b@no-such.example',
      'The following addresses had permanent fatal errors',
      '550 5.1.2 <b@no-such.example>... Host unknown (Name server: no-such.example: host not found)',
    ),
  ),
  bounce(
    'sendmail',
    'c@theirs.example',
    '4.4.1',
    'network',
    sendmailText(
      'c@theirs.example',
      'The following addresses had transient non-fatal errors',
      '<c@theirs.example>... Deferred: Connection timed out with mx.theirs.example.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old',
    ),
    'delay',
  ),
]

const courier = (to: string, reason: string) =>
  textBounce({
    from: '"Courier mail server at mx.courier.example" <@>',
    subject: 'NOTICE: mail delivery status.',
    text: `This is a delivery status notification from mx.courier.example,
running the Courier mail server, version 1.0.

The original message was received on Thu, 15 Jan 2026 12:00:01 +0900
from relay.example.jp ([192.0.2.1])

---------------------------------------------------------------------------

                           UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<${to}>:
${reason}

---------------------------------------------------------------------------

`,
  })

const courierMails: BounceMail[] = [
  bounce(
    'Courier',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    courier(
      'a@theirs.example',
      '    mx.theirs.example [192.0.2.20]:\n>>> RCPT TO:<a@theirs.example>\n<<< 550 5.1.1 User unknown.',
    ),
  ),
  bounce(
    'Courier',
    'b@no-such.example',
    '5.1.2',
    'domain-unknown',
    courier('b@no-such.example', '    No such domain.'),
  ),
]

const mdaemon = (to: string, kind: string, transcript: string) =>
  textBounce({
    from: 'MDaemon@theirs.example',
    subject: kind === 'PERMANENT' ? 'Permanent Delivery Failure' : 'Transient Delivery Failure Warning',
    text: `The following data may contain sections which represent BASE64 encoded
file attachments.  These sections will be unreadable without MIME aware tools.
Seek your system administrator if you need help extracting any files which may
be embedded within this mail message.

----------------------------------------------------------------------------
-

The attached message had ${kind} fatal delivery errors!

After one or more unsuccessful delivery attempts the attached message has
been removed from the mail queue on this server.

Failed address: ${to}

--- Session Transcript ---
 Thu 2026-01-15 12:00:01: --> RCPT To:<${to}>
 Thu 2026-01-15 12:00:02: <-- ${transcript}
 Thu 2026-01-15 12:00:02: --> QUIT
--- End Transcript ---
`,
  })

const small: BounceMail[] = [
  bounce(
    'MDaemon',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    mdaemon('a@theirs.example', 'PERMANENT', '550 5.1.1 a@theirs.example unknown user account'),
  ),
  bounce(
    'MDaemon',
    'b@theirs.example',
    '5.0.0',
    'mailbox-full',
    mdaemon('b@theirs.example', 'PERMANENT', '552 b@theirs.example mailbox is full, over quota'),
  ),
  bounce(
    'MDaemon',
    'c@theirs.example',
    '4.3.2',
    'remote-trouble',
    mdaemon('c@theirs.example', 'TRANSIENT', '451 4.3.2 System not accepting network messages'),
    'delay',
  ),
  bounce(
    'Apache James',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'postmaster@mx.james.example',
      subject: 'Re: Quote',
      text: `Hi. This is the James mail server at mx.james.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.  Below
I include the list of recipients and the reason why I was unable to deliver
your message.

Failed recipient(s):
a@theirs.example

Error message:
550 5.1.1 Unknown user: a@theirs.example
`,
    }),
  ),
  bounce(
    'OpenSMTPD',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'Mailer Daemon <MAILER-DAEMON@mx.opensmtpd.example>',
      subject: 'Delivery status notification: error',
      text: `    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

a@theirs.example: 550 5.1.1 Invalid recipient: a@theirs.example

    Below is a copy of the original message:

${originalHeader('a@theirs.example')}
`,
    }),
  ),
  bounce(
    'Oracle Messaging Server',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'Internet Mail Delivery <postmaster@mx.oracle.example>',
      subject: 'Delivery Notification: Delivery has failed',
      text: `This report relates to a message you sent with the following header fields:

  Message-id: <1@crm.example.jp>
  Date: Thu, 15 Jan 2026 12:00:00 +0900
  From: sales@ours.example
  To: a@theirs.example
  Subject: Quote

Your message cannot be delivered to the following recipients:

  Recipient address: a@theirs.example
  Original address: a@theirs.example
  Reason: Remote SMTP server has rejected address
  Diagnostic code: smtp;550 5.1.1 <a@theirs.example>... User Unknown
  Remote system: dns;mx.theirs.example (TCP|192.0.2.1|3500|192.0.2.20|25)
`,
    }),
  ),
  bounce(
    'IMail',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: 'Mail Administrator <postmaster@mx.imail.example>',
      subject: 'Undeliverable Mail',
      text: `Unknown user: a@theirs.example

Original message follows.

${originalHeader('a@theirs.example')}
`,
    }),
  ),
  bounce(
    'IMail',
    'b@theirs.example',
    '5.2.2',
    'mailbox-full',
    textBounce({
      from: 'Mail Administrator <postmaster@mx.imail.example>',
      subject: 'Undeliverable Mail',
      text: `User mailbox exceeds allowed size: b@theirs.example

Original message follows.
`,
    }),
  ),
  bounce(
    'hMailServer',
    'a@theirs.example',
    '5.0.0',
    'address-unknown',
    textBounce({
      from: 'mailer-daemon@theirs.example',
      subject: 'Message undeliverable: Quote',
      text: `Your message did not reach some or all of the intended recipients.

   Sent: Thu, 15 Jan 2026 12:00:00 +0900
   Subject: Quote

The following recipient(s) could not be reached:

a@theirs.example
   Error Type: SMTP
   Remote server (192.0.2.20) issued an error.
   hMailServer sent: RCPT TO:<a@theirs.example>
   Remote server replied: 550 Unknown user

hMailServer
`,
    }),
  ),
  bounce(
    'GMX',
    'a@theirs.example',
    '5.1.1',
    'address-unknown',
    textBounce({
      from: '"GMX Mailer Daemon" <mailer-daemon@gmx.example>',
      subject: 'Mail delivery failed: returning message to sender',
      text: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of
its recipients. This is a permanent error. The following address failed:

a@theirs.example:
SMTP error from remote server for RCPT TO command, host: mx.theirs.example (192.0.2.20) reason: 550 5.1.1 <a@theirs.example>: Recipient address rejected: undeliverable address

--- The header of the original message is following. ---

${originalHeader('a@theirs.example')}
`,
    }),
  ),
]

export const servers: readonly BounceMail[] = [
  ...qmailMails,
  ...eximMails,
  ...postfixMails,
  ...sendmailMails,
  ...courierMails,
  ...small,
]
