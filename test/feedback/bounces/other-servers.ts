/**
 * Mail servers that fewer people run, where they write their bounces in prose.
 */
import { type BounceMail, bounce, originalHeader, textBounce } from './shape.ts'

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

export const otherServers: readonly BounceMail[] = [...courierMails, ...small]
